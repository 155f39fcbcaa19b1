import { fetchTransport, type LocalSigner, type TransactionSender } from '@cairn/chain-access';
import {
  type Address,
  type Clock,
  type HttpTransport,
  type KeyValueStore,
  type Logger,
  memoryKeyValueStore,
  parseAddress,
  type Rng,
  silentLogger,
  systemClock,
  systemRng,
  type WorkerPool,
} from '@cairn/primitives';
import { type Network, networkOf } from '@cairn/wire-protocol';
import type { Client } from './client.ts';
import { badOption, type ClientParts, Connection, sharedHasher } from './connection.ts';
import { type FilesDeps, filesClient } from './files-client.ts';
import { HolderBook } from './holders.ts';
import { AttestedRoots, trustOf } from './kv/attested-roots.ts';
import { NetworkKv } from './kv/kv-client.ts';
import { KvNodeClient } from './kv/kv-node-client.ts';
import type { KvAttestOptions } from './kv/kv-options.ts';
import { ProvenReads } from './kv/proven-reads.ts';
import type { EntryCheck } from './locate-file.ts';
import type { ShardsOptions } from './shards/shard-options.ts';
import { ShardedNetwork } from './shards/sharded-network.ts';

/** Time for a node's answer to begin, unless told. */
const NODE_TIMEOUT_MS = 20_000;

/** How a client reaches its network. Everything left out has a working default. */
export interface ClientOptions {
  /** A named network: its chain id and log contract are checked against nodes and chain. */
  readonly network?: string;
  /** The indexer's address; it tells which nodes there are and who holds a file. */
  readonly indexer?: string;
  /** Storage nodes: written to instead of the indexer's, read from besides them. */
  readonly nodes?: readonly string[];
  /** Key-value nodes, asked in this order until one answers; official ones too. */
  readonly kv?: readonly string[];
  /** Whose word about state roots counts: reads of streams are proven then, unless they say otherwise. */
  readonly kvAttest?: KvAttestOptions;
  /** The chain's JSON-RPC address: needed to pay, and to check file sizes when reading. */
  readonly rpc?: string;
  /** The log contract; what the network or the nodes say unless told. */
  readonly flow?: string;
  /** Signs payments: a signer, or 32 bytes of private key as hex. */
  readonly signer?: LocalSigner | string;
  /** Sends payments instead of `signer`, for programs that have a nonce lane already. */
  readonly sender?: TransactionSender;
  /**
   * What survives a crash: signed payments and hashes of uploads under way. In memory unless told;
   * one process at a time.
   */
  readonly journal?: KeyValueStore;
  /** Threads that run `@cairn/commitments/hash-worker`; hashing happens here unless told. */
  readonly pool?: WorkerPool;
  /** `fetch` unless told. */
  readonly transport?: HttpTransport;
  /** Time for a node's answer to begin; 20,000 unless told. */
  readonly nodeTimeoutMs?: number;
  /**
   * How long a node is not asked that gave what its proof contradicts; an hour unless told. Less for
   * programs that wait for one file however long it takes.
   */
  readonly convictionMs?: number;
  /** Settles what nodes say about log entries, instead of the chain: for programs that have the log. */
  readonly checkEntry?: EntryCheck;
  /**
   * The consensus shards of a network, instead of `network`, `indexer`, `nodes`, `rpc` and `flow` of one chain:
   * files are stored on the shard that is cheapest then, and found on any.
   */
  readonly shards?: ShardsOptions;
  readonly clock?: Clock;
  /** Draws encryption keys: cryptographic outside tests. */
  readonly rng?: Rng;
  readonly logger?: Logger;
}

/**
 * Connects to a network. Nothing is sent before the first call.
 *
 * @throws {SdkError} SDK_OPTION if neither indexer, nodes nor shards are given, or a name is unknown
 */
