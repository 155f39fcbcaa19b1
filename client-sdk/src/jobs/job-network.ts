import {
  type ChainClient,
  createChainClient,
  createTransactionSender,
  type LocalSigner,
  type TransactionSender,
} from '@cairn/chain-access';
import { type Contract, finalBlock, openHub } from '@cairn/chain-access/da';
import {
  type JobCaller,
  jobBoardAt,
  type Ordering,
  openOrdering,
  type ProveFileDeps,
  readShard,
  type Shard,
  ShardBook,
  ShardError,
} from '@cairn/chain-access/shards';
import {
  type Address,
  type ChainId,
  type Clock,
  memoryKeyValueStore,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import type { ChainEndpoint, Endpoints } from '@cairn/wire-protocol';
import type { Client } from '../client.ts';
import { type ClientOptions, createClient } from '../create-client.ts';
import { type ExclusiveJournal, exclusiveSender } from '../exclusive-sender.ts';
import { JobError } from './errors.ts';

/** Which network, and who acts on it. */
export interface JobNetworkOptions {
  /** The hub is the chain that names a `sortition`; its `jobBoard` is the board. */
  readonly endpoints: Endpoints;
  /** Another board of the hub. */
  readonly board?: Address;
  /** `blstBackend()` of `@cairn/attestation/native`, or `nobleBackend()`. */
  readonly backend: ProveFileDeps['backend'];
  /** Who posts, takes and stores; nobody unless told, and then the network is read only. */
  readonly signer?: LocalSigner;
  /** What survives a crash: signed payments, uploads under way. In memory unless told. */
  readonly journal?: ExclusiveJournal;
  /** `createClient` of the entry that is used, for its threads and connections; the browser's unless told. */
  readonly connect?: (options: ClientOptions) => Client;
  readonly clock?: Clock;
  /** Time between looks at a transaction under way; 500 unless told. */
  readonly pollMs?: number;
}

interface Waiting {
  readonly signal: AbortSignal;
}

/** A network with a board of jobs: the hub and its order, the chains whose files are cited, and who acts. Close it. */
export class JobNetwork {
  readonly ordering: Ordering;
  readonly board: Contract;
  readonly clock: Clock;
  /** The account that acts; `undefined` where there is none. */
  readonly account: Address | undefined;
  readonly #options: JobNetworkOptions;
  readonly #sender: TransactionSender | undefined;
  readonly #book: ShardBook;
  readonly #chains = new Map<ChainId, ChainClient>();
  readonly #clients = new Map<ChainId, Client>();

  constructor(
    { ordering, board }: { readonly ordering: Ordering; readonly board: Contract },
    options: JobNetworkOptions,
  ) {
    this.ordering = ordering;
    this.board = board;
    this.clock = options.clock ?? systemClock();
    this.account = options.signer?.address;
    this.#options = options;
    this.#sender = senderOn(ordering.hub, options);
    this.#book = new ShardBook(ordering);
    this.#chains.set(ordering.hub.chainId, ordering.hub.client);
  }

  /** The hub's chain. */
  get hub(): ChainClient {
    return this.ordering.hub.client;
  }

  /** Chains of the network's endpoints, the first one first. */
  get chainIds(): readonly ChainId[] {
    return this.#options.endpoints.chains.map(({ chainId }) => chainId);
  }

  /** Who pays for calls to the board and the order. @throws {JobError} JOB_NO_SIGNER */
  caller(): JobCaller & { readonly ordering: Ordering } {
    const { board, ordering } = this;
    if (this.#sender !== undefined) return { board, ordering, sender: this.#sender };
    throw new JobError({ code: 'JOB_NO_SIGNER' }, 'nobody signs: the network was opened to read');
  }

  /** The newest time that a block of the hub says, unix seconds: what deadlines are compared with. @throws {ChainError} */
  async nowSeconds({ signal }: Waiting): Promise<number> {
    return (await this.hub.getBlock('latest', { signal }))?.timestamp ?? 0;
  }

  /** The shard whose log is that of a chain. @throws {JobError} JOB_NO_CHAIN; what the client throws */
  async shardOf(chainId: ChainId, { signal }: Waiting): Promise<Shard> {
    const shards = await this.#book.shards({ signal });
    const found = shards.find(
      (shard) => shard.chainId === chainId && shard.shardId !== 0 && shard.flow !== undefined,
    );
    if (found !== undefined) return found;
    throw noChain(chainId, `the order has no log of chain ${chainId}`);
  }

  /**
   * What proving files of a chain takes.
   *
   * @throws {JobError} JOB_NO_CHAIN; {ShardError} SHARD_OTHER_CHAIN; what the client throws
   */
  async proverOf(chainId: ChainId, { signal }: Waiting): Promise<ProveFileDeps> {
    const shard = await this.shardOf(chainId, { signal });
    const known = this.#chains.get(chainId);
    const { ordering } = this;
    const { backend } = this.#options;
    if (known !== undefined) return { ordering, shard, client: known, backend };
    const client = createChainClient({ rpcUrl: this.#endpointOf(chainId).rpc, clock: this.clock });
    const actual = await client.chainId({ signal });
    if (actual !== chainId) {
      await client.close();
      const { shardId } = shard;
      throw new ShardError(
        { code: 'SHARD_OTHER_CHAIN', shardId, expected: chainId, actual },
        `shard ${shardId} is chain ${chainId}, and the endpoint serves chain ${actual}`,
      );
    }
    this.#chains.set(chainId, client);
    return { ordering, shard, client, backend };
  }

  /** Files of a chain, from the nodes that the endpoints list for it. @throws {JobError} JOB_NO_CHAIN; {SdkError} SDK_OPTION */
  clientOf(chainId: ChainId): Client {
    const known = this.#clients.get(chainId);
    if (known !== undefined) return known;
    const { endpoints, signer, journal, connect = createClient } = this.#options;
    const { name, rpc, contracts } = this.#endpointOf(chainId);
    // The indexer knows nodes of the first chain only.
    const indexer = name === endpoints.chains[0]?.name ? endpoints.indexer : undefined;
    const nodes = endpoints.storage.filter((node) => node.chain === name).map((node) => node.rpc);
    const flow = contracts['flow'];
    const client = connect({
      ...(indexer === undefined ? { nodes } : { indexer }),
      rpc,
      ...(flow === undefined ? {} : { flow }),
      ...(signer === undefined ? {} : { signer }),
      ...(journal === undefined ? {} : { journal }),
      clock: this.clock,
    });
    this.#clients.set(chainId, client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close();
    for (const chain of this.#chains.values()) await chain.close();
  }

  #endpointOf(chainId: ChainId): ChainEndpoint {
    const found = this.#options.endpoints.chains.find((chain) => chain.chainId === chainId);
    if (found !== undefined) return found;
    throw noChain(chainId, `the network's endpoints name no chain ${chainId}`);
  }
}

/**
 * Opens a network's board of jobs.
 *
 * @throws {JobError} JOB_NO_BOARD; as `openHub` and `openOrdering`
 */
export async function openJobNetwork(
  options: JobNetworkOptions,
  { signal }: Waiting,
): Promise<JobNetwork> {
  const { endpoints, clock = systemClock() } = options;
  const chain = endpoints.chains.find(({ contracts }) => contracts['sortition'] !== undefined);
  const sortition = chain?.contracts['sortition'];
  if (chain === undefined || sortition === undefined) throw noBoard('a hub');
  const address = options.board ?? chain.contracts['jobBoard'];
  const client = createChainClient({ rpcUrl: chain.rpc, clock });
  try {
    const hub = await openHub({ client, sortition, finality: 'tag' }, { signal });
    const ordering = await openOrdering(hub, { signal });
    if (ordering === undefined) throw noBoard('an order of checkpoints');
    if (address === undefined) throw noBoard('a board of jobs');
    // The hub's blocks are final as the registry says of shard 0.
    const { finality } = await readShard(ordering, 0, { signal });
    const final = (within: Waiting): Promise<number> => finalBlock(client, finality, within);
    const settled = { ...ordering, hub: { ...hub, finalBlock: final } };
    return new JobNetwork({ ordering: settled, board: jobBoardAt(client, address) }, options);
  } catch (error) {
    await client.close();
    throw error;
  }
}

function senderOn(
  { client, chainId }: Ordering['hub'],
  { signer, journal, pollMs }: JobNetworkOptions,
): TransactionSender | undefined {
  if (signer === undefined) return undefined;
  const open = (): TransactionSender =>
    createTransactionSender({
      ...{ client, signer, chainId, logger: silentLogger() },
      journal: journal ?? memoryKeyValueStore(),
      ...(pollMs === undefined ? {} : { pollMs }),
    });
  return journal === undefined ? open() : exclusiveSender(journal, open);
}

function noBoard(missing: string): JobError {
  return new JobError({ code: 'JOB_NO_BOARD', missing }, `the network does not name ${missing}`);
}

function noChain(chainId: ChainId, text: string): JobError {
  return new JobError({ code: 'JOB_NO_CHAIN', chainId, missing: text }, text);
}
