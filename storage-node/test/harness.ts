import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitBytes, type FileCommitment, loadHasher, segmentDataBytes } from '@cairn/commitments';
import { createMetrics } from '@cairn/node-runtime/observe';
import { fromHex, MIB, type Root, rootOf, silentLogger, toHex } from '@cairn/primitives';
import {
  encodeSegmentMessage,
  parseShardText,
  SEGMENT_MESSAGE_TYPE,
  zgProofOf,
} from '@cairn/wire-protocol';
import { adjustableLogger } from '../src/adjustable-logger.ts';
import type { StorageNodeConfig } from '../src/config.ts';
import {
  createStorageNode,
  type StorageNode,
  type StorageNodeOptions,
} from '../src/create-storage-node.ts';
import { CHAIN_ID, FLOW, ScriptedChain } from './scripted-chain.ts';

/** Bytes that differ between segments: a multiplicative pattern, seeded. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export interface TestFile {
  readonly bytes: Uint8Array;
  readonly commitment: FileCommitment;
  readonly root: Root;
}

export async function testFile(length: number, seed = 1): Promise<TestFile> {
  const bytes = patternBytes(length, seed);
  const commitment = commitBytes(await loadHasher(), bytes);
  return { bytes, commitment, root: rootOf(commitment.root) };
}

/** Data of a segment as it travels: whole sectors. */
export function segmentData({ bytes, commitment }: TestFile, index: number): Uint8Array {
  const data = new Uint8Array(segmentDataBytes(commitment.shape, index));
  data.set(bytes.subarray(index * 262_144, index * 262_144 + data.length));
  return data;
}

/** A segment in 0G's JSON form, as a plain object that tests may spoil. */
export function zgSegment(file: TestFile, index: number): ZgSegmentJson {
  const { shape, tree, root } = file.commitment;
  const { lemma, path } = zgProofOf(
    tree.segmentRootAt(index),
    tree.proofAt(index),
    index,
    shape.paddedSegments,
    root,
  );
  return {
    root: file.root,
    data: Buffer.from(segmentData(file, index)).toString('base64'),
    index,
    proof: { lemma: [...lemma], path: [...path] },
    fileSize: shape.sizeBytes,
  };
}

export interface ZgSegmentJson {
  root: string;
  data: string;
  index: number;
  proof: { lemma: string[]; path: boolean[] };
  fileSize: number;
}

/** A segment in our binary form. */
export function segmentMessage(file: TestFile, index: number, sequence?: number): Uint8Array {
  const { shape, tree, root } = file.commitment;
  return encodeSegmentMessage({
    chainId: CHAIN_ID,
    sequence: sequence as never,
    segment: {
      root,
      sizeBytes: shape.sizeBytes,
      index,
      data: segmentData(file, index),
      proof: tree.proofAt(index),
    },
  });
}

export interface RpcOutcome {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  readonly result: any;
  readonly error: { readonly code: number; readonly message: string; readonly data?: string };
}

/** A running node with its chain and directory. */
export class TestNode {
  readonly chain: ScriptedChain;
  readonly directory: string;
  readonly #options: TestNodeOptions;
  #node: StorageNode | undefined;
  #signal = new AbortController();

  private constructor(directory: string, options: TestNodeOptions) {
    this.directory = directory;
    this.chain = options.chain ?? new ScriptedChain();
    this.#options = options;
  }

  static async start(options: TestNodeOptions = {}): Promise<TestNode> {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-sn-'));
    const node = new TestNode(directory, options);
    await node.start();
    return node;
  }