export function createClient(options: ClientOptions): Client {
  const ownsTransport = options.transport === undefined;
  const parts = partsOf(options);
  const { transport } = parts;
  const hasher = sharedHasher();
  const network = namedNetwork(options.network);
  const flow = options.flow === undefined ? network?.flow : parseAddress(options.flow);
  const { shards } = options;
  const places = shards === undefined ? undefined : shardedNetwork(shards, options, parts, hasher);
  const one: FilesDeps = places ?? openChain(options, { network, flow }, parts, hasher);
  const files = filesClient(one);
  const node = new KvNodeClient(checkedUrls('kv', options.kv ?? []), {
    transport,
    timeoutMs: parts.timeoutMs,
  });
  const proven = provenReads(options, { node, parts, hasher, network, flow });
  // Streams are written where key-value nodes read them: on one chain.
  const writer = places === undefined ? files : filesClient(places.home);
  const { clock, rng } = parts;
  const kv = new NetworkKv({ files: writer, node, clock, rng, proven });
  return {
    files,
    kv,
    async close() {
      kv.close();
      if (ownsTransport) await transport.close();
    },
  };
}

function partsOf(options: ClientOptions): ClientParts {
  const transport = options.transport ?? fetchTransport();
  const clock = options.clock ?? systemClock();
  const logger = options.logger ?? silentLogger();
  const { nodeTimeoutMs: timeoutMs = NODE_TIMEOUT_MS, convictionMs } = options;
  return {
    ...{ transport, timeoutMs, clock, logger },
    journal: options.journal ?? memoryKeyValueStore(),
    pool: options.pool,
    book: new HolderBook({ transport, timeoutMs, clock, logger }, { convictionMs }),
    rng: options.rng ?? systemRng(),
    signer: options.signer,
    sender: options.sender,
    checkEntry: options.checkEntry,
  };
}

function openChain(
  { indexer, nodes = [], rpc }: ClientOptions,
  { network, flow }: { readonly network: Network | undefined; readonly flow: Address | undefined },
  parts: ClientParts,
  hasher: ReturnType<typeof sharedHasher>,
): Connection {
  checkedUrls('nodes', [...nodes, ...(indexer === undefined ? [] : [indexer])]);
  const { chainId } = network ?? {};
  const name = network === undefined ? undefined : `the network ${network.name}`;
  return new Connection(
    { nodes, indexer, rpc, chainId, flow, name, shard: undefined },
    parts,
    hasher,
  );
}

/** What is said of one chain means nothing for several. */
function shardedNetwork(
  shards: ShardsOptions,
  options: ClientOptions,
  parts: ClientParts,
  hasher: ReturnType<typeof sharedHasher>,
): ShardedNetwork {
  const single = ['network', 'indexer', 'nodes', 'rpc', 'flow', 'sender', 'checkEntry'] as const;
  const given = single.find((name) => options[name] !== undefined);
  if (given !== undefined) {
    throw badOption(given, `${given} is of one chain: leave it out, or leave shards out`);
  }
  return new ShardedNetwork(shards, parts, hasher);
}

function namedNetwork(name: string | undefined): Network | undefined {
  if (name === undefined) return undefined;
  const network = networkOf(name);
  if (network !== undefined) return network;
  throw badOption('network', `there is no network called ${JSON.stringify(name)}`);
}

function checkedUrls(option: string, urls: readonly string[]): readonly string[] {
  const wrong = urls.find((url) => !URL.canParse(url));
  if (wrong !== undefined) throw badOption(option, `${JSON.stringify(wrong)} is no address`);
  return urls;
}

function provenReads(
  { kvAttest, shards }: ClientOptions,
  {
    node,
    parts,
    hasher,
    network,
    flow,
  }: {
    readonly node: KvNodeClient;
    readonly parts: ClientParts;
    readonly hasher: ReturnType<typeof sharedHasher>;
    readonly network: Network | undefined;
    readonly flow: Address | undefined;
  },
): ProvenReads | undefined {
  if (kvAttest === undefined) return undefined;
  const home = shards?.places[0];
  const { clock, logger } = parts;
  const roots = new AttestedRoots({
    ...{ node, clock, trust: trustOf(kvAttest) },
    flow: home?.flow === undefined ? flow : parseAddress(home.flow),
    chainId: home === undefined ? network?.chainId : home.chainId,
    onContradiction: (evidence) => {
      const { left, right } = evidence;
      const facts = { stream: left.statement.stream, signers: [left.signer, right.signer] };
      logger.warn(facts, 'key-value nodes contradict each other about a state root');
      kvAttest.onContradiction?.(evidence);
    },
  });
  return new ProvenReads({ node, roots, hasher });
}
