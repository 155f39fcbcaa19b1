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
  /** Whether it mines what it keeps. */
  readonly mines: boolean;
  /** Fixed by the topology file; else planned. */
  readonly port?: number;
  /** Of a chain beside the hub: the storage node of the hub whose process keeps this one too. */
  readonly keptBy?: string;
}

/** A signer of a devnet. */
export interface SignerPlan {
  /** `signer-0`, `signer-1`, …: the name of its process, its log and its directory. */
  readonly name: string;
  /** Fixed by the topology file; else planned. */
  readonly port?: number;
}

/** A key-value node of a devnet. */
export interface KvNodePlan {
  /** `kv-0`, `kv-1`, …: the name of its process, its log and its directory. */
  readonly name: string;
  /** Fixed by the topology file; else planned. */
  readonly port?: number;
}

/** The process that takes blobs, and moves epochs on besides. */
export const DISPERSER = 'disperser';
/** The process that brings checkpoints of consensus shards to the hub, and its epochs to them. */
export const RELAYER = 'relayer';

/** The data-availability network of a devnet: its signers, and one disperser that also keeps epochs. */
export interface DaPlan {
  /** At least one. */
  readonly signers: readonly SignerPlan[];
  readonly disperser: { readonly port?: number };
}

/** A chain beside the hub with a log and nodes of its own: a consensus shard. */
export interface ConsensusShardPlan {
  /** `shard-1`, `shard-2`, …: the name of the chain, its process, its log and its directory. */
  readonly name: string;
  /** Its number at the hub, 1 upward. */
  readonly shardId: number;
  /** Of its chain; fixed by the topology file, else planned. */
  readonly port?: number;
  /**
   * Nodes that serve its log, at least one: `shard-1-storage-0`, …. They do not mine. The process of the hub's nth
   * storage node keeps the nth of them as well; one with a port of its own, or beyond those, has its own process.
   */
  readonly storage: readonly StorageNodePlan[];
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
  readonly kv: readonly KvNodePlan[];
  /** `undefined`: blobs are not taken. */
  readonly da?: DaPlan;
  /** Chains beside the hub, by rising number; `undefined` where the hub is the only one. */
  readonly consensusShards?: readonly ConsensusShardPlan[];
}

/** One node that keeps everything, and a pair that keeps half each: every segment has two holders. */
export const DEFAULT_STORAGE = '0/1,0/2,1/2';
/** More storage nodes than this do not start on a workstation in a time worth waiting for. */
export const MAX_STORAGE_NODES = 64;
/** Any one of four may be away: the others are more than two thirds of the seats. */
export const DEFAULT_SIGNERS = 4;
/** One answers for every stream. */
export const DEFAULT_KV_NODES = 1;
/** As many as there are ports for beside a base. */
export const MAX_KV_NODES = 6;
/** As many as the quorum of a devnet seats comfortably on one machine. */
export const MAX_SIGNERS = 16;
/** The hub and three more: as many as there are ports for beside a base. */
export const MAX_CONSENSUS_SHARDS = 4;
/** Two chains in one order: what a network with several is like, from the first minute. */
const DEFAULT_CONSENSUS_SHARDS = 2;
const DEFAULT_BLOCK_TIME_SECONDS = 1;
/** One node that keeps everything. */
const EVERYTHING = [{ shard: '0/1' }];

/**
 * Consensus shards of a devnet for which nobody said how many: two where there are signers, who say what each chain
 * holds, and the hub alone otherwise, or where chain and nodes are kept.
 */
export function consensusShardsFor({
  signers = DEFAULT_SIGNERS,
  isKept = false,
}: {
  readonly signers?: number | undefined;
  readonly isKept?: boolean | undefined;
}): number {
  return signers > 0 && !isKept ? DEFAULT_CONSENSUS_SHARDS : 1;
}

/**
 * The topology of `--storage 0/1,0/2,1/2 --da 4 --mine --consensus-shards 1`.
 *
 * @param signers - 0 for a devnet that takes no blobs
 * @param mine - whether every storage node mines what it keeps
 * @param kvNodes - 0 for a devnet that answers for no streams
 * @param consensusShards - chains with a log of their own, the hub included
 * @throws {DevnetError} TOPOLOGY_INVALID
 */
