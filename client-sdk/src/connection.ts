import {
  type ChainClient,
  createChainClient,
  createTransactionSender,
  type FlowContract,
  type LocalSigner,
  openFlow,
  signerFromKey,
  type TransactionSender,
} from '@cairn/chain-access';
import { type Hasher, loadHasher } from '@cairn/commitments';
import type {
  Address,
  ChainId,
  Clock,
  HttpTransport,
  KeyValueStore,
  Logger,
  Rng,
  WorkerPool,
} from '@cairn/primitives';
import { chainPayer } from './chain-payer.ts';
import { chainEntryCheck } from './check-entry.ts';
import type { DownloadDeps } from './download-file.ts';
import type { EconomicsDeps, FeesPlace } from './economics.ts';
import { SdkError } from './errors.ts';
import { exclusiveSender, isExclusive } from './exclusive-sender.ts';
import type { FilesDeps, PricedFiles, PriceRequest } from './files-client.ts';
import { type Answers, failureOf, type Holder, type HolderBook } from './holders.ts';
import { type IndexerClient, indexerClient } from './indexer-client.ts';
import { type EntryCheck, type FileLocator, locateFile } from './locate-file.ts';
import type { Payer } from './payer.ts';
import type { ProveDeps } from './prove-availability.ts';
import type { Destination, PutDeps } from './put-file.ts';
import { uploadJournal } from './upload-journal.ts';
import { openUploadNetwork, type UploadNetwork } from './upload-network.ts';

/** What all connections of a client share. */
export interface ClientParts {
  readonly transport: HttpTransport;
  /** Time for a node's answer to begin. */
  readonly timeoutMs: number;
  readonly journal: KeyValueStore;
  readonly pool: WorkerPool | undefined;
  readonly book: HolderBook;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly signer: LocalSigner | string | undefined;
  readonly sender: TransactionSender | undefined;
  readonly checkEntry: EntryCheck | undefined;
}

/** Where one chain's log is reached. */
export interface ChainPlace {
  readonly nodes: readonly string[];
  readonly indexer: string | undefined;
  readonly rpc: string | undefined;
  /** What nodes and the chain must say they are; whatever they say unless told. */
  readonly chainId: ChainId | undefined;
  readonly flow: Address | undefined;
  /** The network in messages. */
  readonly name: string | undefined;
  /** The consensus shard, where the client knows of several: then only what is in its log counts. */
  readonly shard: number | undefined;
}

interface Call {
  readonly signal: AbortSignal;
}

/** The log of one chain: its nodes, its contract, and who pays there. Keeps what it learns between calls. */
export class Connection implements FilesDeps {
  readonly #place: ChainPlace;
  readonly #parts: ClientParts;
  readonly #nodes: readonly string[];
  readonly #indexer: IndexerClient | undefined;
  readonly #chain: ChainClient | undefined;
  readonly #hasher: () => Promise<Hasher>;
  readonly #payers = new Map<Address, { readonly payer: Payer; readonly contract: FlowContract }>();
  #sender: TransactionSender | undefined;

  constructor(place: ChainPlace, parts: ClientParts, hasher: () => Promise<Hasher>) {
    this.#place = place;
    this.#parts = parts;
    this.#hasher = hasher;
    const { nodes, indexer, rpc } = place;
    const { transport, timeoutMs, clock } = parts;
    this.#nodes = nodes.map((url) => url.replace(/\/+$/, ''));
    this.#indexer =
      indexer === undefined ? undefined : indexerClient(indexer, { transport, timeoutMs });
    this.#chain =
      rpc === undefined ? undefined : createChainClient({ rpcUrl: rpc, clock, transport });
  }

  async upload(): Promise<PutDeps> {
    const { pool, book, clock, rng, logger, journal } = this.#parts;
    return {
      hasher: await this.#hasher(),
      ...(pool === undefined ? {} : { pool }),
      ...{ book, clock, rng, logger, journal: uploadJournal(journal) },
      openDestination: (request) => this.openDestination(request),
    };
  }

  async openDestination(
    request: { readonly replicas: number; readonly shard?: number | undefined } & Call,
  ): Promise<Destination> {
    this.#assertNoOtherShard(request.shard);
    const network = await this.openNetwork(request);
    return {
      name: `${network.chainId} ${network.flow}`,
      settle: async () => network,
      done: async () => undefined,
    };
  }

  /** Asks nodes and chain what they are. @throws as `openUploadNetwork` */
  async openNetwork({
    replicas,
    signal,
  }: { readonly replicas: number } & Call): Promise<UploadNetwork> {
    const network = await openUploadNetwork(
      replicas,
      {
        writableHolders: (call) => this.#writableHolders(call),
        isFlowKnown: this.#place.flow !== undefined,
        payer: (flow, call) => this.#payer(flow, call),
        entryCheck: (flow) => this.#entryCheck(flow),
        rng: this.#parts.rng,
      },
      { signal },
    );
    const { shard } = this.#place;
    return shard === undefined ? network : { ...network, shard };
  }

