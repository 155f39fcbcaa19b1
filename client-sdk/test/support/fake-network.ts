import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  FlowTree,
  type Hasher,
  loadHasher,
  segmentsOf,
  type VerifiedSegment,
  verifySegment,
} from '@cairn/commitments';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type ChainId,
  chainIdOf,
  concatBytes,
  type HttpTransport,
  memoryKeyValueStore,
  parseAddress,
  parseRoot,
  rootBytes,
  seededRng,
  sequenceOf,
  silentLogger,
  stringifyJson,
  systemClock,
  toHex,
} from '@cairn/primitives';
import {
  countOwnedSegments,
  decodeBase64,
  encodeBase64,
  encodeSegmentMessage,
  firstGlobalSegment,
  ownedSegments,
  ownsSegment,
  parseSegmentMessage,
  parseZgSegment,
  type ShardConfig,
  segmentProofOf,
  zgProofOf,
} from '@cairn/wire-protocol';
import type { FilesClient } from '../../src/client.ts';
import { filesClient } from '../../src/files-client.ts';
import { HolderBook } from '../../src/holders.ts';
import { indexerClient } from '../../src/indexer-client.ts';
import { type EntryCheck, type FileLocator, locateFile } from '../../src/locate-file.ts';
import type { PayableFile, Payer } from '../../src/payer.ts';
import type { PutDeps } from '../../src/put-file.ts';
import { uploadJournal } from '../../src/upload-journal.ts';
import { openUploadNetwork } from '../../src/upload-network.ts';

const FLOW = parseAddress('0x00000000000000000000000000000000000000f1');
export const CHAIN: ChainId = chainIdOf(31_337);

/** A log entry of the fake chain. */
export interface FakeEntry {
  readonly sequence: number;
  readonly root: string;
  readonly sizeBytes: number;
  readonly startSector: number;
  readonly paddedSectors: number;
  readonly nodes: PayableFile['nodes'];
  readonly tags: Uint8Array;
}

/** What a fake node does besides behaving. */
export interface FakeNodeOptions {
  readonly kind?: 'cairn' | 'zg';
  readonly shard?: ShardConfig;
  /** Changes a segment's bytes before it is given out. */
  readonly lie?: (data: Uint8Array, index: number) => Uint8Array;
  /** Wait before each segment is given out. */
  readonly delayMs?: number;
  /** Segments it says it does not have. */
  readonly missing?: ReadonlySet<number>;
  /** Times it answers that it is busy before it takes a segment. */
  readonly busyTimes?: number;
  /** Size it claims for every file. */
  readonly claimBytes?: number;
  /** The place it names when it is asked for a file's entries by root. */
  readonly claimEntry?: { readonly sequence: number; readonly sizeBytes: number };
  /** The place it names for every file. */
  readonly claimSequence?: number;
  /** Stops answering after so many stored segments. */
  readonly dieAfter?: number;
  /** Status reads until it knows a new entry. */
  readonly lagReads?: number;
}

/** A storage node in the test's own process that speaks the wire's shapes over real HTTP. */
export class FakeNode {
  readonly options: Required<Pick<FakeNodeOptions, 'kind' | 'shard'>> & FakeNodeOptions;
  readonly segments = new Map<string, VerifiedSegment>();
  readonly sent: number[] = [];
  readonly served: number[] = [];
  /** Segments that were brought to it, whether it took them or not. */
  offered = 0;
  /** Segments of each reply that could hold several. */
  readonly runs: number[] = [];
  /** Such replies that it will break off in the middle. */
  breakRuns = 0;
  readonly #network: FakeNetwork;
  readonly #server: Server;
  #busyLeft: number;
  /** Questions about entries that it will answer as if it knew none. */
  lagLeft: number;
  url = '';
  maxAtOnce = 0;
  #atOnce = 0;