export function topologyOf(
  storage: string = DEFAULT_STORAGE,
  signers: number = DEFAULT_SIGNERS,
  mine = false,
  kvNodes: number = DEFAULT_KV_NODES,
  consensusShards = 1,
): Topology {
  if (!Number.isInteger(consensusShards) || consensusShards < 1) {
    throw invalid('consensusShards', consensusShards, 'must count the hub and so be at least 1');
  }
  return withConsensusShards(
    {
      chain: { blockTimeSeconds: DEFAULT_BLOCK_TIME_SECONDS },
      storage: storagePlans(storage.split(',').map((shard) => ({ shard: shard.trim(), mine }))),
      indexer: {},
      kv: kvPlans(Array.from({ length: kvNodes }, () => ({}))),
      ...daOf(signerPlans(Array.from({ length: signers }, () => ({}))), {}),
    },
    Array.from({ length: consensusShards - 1 }, () => ({ storage: EVERYTHING })),
  );
}

/**
 * A topology written as JSON:
 * `{"chain": {"port", "blockTimeSeconds"}, "storage": [{"shard": "0/2", "port", "mine": true}], "indexer": {"port"},
 * "kv": [{"port"}], "da": {"signers": [{"port"}], "disperser": {"port"}}, "consensusShards": [{"port", "storage":
 * [{"shard", "port"}]}]}`, where everything may be left out. Without signers, or with another block time, there is no
 * disperser either. `consensusShards` are the chains beside the hub.
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
  const known = ['chain', 'storage', 'indexer', 'kv', 'da', 'consensusShards'];
  const file = fieldsOf(outside, '(file)', known);
  const chain = fieldsOf(file['chain'] ?? {}, 'chain', ['port', 'blockTimeSeconds']);
  const indexer = fieldsOf(file['indexer'] ?? {}, 'indexer', ['port']);
  const storage = file['storage'] ?? DEFAULT_STORAGE.split(',').map((shard) => ({ shard }));
  if (!Array.isArray(storage)) throw invalid('storage', storage, 'is not a list');
  const kv = file['kv'] ?? Array.from({ length: DEFAULT_KV_NODES }, () => ({}));
  if (!Array.isArray(kv)) throw invalid('kv', kv, 'is not a list');
  const blockTimeSeconds =
    numberIn(chain['blockTimeSeconds'], 'chain.blockTimeSeconds', { least: 1, most: 3600 }) ??
    DEFAULT_BLOCK_TIME_SECONDS;
  const topology = {
    chain: { blockTimeSeconds, ...portIn(chain, 'chain') },
    storage: storagePlans(
      storage.map((node: unknown, index) => {
        const fields = fieldsOf(node, `storage[${index}]`, ['shard', 'port', 'mine']);
        const { mine = false } = fields;
        if (typeof mine !== 'boolean') {
          throw invalid(`storage[${index}].mine`, mine, 'is not true or false');
        }
        const shard = fields['shard'];
        if (typeof shard !== 'string') {
          throw invalid(`storage[${index}].shard`, shard, 'is not a text such as "0/2"');
        }
        return { shard, mine, ...portIn(fields, `storage[${index}]`) };
      }),
    ),
    indexer: portIn(indexer, 'indexer'),
    kv: kvPlans(
      kv.map((node: unknown, index) =>
        portIn(fieldsOf(node, `kv[${index}]`, ['port']), `kv[${index}]`),
      ),
    ),
    ...parseDa(file['da'], blockTimeSeconds),
  };
  return withConsensusShards(topology, parseConsensusShards(file['consensusShards'] ?? []));
}

/** A chain beside the hub, as it is asked for. */
interface ConsensusShardChoice {
  readonly port?: number;
  readonly storage: readonly { readonly shard: string; readonly port?: number }[];
}

function parseConsensusShards(value: unknown): ConsensusShardChoice[] {
  if (!Array.isArray(value)) throw invalid('consensusShards', value, 'is not a list');
  return value.map((chain: unknown, index) => {
    const field = `consensusShards[${index}]`;
    const fields = fieldsOf(chain, field, ['port', 'storage']);
    const storage = fields['storage'] ?? EVERYTHING;
    if (!Array.isArray(storage)) throw invalid(`${field}.storage`, storage, 'is not a list');
    const nodes = storage.map((node: unknown, at) => {
      const each = fieldsOf(node, `${field}.storage[${at}]`, ['shard', 'port']);
      const shard = each['shard'];
      if (typeof shard !== 'string') {
        throw invalid(`${field}.storage[${at}].shard`, shard, 'is not a text such as "0/2"');
      }
      return { shard, ...portIn(each, `${field}.storage[${at}]`) };
    });
    return { storage: nodes, ...portIn(fields, field) };
  });
}