  readonly locate: FileLocator = async (reference, { signal, nodes = [] }) => {
    this.#assertNodes();
    this.#assertNoOtherShard(reference.shard);
    const { flow, chainId, shard } = this.#place;
    const { book, logger, checkEntry } = this.#parts;
    return locateFile(
      reference,
      {
        book,
        logger,
        nodes: [...this.#nodes, ...nodes],
        indexer: this.#indexer,
        hasher: await this.#hasher(),
        checkEntry: checkEntry ?? (flow === undefined ? undefined : this.#entryCheck(flow)),
        ...(shard === undefined ? {} : { log: { shard, chainId, flow } }),
      },
      { signal },
    );
  };

  async download(_call: Call): Promise<DownloadDeps & ProveDeps> {
    const { book, clock, rng } = this.#parts;
    return { book, clock, rng, hasher: await this.#hasher(), locate: this.locate };
  }

  proving(call: Call): Promise<ProveDeps> {
    return this.download(call);
  }

  async economics(call: Call): Promise<EconomicsDeps> {
    if (this.#chain === undefined) throw noFees();
    return { ...(await this.download(call)), feesOf: () => this.fees(call) };
  }

  /** Where fees of the log are paid. @throws {SdkError} SDK_OPTION without a chain */
  async fees(call: Call): Promise<FeesPlace> {
    const chain = this.#chain;
    if (chain === undefined) throw noFees();
    const sender = async () => {
      this.#sender ??= this.#openSender(chain, await chain.chainId(call));
      return this.#sender;
    };
    return { chain, flow: this.#place.flow, sender };
  }

  async price(
    files: PriceRequest['files'],
    request: Omit<PriceRequest, 'files'>,
  ): Promise<PricedFiles> {
    this.#assertNoOtherShard(request.shard);
    const { signal } = request;
    const flow = this.#place.flow ?? (await this.#flowOfNodes({ signal }));
    const payer = await this.#payer(flow, { signal });
    if (payer === undefined) throw badOption('rpc', 'prices come from the chain: give its rpc');
    return { price: await payer.price(files, { signal }) };
  }

  /** The log contract of a place whose contract is known. @throws {SdkError} SDK_OPTION without a chain; as `openFlow` */
  async contract({ signal }: Call): Promise<FlowContract> {
    const { flow } = this.#place;
    if (this.#chain === undefined || flow === undefined) {
      throw badOption('rpc', 'prices come from the chain: give its rpc');
    }
    return (await this.#opened(this.#chain, flow, signal)).contract;
  }

  /** The nodes to write to: those given, or else the indexer's. */
  async #writableHolders({ signal }: Call): Promise<Answers<Holder>> {
    this.#assertNodes();
    const found = await this.#describeNodes({ signal });
    const { chainId, name } = this.#place;
    const holders = found.answers.filter(
      (node) => chainId === undefined || node.chainId === chainId,
    );
    const [stranger] = found.answers;
    if (holders.length > 0 || stranger === undefined) return { ...found, answers: holders };
    const actual = String(stranger.chainId);
    throw new SdkError(
      { code: 'SDK_WRONG_NETWORK', what: stranger.url, expected: String(chainId), actual },
      `${stranger.url} serves chain ${actual}; ${name} is chain ${chainId}`,
    );
  }

  async #describeNodes({ signal }: Call): Promise<Answers<Holder>> {
    const { book } = this.#parts;
    if (this.#nodes.length > 0 || this.#indexer === undefined) {
      return book.describe(this.#nodes, { signal });
    }
    try {
      const listed = await this.#indexer.nodes({ signal });
      return await book.describe(
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

  async #payer(flowOfNodes: Address, { signal }: Call): Promise<Payer | undefined> {
    if (this.#chain === undefined) return undefined;
    return (await this.#opened(this.#chain, this.#place.flow ?? flowOfNodes, signal)).payer;
  }

  async #opened(
    client: ChainClient,
    address: Address,
    signal: AbortSignal,
  ): Promise<{ readonly payer: Payer; readonly contract: FlowContract }> {
    let opened = this.#payers.get(address);
    if (opened === undefined) {
      const expected = this.#place.chainId;
      const contract = await openFlow({
        client,
        flow: address,
        ...(expected === undefined ? {} : { chainId: expected }),
        signal,
      });
      this.#sender ??= this.#openSender(client, contract.chainId);
      opened = { contract, payer: chainPayer(client, contract, this.#sender) };
      this.#payers.set(address, opened);
    }
    return opened;
  }

  #entryCheck(flow: Address): EntryCheck | undefined {
    const { checkEntry, logger } = this.#parts;
    return checkEntry ?? (this.#chain && chainEntryCheck(this.#chain, flow, logger));
  }

  #openSender(client: ChainClient, chainId: ChainId): TransactionSender | undefined {
    const { sender, signer: given, journal, logger } = this.#parts;
    if (sender !== undefined) return sender;
    if (given === undefined) return undefined;
    const signer = typeof given === 'string' ? signerFromKey(given) : given;
    const open = (): TransactionSender =>
      createTransactionSender({ client, signer, journal, chainId, logger });
    return isExclusive(journal) ? exclusiveSender(journal, open) : open();
  }

  #assertNodes(): void {
    if (this.#nodes.length > 0 || this.#indexer !== undefined) return;
    throw badOption('indexer', 'give an indexer, or nodes: without them there is no network');
  }

  #assertNoOtherShard(asked: number | undefined): void {
    if (asked === undefined || asked === this.#place.shard) return;
    throw badOption(
      'shard',
      `shard ${asked} was asked for, and this client knows one chain: give shards`,
    );
  }
}

/** Loads hash kernels once for all connections of a client. */
export function sharedHasher(): () => Promise<Hasher> {
  let hasher: Promise<Hasher> | undefined;
  return () => {
    hasher ??= loadHasher();
    return hasher;
  };
}

/** An option that is missing, or means nothing here. */
export function badOption(option: string, message: string): SdkError {
  return new SdkError({ code: 'SDK_OPTION', option }, message);
}

function noFees(): SdkError {
  return badOption('rpc', 'fees are on the chain: give its rpc');
}