  constructor(network: FakeNetwork, options: FakeNodeOptions) {
    this.options = { kind: 'cairn', shard: { id: 0, count: 1 }, ...options };
    this.#network = network;
    this.#busyLeft = options.busyTimes ?? 0;
    this.lagLeft = options.lagReads ?? 0;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  entry(root: string): FakeEntry | undefined {
    return this.#network.entries.find((entry) => entry.root === root);
  }

  isFinal(entry: FakeEntry): boolean {
    const { shard } = this.options;
    for (const index of ownedSegments(shard, entry.startSector, entry.sizeBytes)) {
      if (!this.segments.has(`${entry.root} ${index}`)) return false;
    }
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#atOnce += 1;
    this.maxAtOnce = Math.max(this.maxAtOnce, this.#atOnce);
    try {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part as Uint8Array);
      const body = Buffer.concat(parts);
      const path = request.url ?? '/';
      if (request.method === 'POST') return await this.#rpc(body, response);
      if (this.options.kind === 'zg') return void response.writeHead(405).end();
      if (path === '/v1/status') return this.#json(response, this.#status());
      const segment = /^\/v1\/segments\/(0x[0-9a-f]{64})\/(\d+)/.exec(path);
      if (segment?.[1] !== undefined && request.method === 'PUT') return this.#put(body, response);
      if (segment?.[1] !== undefined) {
        const count = /[?&]count=(\d+)/.exec(path)?.[1] ?? 1;
        return await this.#get(segment[1], Number(segment[2]), Number(count), response);
      }
      const held = /^\/v1\/entries\/(0x[0-9a-f]{64})\/held/.exec(path);
      if (held?.[1] !== undefined) return await this.#held(held[1], response);
      const stat = /^\/v1\/entries\/(0x[0-9a-f]{64})$/.exec(path);
      if (stat?.[1] !== undefined) return this.#stat(stat[1], response);
      this.#problem(response, 404, 'ROUTE_UNKNOWN', 'never');
    } finally {
      this.#atOnce -= 1;
    }
  }

  #put(body: Uint8Array, response: ServerResponse): void {
    this.offered += 1;
    if (this.#isDead()) return void response.destroy();
    if (this.#busyLeft > 0) {
      this.#busyLeft -= 1;
      this.#problem(response, 503, 'QUEUE_FULL', 'later');
      return;
    }
    const { segment } = parseSegmentMessage(new Uint8Array(body));
    try {
      this.#store(verifySegment(segment, this.#network.hasher));
      response.writeHead(204).end();
    } catch {
      this.#problem(response, 422, 'PROOF_WRONG_ROOT', 'never');
    }
  }

  #store(segment: VerifiedSegment): void {
    const root = toHex(segment.root);
    const entry = this.entry(root);
    if (entry === undefined) throw new Error('unknown entry');
    this.sent.push(segment.index);
    const first = firstGlobalSegment(entry.startSector);
    if (!ownsSegment(this.options.shard, first + segment.index)) return;
    this.segments.set(`${root} ${segment.index}`, { ...segment, data: segment.data.slice() });
  }

