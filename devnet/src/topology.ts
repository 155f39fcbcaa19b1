import { readFile } from 'node:fs/promises';
import { isRecord, parseJson } from '@cairn/primitives';
import { parseShardText, type ShardConfig } from '@cairn/wire-protocol';
import { DevnetError } from './errors.ts';

/** A storage node of a devnet. */
export interface StorageNodePlan {
  /** `storage-0`, `storage-1`, …: the name of its process, its log and its directory. */
  readonly name: string;
  /** The segments it keeps. */
  readonly shard: ShardConfig;
  /** Fixed by the topology file; else planned. */
  readonly port?: number;
}

/** What a devnet is made of. */
export interface Topology {
  readonly chain: {
    /** Seconds between blocks that come without a transaction; every transaction gets a block too. */
    readonly blockTimeSeconds: number;
    readonly port?: number;
  };
  readonly storage: readonly StorageNodePlan[];
  readonly indexer: { readonly port?: number };
}

/** One node that keeps everything, and a pair that keeps half each: every segment has two holders. */
export const DEFAULT_STORAGE = '0/1,0/2,1/2';
/** More storage nodes than this do not start on a workstation in a time worth waiting for. */
export const MAX_STORAGE_NODES = 64;
const DEFAULT_BLOCK_TIME_SECONDS = 1;

/** The topology of `--storage 0/1,0/2,1/2`. @throws {DevnetError} TOPOLOGY_INVALID */
export function topologyOf(storage: string = DEFAULT_STORAGE): Topology {
  return {
    chain: { blockTimeSeconds: DEFAULT_BLOCK_TIME_SECONDS },
    storage: storagePlans(storage.split(',').map((shard) => ({ shard: shard.trim() }))),
    indexer: {},
  };
}

/**
 * A topology written as JSON:
 * `{"chain": {"port", "blockTimeSeconds"}, "storage": [{"shard": "0/2", "port"}], "indexer": {"port"}}`,
 * where everything may be left out.
 *
 * @throws {DevnetError} TOPOLOGY_INVALID names the field
 */
export function parseTopology(text: string): Topology {
  let outside: unknown;
  try {
    outside = parseJson(text);
  } catch (error) {
    throw invalid('(file)', text, 'is not JSON', error);
  }
  const file = fieldsOf(outside, '(file)', ['chain', 'storage', 'indexer']);
  const chain = fieldsOf(file['chain'] ?? {}, 'chain', ['port', 'blockTimeSeconds']);
  const indexer = fieldsOf(file['indexer'] ?? {}, 'indexer', ['port']);
  const storage = file['storage'] ?? DEFAULT_STORAGE.split(',').map((shard) => ({ shard }));
  if (!Array.isArray(storage)) throw invalid('storage', storage, 'is not a list');
  return {
    chain: {
      blockTimeSeconds:
        numberIn(chain['blockTimeSeconds'], 'chain.blockTimeSeconds', { least: 1, most: 3600 }) ??
        DEFAULT_BLOCK_TIME_SECONDS,
      ...portIn(chain, 'chain'),
    },
    storage: storagePlans(
      storage.map((node: unknown, index) => {
        const fields = fieldsOf(node, `storage[${index}]`, ['shard', 'port']);
        const shard = fields['shard'];
        if (typeof shard !== 'string') {
          throw invalid(`storage[${index}].shard`, shard, 'is not a text such as "0/2"');
        }
        return { shard, ...portIn(fields, `storage[${index}]`) };
      }),
    ),
    indexer: portIn(indexer, 'indexer'),
  };
}

/** @throws {DevnetError} TOPOLOGY_INVALID; what the disk throws */
export async function readTopology(path: string): Promise<Topology> {
  return parseTopology(await readFile(path, 'utf8'));
}

function storagePlans(
  nodes: readonly { readonly shard: string; readonly port?: number }[],
): StorageNodePlan[] {
  if (nodes.length < 1 || nodes.length > MAX_STORAGE_NODES) {
    throw invalid('storage', nodes.length, `must name 1 to ${MAX_STORAGE_NODES} nodes`);
  }
  return nodes.map(({ shard, port }, index) => {
    let parsed: ShardConfig;
    try {
      parsed = parseShardText(shard);
    } catch (error) {
      throw invalid(`storage[${index}].shard`, shard, 'is not a shard such as 0/2', error);
    }
    return {
      name: `storage-${index}`,
      shard: parsed,
      ...(port === undefined ? {} : { port }),
    };
  });
}

function fieldsOf(
  value: unknown,
  field: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw invalid(field, value, 'is not an object');
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw invalid(`${field}.${unknown}`, unknown, `is unknown; known are ${known.join(', ')}`);
  }
  return value;
}

function portIn(
  fields: Readonly<Record<string, unknown>>,
  field: string,
): { readonly port?: number } {
  const port = numberIn(fields['port'], `${field}.port`, { least: 1, most: 65_535 });
  return port === undefined ? {} : { port };
}

function numberIn(
  value: unknown,
  field: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(field, value, `must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function invalid(field: string, value: unknown, problem: string, cause?: unknown): DevnetError {
  const text = String(typeof value === 'object' ? JSON.stringify(value) : value).slice(0, 80);
  return new DevnetError(
    { code: 'TOPOLOGY_INVALID', field, text },
    `the topology's ${field} ${problem} (it is ${text})`,
    { cause },
  );
}
