import type { Json, Rng } from '@cairn/primitives';
import { chooseHolders, INDEXER, invalidParams, serverRpcError } from '@cairn/wire-protocol';
import type { JsonRpcMethods } from '../zg-compat/answer-json-rpc.ts';
import type { ZgParameters } from '../zg-compat/parameters.ts';
import type { FileLocator } from './locate-file.ts';
import { type KnownNode, type NodeDirectory, zgShardedNodeOf } from './node-directory.ts';

/** What the methods need. */
export interface IndexerMethodsDeps {
  readonly directory: NodeDirectory;
  readonly locator: FileLocator;
  readonly rng: Pick<Rng, 'below'>;
}

/** URLs that a client asks to leave out, at most. */
const MAX_DROPPED = 1024;
/** Copies a client can ask for; more nodes than this are not listed anyway. */
const MAX_REPLICAS = 1024;

/**
 * The `indexer_*` methods of 0G clients. All nodes are trusted: they come from the configuration.
 *
 * Lists are never null: the official TypeScript client spreads them.
 */
export function indexerMethods({ directory, locator, rng }: IndexerMethodsDeps): JsonRpcMethods {
  return {
    [INDEXER.getShardedNodes]: {
      parameters: 0,
      run: async (_, { signal }) => nodesJson(await directory.nodes(signal)),
    },
    [INDEXER.getSelectedNodes]: {
      parameters: 4,
      run: async (parameters, { signal }) => {
        const replicas = parameters.natural(0);
        if (replicas > MAX_REPLICAS) throw invalidParams(`at most ${MAX_REPLICAS} replicas`);
        const dropped = droppedIn(parameters.at(3));
        const nodes = (await directory.nodes(signal)).filter(({ url }) => !dropped.has(url));
        const selected = selectNodes(nodes, Math.max(1, replicas), methodIn(parameters), rng);
        if (selected === undefined) {
          // The text is the official indexer's.
          throw serverRpcError(
            'cannot select a subset from the returned nodes that meets the replication requirement',
          );
        }
        return nodesJson(selected);
      },
    },
    [INDEXER.getNodeLocations]: {
      parameters: 0,
      // Places of IP addresses come from a service elsewhere, which no request here waits for.
      run: async () => ({}),
    },
    [INDEXER.getFileLocations]: {
      parameters: 1,
      run: async (parameters, { signal }) => {
        const found = await locator.locate(parameters.root(0), signal);
        if (found.kind === 'unknown') throw serverRpcError('file not found');
        return found.kind === 'complete' ? found.holders.map(shardedNodeJson) : null;
      },
    },
  };
}

function nodesJson(trusted: readonly KnownNode[]): Json {
  return { trusted: trusted.map(shardedNodeJson), discovered: [] };
}

function shardedNodeJson(node: KnownNode): Json {
  const { url, config, latency, since } = zgShardedNodeOf(node);
  return { url, config: { ...config }, latency, since };
}

/** `min`, `max`, `random`, or a number: only nodes of so many shards. Anything else selects none. */
function selectNodes(
  nodes: readonly KnownNode[],
  replicas: number,
  method: string,
  rng: Pick<Rng, 'below'>,
): KnownNode[] | undefined {
  if (method === 'min' || method === 'max' || method === 'random') {
    return chooseHolders(nodes, replicas, method, rng);
  }
  if (!/^[1-9]\d{0,9}$/.test(method)) return undefined;
  const alike = nodes.filter(({ shard }) => shard.count === Number(method));
  return chooseHolders(alike, replicas, 'min', rng);
}

function methodIn(parameters: ZgParameters): string {
  const method = parameters.at(1) ?? 'min';
  if (typeof method !== 'string') throw invalidParams('the method is min, max, random or a number');
  return method;
}

function droppedIn(value: unknown): ReadonlySet<string> {
  if (value === undefined || value === null) return new Set();
  if (!Array.isArray(value) || value.length > MAX_DROPPED) {
    throw invalidParams(`dropped is a list of at most ${MAX_DROPPED} URLs`);
  }
  return new Set(value.filter((url) => typeof url === 'string'));
}