  get node(): StorageNode {
    if (this.#node === undefined) throw new Error('the node does not run');
    return this.#node;
  }

  get url(): string {
    return this.node.address.url;
  }

  async start(): Promise<void> {
    const { chain } = this;
    this.#signal = new AbortController();
    this.#node = createStorageNode({
      config: testConfig(this.directory, this.#options),
      log: adjustableLogger(silentLogger(), 'info'),
      metrics: createMetrics({ processMetrics: false }),
      chain: {
        chainLog: chain,
        headOf: async () => chain.head.number,
        close: async () => undefined,
      },
      ...(this.#options.node ?? {}),
    });
    await this.#node.start({ signal: this.#signal.signal });
  }

  async stop(): Promise<void> {
    await this.#node?.stop();
    this.#node = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops the node and removes what it kept. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Puts files into the log and waits until the node knows them. Gives their sequences. */
  async announce(...files: readonly TestFile[]): Promise<readonly number[]> {
    const entries = this.chain.mine(files.map(({ commitment }) => commitment));
    await this.synced();
    return entries.map(({ sequence }) => sequence);
  }

  /** Waits until the node has read the chain's newest block. */
  async synced(): Promise<void> {
    const { hash } = this.chain.head;
    await until(async () => (await this.rpc('zgs_getStatus')).result.logSyncBlock === hash);
  }

  async rpc(method: string, params?: unknown): Promise<RpcOutcome> {
    const body = { jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) };
    return this.post(JSON.stringify(body));
  }

  async post(
    body: string | Uint8Array,
    { path = '/', contentType = 'application/json' } = {},
  ): Promise<RpcOutcome> {
    const reply = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: body as never,
    });
    const text = await reply.text();
    let parsed: { result?: unknown; error?: RpcOutcome['error'] } = {};
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = {};
    }
    return { status: reply.status, text, ...parsed } as RpcOutcome;
  }

  /** Uploads every segment of a file over JSON-RPC, as clients do: all there already is success. */
  async upload(file: TestFile, sequence: number): Promise<void> {
    for (let index = 0; index < file.commitment.shape.segments; index += 1) {
      const { error } = await this.rpc('zgs_uploadSegmentsByTxSeq', [
        [zgSegment(file, index)],
        sequence,
      ]);
      if (error !== undefined && error.data !== 'already uploaded and finalized') {
        throw new Error(JSON.stringify(error));
      }
    }
  }

  async put(
    file: TestFile,
    index: number,
    sequence?: number,
    body: Uint8Array = segmentMessage(file, index, sequence),
  ): Promise<Response> {
    return fetch(`${this.url}/v1/segments/${file.root}/${index}`, {
      method: 'PUT',
      headers: { 'content-type': SEGMENT_MESSAGE_TYPE },
      body: body as never,
    });
  }

  async get(path: string): Promise<Response> {
    return fetch(`${this.url}${path}`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  async json(path: string): Promise<any> {
    return (await this.get(path)).json();
  }
}

export interface TestNodeOptions {
  readonly chain?: ScriptedChain;
  readonly shard?: string;
  readonly node?: Partial<StorageNodeOptions>;
  readonly storage?: Partial<StorageNodeConfig['storage']>;
  readonly scrub?: Partial<StorageNodeConfig['scrub']>;
  readonly mining?: StorageNodeConfig['mining'];
  readonly duty?: StorageNodeConfig['duty'];
  readonly limits?: Partial<StorageNodeConfig['limits']>;
  readonly admin?: Partial<StorageNodeConfig['admin']>;
  /** The network of peers, which is off unless asked for. */
  readonly p2p?: Partial<StorageNodeConfig['p2p']>;
}

export function testConfig(
  directory: string,
  { shard = '0/1', storage, scrub, mining, duty, limits, admin, p2p }: TestNodeOptions = {},
): StorageNodeConfig {
  return {
    node: { roles: ['storage'], dataDirectory: directory },
    log: { level: 'info', pretty: false },
    chain: {
      rpcUrl: 'http://127.0.0.1:1',
      chainId: CHAIN_ID,
      flow: FLOW,
      startBlock: 0,
      confirmations: 0,
      pollMs: 20,
      pageBlocks: 999,
    },
    shards: [],
    storage: {
      shard: parseShardText(shard),
      reserveBytes: 0,
      maxBytes: 0,
      pruneExpiredSeconds: undefined,
      cachedBytes: 64 * MIB,
      cachedFileBytes: 10 * MIB,
      cacheExpiryMs: 300_000,
      readCacheBytes: 0,
      readyLagBlocks: 10,
      ...storage,
    },
    scrub: { enabled: false, periodMs: 1000, bytesPerSecond: 1e12, duty: 1, ...scrub },
    mining,
    duty,
    http: { host: '127.0.0.1', port: 0 },
    admin: { enabled: false, socketPath: join(directory, 'admin.sock'), ...admin },
    p2p: {
      enabled: p2p !== undefined,
      keyFile: undefined,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      boot: [],
      publicUrl: 'listener',
      mdns: false,
      targetPeers: 24,
      maxConnections: 150,
      privateUrls: true,
      sync: true,
      parallelRequests: 8,
      ...p2p,
    },
    indexer: { host: '127.0.0.1', port: 0, trusted: [] },
    limits: {
      maxConnections: 1000,
      bodyBudgetBytes: 48 * MIB,
      concurrentWrites: 16,
      queuedWrites: 16_384,
      concurrentReads: 32,
      drainMs: 1000,
      ...limits,
    },
  };
}

/** Waits until `look` says yes; for four minutes at most. */
export async function until(look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 240_000;
  let pauseMs = 10; // longer from look to look: looking takes the CPU that is waited for
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(150, pauseMs * 1.5);
  }
}

/** Flips one bit of hex text. */
export function spoilHash(hash: string): string {
  const bytes = fromHex(hash);
  bytes[7] = (bytes[7] ?? 0) ^ 1;
  return toHex(bytes);
}