  #lags(): boolean {
    if (this.lagLeft === 0) return false;
    this.lagLeft -= 1;
    return true;
  }

  #isDead(): boolean {
    return this.options.dieAfter !== undefined && this.sent.length >= this.options.dieAfter;
  }

  async #held(root: string, response: ServerResponse): Promise<void> {
    const entry = this.entry(root);
    if (entry === undefined) return this.#problem(response, 404, 'ENTRY_UNKNOWN', 'later');
    const bits = new Uint8Array(Math.ceil(segmentsOf(entry.sizeBytes) / 8));
    for (let index = 0; index < segmentsOf(entry.sizeBytes); index += 1) {
      if (this.segments.has(`${root} ${index}`))
        bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bits);
  }

  #stat(root: string, response: ServerResponse): void {
    const { claimEntry } = this.options;
    const known = this.entry(root);
    const empty = { root, startSector: 0, paddedSectors: 1, nodes: [], tags: new Uint8Array(0) };
    const claimed = claimEntry && { ...empty, ...known, ...claimEntry };
    const entry = claimed ?? known;
    if (entry === undefined || this.#lags()) {
      this.#problem(response, 404, 'FILE_UNKNOWN', 'elsewhere');
      return;
    }
    const { sequence, sizeBytes, startSector, paddedSectors, tags } = entry;
    const owned = countOwnedSegments(this.options.shard, startSector, sizeBytes);
    const held = [...this.segments.keys()].filter((key) => key.startsWith(root)).length;
    this.#json(response, {
      chainId: CHAIN,
      root,
      entries: [
        {
          sequence,
          sizeBytes: this.options.claimBytes ?? sizeBytes,
          startSector,
          paddedSectors,
          submitter: FLOW,
          tags: toHex(tags),
          block: 1,
          finalized: claimed !== undefined || this.isFinal(entry),
          ownedSegments: owned,
          heldSegments: held,
          pruned: false,
        },
      ],
    });
  }

  async #given(root: string, index: number): Promise<VerifiedSegment | undefined> {
    const { delayMs = 0, missing, lie } = this.options;
    // No reason to go on once the tests are over.
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    if (missing?.has(index)) return undefined;
    const segment = this.segments.get(`${root} ${index}`);
    if (segment === undefined) return undefined;
    this.served.push(index);
    return lie === undefined ? segment : { ...segment, data: lie(segment.data.slice(), index) };
  }

  async #get(root: string, first: number, count: number, response: ServerResponse): Promise<void> {
    const sequence = sequenceOf(this.entry(root)?.sequence ?? 0);
    const messages: Uint8Array[] = [];
    for (let index = first; index < first + count; index += 1) {
      const segment = await this.#given(root, index);
      if (segment === undefined) break;
      messages.push(encodeSegmentMessage({ chainId: CHAIN, sequence, segment }));
    }
    if (messages.length === 0) {
      return this.#problem(response, 404, 'SEGMENT_NOT_HELD', 'elsewhere');
    }
    if (count > 1) this.runs.push(messages.length);
    const bytes = concatBytes(...messages);
    response.writeHead(200, {
      'content-type': 'application/vnd.cairn.segment',
      'content-length': bytes.length,
    });
    if (count === 1 || this.breakRuns === 0) return void response.end(bytes);
    this.breakRuns -= 1;
    const half = bytes.subarray(0, bytes.length / 2);
    await new Promise((resolve) => response.write(half, resolve));
    response.destroy();
  }

  async #rpc(body: Buffer, response: ServerResponse): Promise<void> {
    const {
      id,
      method,
      params = [],
    } = JSON.parse(body.toString()) as {
      id: number;
      method: string;
      params?: unknown[];
    };
    const reply = (result: unknown): void => this.#json(response, { jsonrpc: '2.0', id, result });
    const refuse = (code: number, message: string, data?: string): void =>
      this.#json(response, {
        jsonrpc: '2.0',
        id,
        error: { code, message, ...(data ? { data } : {}) },
      });
    const { shard } = this.options;
    switch (method) {
      case 'zgs_getStatus':
        return reply({
          connectedPeers: 0,
          logSyncHeight: 1,
          logSyncBlock: `0x${'00'.repeat(32)}`,
          nextTxSeq: this.#network.entries.length,
          networkIdentity: {
            chainId: CHAIN,
            flowAddress: FLOW,
            p2pProtocolVersion: { major: 0, minor: 4, build: 0 },
          },
        });
      case 'zgs_getShardConfig':
        return reply({ shardId: shard.id, numShard: shard.count });
      case 'zgs_getFileInfo':
        return reply(this.#info(this.entry(String(params[0]))));
      case 'zgs_getFileInfoByTxSeq':
        return reply(this.#info(this.#network.entries[Number(params[0])]));
      case 'zgs_uploadSegmentsByTxSeq': {
        if (this.#isDead()) return void response.destroy();
        if (this.#busyLeft > 0) {
          this.#busyLeft -= 1;
          return refuse(-32000, 'too many data writing: 16');
        }
        for (const item of params[0] as unknown[]) {
          const { root, data, index, proof, fileSize } = parseZgSegment(item);
          const segment = {
            root: rootBytes(root),
            data: decodeBase64(data),
            index,
            proof: segmentProofOf(proof),
            sizeBytes: fileSize,
          };
          if (this.segments.has(`${root} ${index}`)) {
            return refuse(-32000, 'segment has already been uploaded or is being uploaded');
          }
          this.#store(verifySegment(segment, this.#network.hasher));
        }
        return reply(null);
      }
      case 'zgs_downloadSegmentWithProofByTxSeq': {
        const entry = this.#network.entries[Number(params[0])];
        const index = Number(params[1]);
        const segment = entry && (await this.#given(entry.root, index));
        if (entry === undefined || segment === undefined) return reply(null);
        const leaves = Math.ceil(entry.paddedSectors / 1024);
        return reply({
          root: entry.root,
          data: encodeBase64(segment.data),
          index,
          proof: zgProofOf(segment.segmentRoot, segment.proof, index, leaves, segment.root),
          fileSize: entry.sizeBytes,
        });
      }
      case 'indexer_getShardedNodes':
        return reply({ trusted: this.#network.nodes.map(nodeJson), discovered: null });
      case 'indexer_getFileLocations': {
        const entry = this.entry(String(params[0]));
        if (entry === undefined) return refuse(-32000, 'file not found');
        return reply(this.#network.nodes.filter((node) => node.isFinal(entry)).map(nodeJson));
      }
      default:
        return refuse(-32601, 'Method not found');
    }
  }

  #info(entry: FakeEntry | undefined): unknown {
    if (entry === undefined) return null;
    if (this.#lags()) return null;
    return {
      tx: {
        streamIds: [],
        data: [],
        dataMerkleRoot: entry.root,
        merkleNodes: entry.nodes.map(({ height, root }) => [height + 1, toHex(root)]),
        startEntryIndex: entry.startSector,
        size: this.options.claimBytes ?? entry.sizeBytes,
        seq: this.options.claimSequence ?? entry.sequence,
      },
      finalized: this.isFinal(entry),
      isCached: false,
      uploadedSegNum: 0,
    };
  }

  #status(): unknown {
    return {
      version: '0.1.0',
      chainId: CHAIN,
      flow: FLOW,
      shard: this.options.shard,
      synced: true,
      nextSequence: this.#network.entries.length,
    };
  }

  #json(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }

  #problem(response: ServerResponse, status: number, code: string, retry: string): void {
    const problem = {
      type: `urn:cairn:fault:${code}`,
      title: code,
      status,
      detail: code,
      code,
      retry,
    };
    response
      .writeHead(status, { 'content-type': 'application/problem+json' })
      .end(stringifyJson(problem));
  }
}

function nodeJson({ url, options }: FakeNode): unknown {
  const { id, count } = options.shard;
  return { url, config: { shardId: id, numShard: count }, latency: 1, since: 0 };
}

/** A log, its nodes, and clients for it, all in one process. */
export class FakeNetwork {
  readonly entries: FakeEntry[] = [];
  readonly nodes: FakeNode[] = [];
  readonly hasher: Hasher;
  readonly transport: HttpTransport = createNodeTransport();
  readonly #tree = FlowTree.empty();
  readonly #paid = new Map<string, FakeEntry[]>();
  /** Transactions that were paid for. */
  payments = 0;
  /** Set to make the next payment fail after the chain has it. */
  crashAfterPayment = false;

  private constructor(hasher: Hasher) {
    this.hasher = hasher;
  }

  static async create(...nodes: readonly FakeNodeOptions[]): Promise<FakeNetwork> {
    const network = new FakeNetwork(await loadHasher());
    for (const options of nodes) await network.add(options);
    return network;
  }

  async add(options: FakeNodeOptions): Promise<FakeNode> {
    const node = new FakeNode(this, options);
    await node.start();
    this.nodes.push(node);
    return node;
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
    await this.transport.close();
  }

  get payer(): Payer {
    return {
      chainId: CHAIN,
      flow: FLOW,
      canPay: true,
      price: async () => ({ pricePerSectorWei: 7n, gas: 200_000n, gasPriceWei: 3n }),
      submit: async (files, { intent }) => {
        let entries = this.#paid.get(intent);
        if (entries === undefined) {
          this.payments += 1;
          entries = files.map(({ root, sizeBytes, nodes, tags }) => {
            const { startSector, sectors } = this.#tree.append(nodes);
            const sequence = this.entries.length;
            const entry = {
              sequence,
              root,
              sizeBytes,
              startSector,
              paddedSectors: sectors,
              nodes,
              tags,
            };
            this.entries.push(entry);
            return entry;
          });
          this.#paid.set(intent, entries);
          if (this.crashAfterPayment) throw new Error('killed after the payment');
        }
        return entries.map(({ sequence, startSector, paddedSectors }) => ({
          sequence: sequenceOf(sequence),
          startSector,
          transactionHash: `0x${'ab'.repeat(32)}` as const,
          feeWei: 7n * BigInt(paddedSectors),
        }));
      },
    };
  }

  /** A client that remembers nothing of earlier ones but what `journal` keeps. */
  client(
    options: {
      readonly journal?: ReturnType<typeof memoryKeyValueStore>;
      readonly indexer?: boolean;
      readonly checkEntry?: EntryCheck;
      readonly seed?: number;
    } = {},
  ): FilesClient {
    const deps = { transport: this.transport, timeoutMs: 5000 };
    const clock = systemClock();
    const logger = silentLogger();
    const book = new HolderBook({ ...deps, clock, logger });
    const [first] = this.nodes;
    const indexer = options.indexer && first ? indexerClient(first.url, deps) : undefined;
    const urls = indexer === undefined ? this.nodes.map(({ url }) => url) : [];
    const journal = options.journal ?? memoryKeyValueStore();
    const rng = seededRng(options.seed ?? 1);
    const upload: PutDeps = {
      hasher: this.hasher,
      book,
      clock,
      rng,
      logger,
      journal: uploadJournal(journal),
      openDestination: async ({ replicas, signal }) => {
        const network = await openUploadNetwork(
          replicas,
          {
            writableHolders: async (call) =>
              book.describe(
                indexer === undefined ? urls : (await indexer.nodes(call)).map(({ url }) => url),
                call,
              ),
            isFlowKnown: false,
            payer: async () => this.payer,
            entryCheck: () => options.checkEntry,
            rng,
          },
          { signal },
        );
        return {
          name: `${network.chainId} ${network.flow}`,
          settle: async () => network,
          done: async () => undefined,
        };
      },
    };
    const { hasher } = this;
    const { checkEntry } = options;
    const lookup = { book, indexer, hasher, checkEntry, logger };
    const locate: FileLocator = (reference, { signal, nodes = [] }) =>
      locateFile(reference, { ...lookup, nodes: [...urls, ...nodes] }, { signal });
    const download = { book, hasher, clock, logger, locate };
    return filesClient({
      upload: async () => upload,
      download: async () => download,
      proving: async () => ({ ...download, rng }),
      economics: async () => {
        throw new Error('this network has no chain');
      },
      price: async (files, { signal }) => ({ price: await this.payer.price(files, { signal }) }),
    });
  }
}

/** Bytes without a short period, so that a segment in the wrong place is noticed. */
export function aperiodicBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    bytes[index] = Math.imul(index, 2654435761) >>> 24;
  }
  return bytes;
}

export { parseRoot };
