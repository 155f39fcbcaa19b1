import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainError } from '@cairn/chain-access';
import { createFakeChain, type FakeChain } from '@cairn/chain-access/fake';
import type { StoredFile } from '@cairn/client-sdk';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { BatchBuilder, encodeTags, type StreamId } from '@cairn/kv-layer';
import { memoryFileSource, prepareFile } from '@cairn/log-layer';
import {
  type Address,
  type Hex,
  parseRoot,
  type Root,
  silentLogger,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { loadKvNodeConfig } from '../../src/config.ts';
import type { ConnectedChain } from '../../src/connect-chain.ts';
import { createKvNode, type KvNode } from '../../src/create-kv-node.ts';
import { ALICE } from './replayed.ts';

/** Seconds from one block to the next. */
const BLOCK_SECONDS = 2;

/** What of a node's settings a test says; names as in the file. */
export interface NodeSettings {
  readonly streams?: Readonly<Record<string, unknown>>;
  readonly replay?: Readonly<Record<string, unknown>>;
  readonly node?: Readonly<Record<string, unknown>>;
  readonly attest?: Readonly<Record<string, unknown>>;
  readonly decrypt?: Readonly<Record<string, unknown>>;
  readonly bootstrap?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
}

/** A node of a world, with its directory. */
export interface WorldNode {
  readonly node: KvNode;
  readonly directory: string;
  /** One JSON-RPC call. @throws with the error's message */
  rpc(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** Text of a key, as it is now; empty where there is none. */
  text(stream: StreamId, key: string): Promise<string>;
  /** State roots by stream. */
  roots(): Promise<Readonly<Record<string, string | null>>>;
  /** `GET` of a path as JSON. */
  get(path: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** A simulated chain, and storage that has the files it is given: what nodes are tried with. */
export class LogWorld {
  readonly chain: FakeChain;
  readonly hasher: Hasher;
  readonly #stored = new Map<Root, Uint8Array>();
  /** Roots of files that storage does not give away. */
  readonly hidden = new Set<Root>();
  /** Whether the endpoint answers questions besides the log. */
  isChainSilent = false;
  /** What the disk of every node has left; `undefined`: nobody knows. */
  freeBytes: number | undefined;
  /** How long opening a file takes. */
  delayMs = 0;
  /** Times that files were opened. */
  opened = 0;
  readonly #directories: string[] = [];
  readonly #nodes = new Set<KvNode>();

  private constructor(hasher: Hasher, seed: number) {
    this.hasher = hasher;
    this.chain = createFakeChain({ seed });
  }

  static async make(seed: number): Promise<LogWorld> {
    return new LogWorld(await loadHasher(), seed);
  }

  /** Submits an ordinary file; it is in the log with the next block. */
  file(text: string): Promise<Root> {
    return this.store(utf8Bytes(text));
  }

  /** Submits a batch; it is in the log with the next block. */
  batch(
    streams: readonly StreamId[],
    fill: (batch: BatchBuilder) => void,
    { sender = ALICE, version }: { sender?: Address; version?: bigint } = {},
  ): Promise<Root> {
    const batch = new BatchBuilder(version);
    fill(batch);
    return this.store(batch.build().bytes, { tags: encodeTags(streams), sender });
  }

  /** Submits and stores bytes. */
  async store(
    bytes: Uint8Array,
    { tags, sender = ALICE }: { tags?: Uint8Array; sender?: Address } = {},
  ): Promise<Root> {
    const { signal } = new AbortController();
    const { root, nodes } = await prepareFile(memoryFileSource(bytes), {
      hasher: this.hasher,
      signal,
    });
    this.#stored.set(root, bytes);
    this.chain.submit({
      sizeBytes: bytes.length,
      nodes,
      submitter: sender,
      ...(tags === undefined ? {} : { tags }),
    });
    return root;
  }

  /** A node in a directory of its own, or in that of one that was stopped. */
  async start(settings: NodeSettings = {}, directory?: string): Promise<WorldNode> {
    const path = directory ?? (await mkdtemp(join(tmpdir(), 'cairn-kv-node-')));
    this.#directories.push(path);
    const config = await loadKvNodeConfig({
      overrides: {
        node: { data_dir: path, ...settings.node },
        chain: { rpc: 'http://127.0.0.1:1', flow: this.chain.flow, confirmations: 0 },
        storage: { nodes: ['http://127.0.0.1:1'] },
        streams: { ...settings.streams },
        replay: { ...settings.replay },
        attest: { ...settings.attest },
        decrypt: { ...settings.decrypt },
        bootstrap: { ...settings.bootstrap },
        http: { port: 0 },
        limits: { ...settings.limits },
      },
    });
    const node = createKvNode({
      config,
      logger: silentLogger(),
      chain: this.#connected(),
      files: { open: (reference) => this.#open(reference) },
      freeBytes: async () => this.freeBytes,
    });
    this.#nodes.add(node);
    await node.start({ signal: new AbortController().signal });
    return this.#worldNode(node, path);
  }

  /** Stops what runs and removes what it kept. */
  async end(): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    for (const path of this.#directories) await rm(path, { recursive: true, force: true });
  }

  #worldNode(node: KvNode, directory: string): WorldNode {
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(`${node.url}${path}`)).json()) as Record<string, unknown>;
    const rpc = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
      const reply = await fetch(node.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const { result, error } = (await reply.json()) as {
        result?: unknown;
        error?: { message: string };
      };
      if (error !== undefined) throw new Error(error.message);
      return result;
    };
    return {
      node,
      directory,
      rpc,
      get,
      text: async (stream, key) => {
        const name = Buffer.from(key).toString('base64');
        const value = (await rpc('kv_getValue', stream, name, 0, 1000)) as { data: string };
        return utf8Text(Buffer.from(value.data, 'base64'));
      },
      roots: async () => {
        const { streams } = await get('/v1/streams');
        const listed = streams as readonly { stream: string; stateRoot: string | null }[];
        return Object.fromEntries(listed.map(({ stream, stateRoot }) => [stream, stateRoot]));
      },
      stop: async () => {
        this.#nodes.delete(node);
        await node.stop();
      },
    };
  }

  #connected(): ConnectedChain {
    const { chain } = this;
    return {
      chainLog: {
        chainId: chain.chainId,
        flow: chain.flow,
        follow: (known, options) => chain.follow(known, options),
        flowRootAt: (sequence, options) => chain.flowRootAt(sequence, options),
      },
      client: {
        blockNumber: async () => this.#answer(chain.head.number),
        getBlock: async (number) => {
          const entry = chain.entries().find(({ block }) => block.number === number);
          return this.#answer(
            entry && {
              ...entry.block,
              parentHash: entry.block.hash,
              timestamp: entry.block.number * BLOCK_SECONDS,
              baseFeePerGas: undefined,
              gasLimit: 30_000_000n,
            },
          );
        },
        getTransaction: async (hash: Hex) => {
          const entry = chain.entries().find(({ transactionHash }) => transactionHash === hash);
          return this.#answer(
            entry && { hash, from: entry.submitter, nonce: 0, block: entry.block.number },
          );
        },
      },
      close: async () => undefined,
    };
  }

  #answer<Result>(result: Result): Result {
    if (!this.isChainSilent) return result;
    throw new ChainError(
      {
        code: 'CHAIN_UNREACHABLE',
        endpoint: 'http://127.0.0.1:1',
        method: 'eth_getBlockByNumber',
        attempts: 1,
      },
      'the chain does not answer',
    );
  }

  async #open(reference: unknown): Promise<StoredFile> {
    const { root: asked } = reference as { root: string };
    const root = parseRoot(asked);
    const bytes = this.hidden.has(root) ? undefined : this.#stored.get(root);
    if (bytes === undefined) throw new Error(`nobody has ${root}`);
    this.opened += 1;
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    return { ...memoryFileSource(bytes), roots: [root], evidence: [] };
  }
}
