import {
  type ChainClient,
  createChainClient,
  createTransactionSender,
  fetchTransport,
  type LocalSigner,
  openFlow,
  signerFromKey,
  type TransactionSender,
} from '@cairn/chain-access';
import { type Hasher, loadHasher } from '@cairn/commitments';
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
import { chainPayer } from './chain-payer.ts';
import { chainEntryCheck } from './check-entry.ts';
import type { Client } from './client.ts';
import type { DownloadDeps } from './download-file.ts';
import type { EconomicsDeps } from './economics.ts';
import { SdkError } from './errors.ts';
import { exclusiveSender, isExclusive } from './exclusive-sender.ts';
import { filesClient } from './files-client.ts';
import { type Answers, failureOf, type Holder, HolderBook } from './holders.ts';
import { type IndexerClient, indexerClient } from './indexer-client.ts';
import { AttestedRoots, trustOf } from './kv/attested-roots.ts';
import { NetworkKv } from './kv/kv-client.ts';
import type { KvLaneDeps } from './kv/kv-lane.ts';
import { KvNodeClient } from './kv/kv-node-client.ts';
import type { KvAttestOptions } from './kv/kv-options.ts';
import type { KvReaderDeps } from './kv/kv-reader.ts';
import { ProvenReads } from './kv/proven-reads.ts';
import type { EntryCheck } from './locate-file.ts';
import type { Payer } from './payer.ts';
import type { ProveDeps } from './prove-availability.ts';
import type { PutDeps } from './put-file.ts';
import { uploadJournal } from './upload-journal.ts';

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
  readonly clock?: Clock;
  /** Draws encryption keys: cryptographic outside tests. */
  readonly rng?: Rng;
  readonly logger?: Logger;
}

/**
 * Connects to a network. Nothing is sent before the first call.
 *
 * @throws {SdkError} SDK_OPTION if neither indexer nor nodes are given, or a name is unknown
 */
export function createClient(options: ClientOptions): Client {
  const connection = new Connection(options);
  const files = filesClient({
    upload: () => connection.upload(),
    download: (call) => connection.download(call),
    pricing: (call) => connection.pricing(call),
    proving: (call) => connection.proving(call),
    economics: (call) => connection.economics(call),
  });
  const kv = new NetworkKv({ files, ...connection.kv() });
  return {
    files,
    kv,
    async close() {
      kv.close();
      await connection.close();
    },
  };
}

interface Call {
  readonly signal: AbortSignal;
}

/** What a client keeps between calls. */
class Connection {
  readonly #options: ClientOptions;
  readonly #network: Network | undefined;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #logger: Logger;
  readonly #transport: HttpTransport;
  readonly #ownsTransport: boolean;
  readonly #journal: KeyValueStore;
  readonly #book: HolderBook;
  readonly #nodes: readonly string[];
  readonly #indexer: IndexerClient | undefined;
  readonly #chain: ChainClient | undefined;
  #hasher: Promise<Hasher> | undefined;
  #sender: TransactionSender | undefined;
  readonly #payers = new Map<Address, Payer>();