/** Nothing is added where there are none. */
function withConsensusShards(
  topology: Topology,
  chains: readonly ConsensusShardChoice[],
): Topology {
  if (chains.length === 0) return topology;
  const count = chains.length + 1;
  if (count > MAX_CONSENSUS_SHARDS) {
    throw invalid('consensusShards', count, `can be ${MAX_CONSENSUS_SHARDS} at most with the hub`);
  }
  if (topology.da === undefined) {
    throw invalid('consensusShards', count, 'need signers, who say what each chain holds');
  }
  const consensusShards = chains.map(({ storage, ...port }, index) => {
    const name = `shard-${index + 1}`;
    const nodes = storage.map((node) => ({ ...node, mine: false }));
    const place = { field: `consensusShards[${index}].storage`, prefix: `${name}-storage` };
    const plans = storagePlans(nodes, place).map((plan, at): StorageNodePlan => {
      const keptBy = topology.storage[at]?.name;
      return keptBy === undefined || plan.port !== undefined ? plan : { ...plan, keptBy };
    });
    return { name, shardId: index + 1, storage: plans, ...port };
  });
  const nodes = [topology, ...consensusShards].reduce(
    (sum, { storage }) => sum + storage.length,
    0,
  );
  if (nodes > MAX_STORAGE_NODES) {
    const problem = `leave ${nodes} storage nodes to start, ${MAX_STORAGE_NODES} are the most`;
    throw invalid('consensusShards', count, problem);
  }
  return { ...topology, consensusShards };
}

/** Epochs count blocks and end in time: that fits blocks of the default time only. */
function parseDa(value: unknown, blockTimeSeconds: number): Pick<Topology, 'da'> {
  const isTimed = blockTimeSeconds === DEFAULT_BLOCK_TIME_SECONDS;
  if (value === undefined && !isTimed) return {};
  const da = fieldsOf(value ?? {}, 'da', ['signers', 'disperser']);
  const disperser = fieldsOf(da['disperser'] ?? {}, 'da.disperser', ['port']);
  const signers = da['signers'] ?? Array.from({ length: DEFAULT_SIGNERS }, () => ({}));
  if (!Array.isArray(signers)) throw invalid('da.signers', signers, 'is not a list');
  const plans = signers.map((signer: unknown, index) => {
    const field = `da.signers[${index}]`;
    return portIn(fieldsOf(signer, field, ['port']), field);
  });
  if (plans.length > 0 && !isTimed) {
    const needed = DEFAULT_BLOCK_TIME_SECONDS;
    throw invalid('chain.blockTimeSeconds', blockTimeSeconds, `must be ${needed} with signers`);
  }
  return daOf(signerPlans(plans), portIn(disperser, 'da.disperser'));
}

function daOf(
  signers: readonly SignerPlan[],
  disperser: DaPlan['disperser'],
): Pick<Topology, 'da'> {
  return signers.length === 0 ? {} : { da: { signers, disperser } };
}

function kvPlans(nodes: readonly { readonly port?: number }[]): KvNodePlan[] {
  if (nodes.length > MAX_KV_NODES) {
    throw invalid('kv', nodes.length, `must name at most ${MAX_KV_NODES} nodes`);
  }
  return nodes.map((node, index) => ({ name: `kv-${index}`, ...node }));
}

function signerPlans(signers: readonly { readonly port?: number }[]): SignerPlan[] {
  if (signers.length > MAX_SIGNERS) {
    throw invalid('da.signers', signers.length, `must name at most ${MAX_SIGNERS} signers`);
  }
  return signers.map((signer, index) => ({ name: `signer-${index}`, ...signer }));
}

/** @throws {DevnetError} TOPOLOGY_INVALID; what the disk throws */
export async function readTopology(path: string): Promise<Topology> {
  return parseTopology(await readFile(path, 'utf8'));
}

function storagePlans(
  nodes: readonly { readonly shard: string; readonly mine: boolean; readonly port?: number }[],
  { field, prefix } = { field: 'storage', prefix: 'storage' },
): StorageNodePlan[] {
  if (nodes.length < 1 || nodes.length > MAX_STORAGE_NODES) {
    throw invalid(field, nodes.length, `must name 1 to ${MAX_STORAGE_NODES} nodes`);
  }
  return nodes.map(({ shard, mine, port }, index) => {
    let parsed: ShardConfig;
    try {
      parsed = parseShardText(shard);
    } catch (error) {
      throw invalid(`${field}[${index}].shard`, shard, 'is not a shard such as 0/2', error);
    }
    return {
      name: `${prefix}-${index}`,
      shard: parsed,
      mines: mine,
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
