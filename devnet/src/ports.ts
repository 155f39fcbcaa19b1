import { createServer } from 'node:net';
import type { Rng } from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import { type ConsensusShardPlan, type DaPlan, RELAYER, type Topology } from './topology.ts';

/** Where each service of a devnet listens, on the loopback interface. */
export interface PortPlan {
  readonly chain: number;
  readonly indexer: number;
  /** In the order of the topology's storage nodes. */
  readonly storage: readonly number[];
  /** In the order of the topology's key-value nodes. */
  readonly kv: readonly number[];
  /** libp2p of the first storage node, where there is another to meet it. */
  readonly peers?: number;
  /** Where the topology has signers. */
  readonly da?: DaPorts;
  /** Where the topology has chains beside the hub. */
  readonly shards?: ShardPorts;
}

/** Where consensus shards listen, and who relays between them. */
export interface ShardPorts {
  /** Health and measures of the relayer. */
  readonly relayer: number;
  /** In the order of the topology's chains beside the hub. */
  readonly chains: readonly {
    readonly chain: number;
    /** In the order of its storage nodes. */
    readonly storage: readonly number[];
    /** Of its disperser; that one's doors for gRPC and Arbitrum nodes take what is free. */
    readonly disperser: number;
  }[];
}

/** Where the services of data availability listen. */
export interface DaPorts {
  readonly disperser: number;
  /** The disperser's door for gRPC. */
  readonly grpc: number;
  /** Its door for Arbitrum nodes. */
  readonly nitro: number;
  /** The page that samples blobs. */
  readonly page: number;
  /** Health and measures of the disperser process's other role. */
  readonly keeper: number;
  /** In the order of the topology's signers. */
  readonly signers: readonly number[];
}

/** How ports are chosen. */
export type PortChoice =
  /** The well-known ones: chain 8545, storage 5678 upward, indexer 12345, key-value 6789 upward, blobs 3100, 51001 and 9880, page 3280, signers 3201 upward, libp2p of storage 5600; chains beside the hub 8546 upward, their storage nodes after the hub's, their dispersers 3101 upward, the relayer 3291. */
  | { readonly kind: 'default' }
  /** Chain at `base`, indexer + 1, page + 4, blobs + 2, + 5 and + 6, keeper + 3, libp2p of storage + 7, storage from + 10, key-value from + 74, signers from + 80; the relayer + 8, chains beside the hub from + 96, their storage nodes after the hub's, their dispersers wherever is free. */
  | { readonly kind: 'base'; readonly base: number }
  /** Whatever is free: `--port 0`. */
  | { readonly kind: 'any' };

const DEFAULT_CHAIN_PORT = 8545;
const DEFAULT_STORAGE_PORT = 5678;
const DEFAULT_INDEXER_PORT = 12_345;
const DEFAULT_DISPERSER_PORT = 3100;
const DEFAULT_KEEPER_PORT = 3290;
const DEFAULT_PAGE_PORT = 3280;
const DEFAULT_GRPC_PORT = 51_001;
const DEFAULT_NITRO_PORT = 9880;
const DEFAULT_SIGNER_PORT = 3201;
const DEFAULT_KV_PORT = 6789;
const DEFAULT_PEERS_PORT = 5600;
const DEFAULT_RELAYER_PORT = 3291;
/** Ports of a base: services first, then storage nodes, key-value nodes and signers. Bases 100 apart never meet. */
const PEERS_OFFSET = 7;
const RELAYER_OFFSET = 8;
const STORAGE_OFFSET = 10;
const KV_OFFSET = 74;
const SIGNER_OFFSET = 80;
const SHARD_OFFSET = 96;
/** Below what Linux and macOS hand to outgoing connections, so that none of those takes a port first. */
const ANY_PORT_FROM = 15_000;
const ANY_PORT_COUNT = 15_000;
const MAX_TRIES_PER_PORT = 64;
const LOOPBACK = '127.0.0.1';

/**
 * Ports for every service, each seen free a moment ago. A port the topology fixes is taken as it is.
 *
 * @throws {DevnetError} PORT_IN_USE, PORT_OUT_OF_RANGE, NO_FREE_PORT
 */