  constructor(options: ClientOptions) {
    const {
      indexer,
      nodes = [],
      rpc,
      network,
      nodeTimeoutMs: timeoutMs = NODE_TIMEOUT_MS,
    } = options;
    this.#options = options;
    this.#network = network === undefined ? undefined : networkOf(network);
    if (network !== undefined && this.#network === undefined) {
      throw badOption('network', `there is no network called ${JSON.stringify(network)}`);
    }
    const { kv = [] } = options;
    for (const url of [...nodes, ...kv, ...(indexer === undefined ? [] : [indexer])]) {
      if (!URL.canParse(url)) throw badOption('nodes', `${JSON.stringify(url)} is no address`);
    }
    this.#clock = options.clock ?? systemClock();
    this.#rng = options.rng ?? systemRng();
    this.#logger = options.logger ?? silentLogger();
    this.#ownsTransport = options.transport === undefined;
    this.#transport = options.transport ?? fetchTransport();
    this.#journal = options.journal ?? memoryKeyValueStore();
    const deps = { transport: this.#transport, timeoutMs };
    this.#book = new HolderBook(
      { ...deps, clock: this.#clock, logger: this.#logger },
      { convictionMs: options.convictionMs },
    );
    this.#nodes = nodes.map((url) => url.replace(/\/+$/, ''));
    this.#indexer = indexer === undefined ? undefined : indexerClient(indexer, deps);
    this.#chain =
      rpc === undefined
        ? undefined
        : createChainClient({ rpcUrl: rpc, clock: this.#clock, transport: this.#transport });
  }

  kv(): Pick<KvLaneDeps, 'node' | 'clock' | 'rng'> & KvReaderDeps {
    const { kv = [], nodeTimeoutMs: timeoutMs = NODE_TIMEOUT_MS } = this.#options;
    const node = new KvNodeClient(kv, { transport: this.#transport, timeoutMs });
    const proven = this.#provenReads(node);
    return { node, clock: this.#clock, rng: this.#rng, proven };
  }

  #provenReads(node: KvNodeClient): ProvenReads | undefined {
    const { kvAttest } = this.#options;
    if (kvAttest === undefined) return undefined;
    const roots = new AttestedRoots({
      node,
      clock: this.#clock,
      trust: trustOf(kvAttest),
      flow: this.#knownFlow(),
      chainId: this.#network?.chainId,
      onContradiction: (evidence) => {
        const { left, right } = evidence;
        const facts = { stream: left.statement.stream, signers: [left.signer, right.signer] };
        this.#logger.warn(facts, 'key-value nodes contradict each other about a state root');
        kvAttest.onContradiction?.(evidence);
      },
    });
    return new ProvenReads({ node, roots, hasher: () => this.#loadHasher() });
  }

  async upload(): Promise<PutDeps> {
    const { pool } = this.#options;
    return {
      hasher: await this.#loadHasher(),
      ...(pool === undefined ? {} : { pool }),
      book: this.#book,
      writableHolders: (call) => this.#writableHolders(call),
      isFlowKnown: this.#knownFlow() !== undefined,
      payer: (flow, call) => this.#payer(flow, call),
      entryCheck: (flow) => this.#entryCheck(flow),
      clock: this.#clock,
      rng: this.#rng,
      logger: this.#logger,
      journal: uploadJournal(this.#journal),
    };
  }

  async download(_call: Call): Promise<DownloadDeps> {
    this.#assertNodes();
    const flow = this.#knownFlow();
    return {
      book: this.#book,
      nodes: this.#nodes,
      indexer: this.#indexer,
      hasher: await this.#loadHasher(),
      checkEntry:
        this.#options.checkEntry ?? (flow === undefined ? undefined : this.#entryCheck(flow)),
      clock: this.#clock,
      logger: this.#logger,
    };
  }

  async proving(call: Call): Promise<ProveDeps> {
    return { ...(await this.download(call)), rng: this.#rng };
  }

  async economics(call: Call): Promise<EconomicsDeps> {
    const chain = this.#chain;
    if (chain === undefined) throw badOption('rpc', 'fees are on the chain: give its rpc');
    const sender = async () => {
      this.#sender ??= this.#openSender(chain, await chain.chainId(call));
      return this.#sender;
    };
    return { ...(await this.download(call)), chain, flow: this.#knownFlow(), sender };
  }

  async pricing(call: Call): Promise<Payer> {
    const flow = this.#knownFlow() ?? (await this.#flowOfNodes(call));
    const payer = await this.#payer(flow, call);
    if (payer === undefined) throw badOption('rpc', 'prices come from the chain: give its rpc');
    return payer;
  }

  async close(): Promise<void> {
    if (this.#ownsTransport) await this.#transport.close();
  }

  async #loadHasher(): Promise<Hasher> {
    this.#hasher ??= loadHasher();
    return this.#hasher;
  }

  /** The nodes to write to: those given, or else the indexer's. */
  async #writableHolders({ signal }: Call): Promise<Answers<Holder>> {
    this.#assertNodes();
    const found = await this.#describeNodes({ signal });
    const chainId = this.#network?.chainId;
    const holders = found.answers.filter(
      (node) => chainId === undefined || node.chainId === chainId,
    );
    const [stranger] = found.answers;
    if (holders.length > 0 || stranger === undefined) return { ...found, answers: holders };
    const actual = String(stranger.chainId);
    throw new SdkError(
      { code: 'SDK_WRONG_NETWORK', what: stranger.url, expected: String(chainId), actual },
      `${stranger.url} serves chain ${actual}; the network ${this.#network?.name} is chain ${chainId}`,
    );
  }

  async #describeNodes({ signal }: Call): Promise<Answers<Holder>> {
    if (this.#nodes.length > 0 || this.#indexer === undefined) {
      return this.#book.describe(this.#nodes, { signal });
    }
    try {
      const listed = await this.#indexer.nodes({ signal });
      return await this.#book.describe(
        listed.map(({ url }) => url),
        { signal },
      );
    } catch (error) {
      if (signal.aborted) throw error;
      return { answers: [], failures: [failureOf(this.#indexer.url, error)] };
    }
  }

  async #flowOfNodes(call: Call): Promise<Address> {
    const { answers } = await this.#writableHolders(call);
    const flow = answers[0]?.flow;
    if (flow === undefined) throw badOption('flow', 'no node answered to say which log contract');
    return flow;
  }

  #knownFlow(): Address | undefined {
    const { flow } = this.#options;
    return flow === undefined ? this.#network?.flow : parseAddress(flow);
  }

  async #payer(flowOfNodes: Address, { signal }: Call): Promise<Payer | undefined> {
    const client = this.#chain;
    if (client === undefined) return undefined;
    const address = this.#knownFlow() ?? flowOfNodes;
    let payer = this.#payers.get(address);
    if (payer === undefined) {
      const expected = this.#network?.chainId;
      const flow = await openFlow({
        client,
        flow: address,
        ...(expected === undefined ? {} : { chainId: expected }),
        signal,
      });
      this.#sender ??= this.#openSender(client, flow.chainId);
      payer = chainPayer(client, flow, this.#sender);
      this.#payers.set(address, payer);
    }
    return payer;
  }

  #entryCheck(flow: Address): EntryCheck | undefined {
    const { checkEntry } = this.#options;
    return checkEntry ?? (this.#chain && chainEntryCheck(this.#chain, flow, this.#logger));
  }

  #openSender(client: ChainClient, chainId: Payer['chainId']): TransactionSender | undefined {
    const { sender, signer: given } = this.#options;
    if (sender !== undefined) return sender;
    if (given === undefined) return undefined;
    const signer = typeof given === 'string' ? signerFromKey(given) : given;
    const journal = this.#journal;
    const open = (): TransactionSender =>
      createTransactionSender({ client, signer, journal, chainId, logger: this.#logger });
    return isExclusive(journal) ? exclusiveSender(journal, open) : open();
  }

  #assertNodes(): void {
    if (this.#nodes.length > 0 || this.#indexer !== undefined) return;
    throw badOption('indexer', 'give an indexer, or nodes: without them there is no network');
  }
}

function badOption(option: string, message: string): SdkError {
  return new SdkError({ code: 'SDK_OPTION', option }, message);
}