export async function planPorts(
  topology: Topology,
  choice: PortChoice,
  { rng, isFree = isPortFree }: { readonly rng: Rng; readonly isFree?: typeof isPortFree },
): Promise<PortPlan> {
  const fixedPorts = new Set(
    [
      topology.chain.port,
      topology.indexer.port,
      ...topology.storage.map((node) => node.port),
      ...topology.kv.map((node) => node.port),
      topology.da?.disperser.port,
      ...(topology.da?.signers ?? []).map((signer) => signer.port),
      ...(topology.consensusShards ?? []).flatMap(({ port, storage }) => [
        port,
        ...storage.map((node) => node.port),
      ]),
    ].filter((port) => port !== undefined),
  );
  const taken = new Set<number>();
  const free = async (): Promise<number> => {
    const port = await anyFreePort(new Set([...taken, ...fixedPorts]), { rng, isFree });
    taken.add(port);
    return port;
  };
  const settle: Settle = async (service, fixed, planned) => {
    if (fixed === undefined && choice.kind === 'any') return free();
    const port = fixed ?? planned;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new DevnetError(
        { code: 'PORT_OUT_OF_RANGE', port, service },
        `port ${port} for ${service} is not between 1 and 65535`,
      );
    }
    if (taken.has(port) || !(await isFree(port))) {
      throw new DevnetError(
        { code: 'PORT_IN_USE', port, service },
        `port ${port} for ${service} is already in use`,
      );
    }
    taken.add(port);
    return port;
  };
  const base = choice.kind === 'base' ? choice.base : undefined;
  const chain = await settle('chain', topology.chain.port, base ?? DEFAULT_CHAIN_PORT);
  const indexer = await settle(
    'indexer',
    topology.indexer.port,
    base === undefined ? DEFAULT_INDEXER_PORT : base + 1,
  );
  const storage: number[] = [];
  const firstStorage = base === undefined ? DEFAULT_STORAGE_PORT : base + STORAGE_OFFSET;
  for (const [index, node] of topology.storage.entries()) {
    storage.push(await settle(node.name, node.port, firstStorage + index));
  }
  const kv: number[] = [];
  const firstKv = base === undefined ? DEFAULT_KV_PORT : base + KV_OFFSET;
  for (const [index, node] of topology.kv.entries()) {
    kv.push(await settle(node.name, node.port, firstKv + index));
  }
  const { da } = topology;
  const meets = topology.storage.length > 1;
  const peersAt = base === undefined ? DEFAULT_PEERS_PORT : base + PEERS_OFFSET;
  return {
    chain,
    indexer,
    storage,
    kv,
    ...(meets ? { peers: await settle('peers', undefined, peersAt) } : {}),
    ...(da === undefined ? {} : { da: await daPorts(da, base, settle) }),
    ...(topology.consensusShards === undefined
      ? {}
      : {
          shards: await shardPorts(
            topology.consensusShards,
            hubPorts(topology, storage),
            base,
            settle,
            free,
          ),
        }),
  };
}

/** A port for a service: the fixed one, else the planned one, else any. */
type Settle = (service: string, fixed: number | undefined, planned: number) => Promise<number>;

async function daPorts(
  { disperser, signers }: DaPlan,
  base: number | undefined,
  settle: Settle,
): Promise<DaPorts> {
  const at = (offset: number, wellKnown: number): number =>
    base === undefined ? wellKnown : base + offset;
  const ports: number[] = [];
  const blobs = await settle('disperser', disperser.port, at(2, DEFAULT_DISPERSER_PORT));
  const keeper = await settle('keeper', undefined, at(3, DEFAULT_KEEPER_PORT));
  const grpc = await settle('disperser grpc', undefined, at(5, DEFAULT_GRPC_PORT));
  const nitro = await settle('disperser nitro', undefined, at(6, DEFAULT_NITRO_PORT));
  const page = await settle('page', undefined, at(4, DEFAULT_PAGE_PORT));
  for (const [index, { name, port }] of signers.entries()) {
    ports.push(await settle(name, port, at(SIGNER_OFFSET, DEFAULT_SIGNER_PORT) + index));
  }
  return { disperser: blobs, grpc, nitro, page, keeper, signers: ports };
}

/** Ports of the hub's storage nodes by name. */
function hubPorts({ storage }: Topology, ports: readonly number[]): ReadonlyMap<string, number> {
  return new Map(storage.map(({ name }, index) => [name, ports[index] ?? 0]));
}

/**
 * @param hub - ports of the hub's storage nodes: a process that keeps other chains too keeps its port
 * @param free - takes any free port
 */
async function shardPorts(
  shards: readonly ConsensusShardPlan[],
  hub: ReadonlyMap<string, number>,
  base: number | undefined,
  settle: Settle,
  free: () => Promise<number>,
): Promise<ShardPorts> {
  const at = (offset: number, wellKnown: number): number =>
    base === undefined ? wellKnown : base + offset;
  const relayer = await settle(RELAYER, undefined, at(RELAYER_OFFSET, DEFAULT_RELAYER_PORT));
  const firstChain = at(SHARD_OFFSET, DEFAULT_CHAIN_PORT + 1);
  let nextStorage = at(STORAGE_OFFSET, DEFAULT_STORAGE_PORT) + hub.size;
  const chains: ShardPorts['chains'][number][] = [];
  for (const [index, { name, port, storage }] of shards.entries()) {
    const chain = await settle(name, port, firstChain + index);
    const nodes: number[] = [];
    for (const node of storage) {
      const shared = node.keptBy === undefined ? undefined : hub.get(node.keptBy);
      nodes.push(shared ?? (await settle(node.name, node.port, nextStorage)));
      if (shared === undefined) nextStorage += 1;
    }
    // Beside a base there is no room for them: any free one does.
    const disperser =
      base === undefined
        ? await settle(`${name} disperser`, undefined, DEFAULT_DISPERSER_PORT + 1 + index)
        : await free();
    chains.push({ chain, storage: nodes, disperser });
  }
  return { relayer, chains };
}

/** Whether something could listen on a port of the loopback interface right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

async function anyFreePort(
  taken: ReadonlySet<number>,
  { rng, isFree }: { readonly rng: Rng; readonly isFree: typeof isPortFree },
): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES_PER_PORT; tries += 1) {
    const port = ANY_PORT_FROM + rng.below(ANY_PORT_COUNT);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new DevnetError(
    { code: 'NO_FREE_PORT', wanted: taken.size + 1, tried: MAX_TRIES_PER_PORT },
    `none of ${MAX_TRIES_PER_PORT} ports tried was free`,
  );
}
