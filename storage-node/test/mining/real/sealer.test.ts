import assert from 'node:assert/strict';
import type { SealContext } from '@cairn/chain-access/pora';
import { type Hasher, loadHasher, verifySegment } from '@cairn/commitments';
import { createLogMetrics, type LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  loadPoraKernel,
  PIECE_BYTES,
  PIECE_SECTORS,
  type PoraKernel,
  unsealPiece,
} from '@cairn/pora';
import {
  type FileStore,
  type KeyValueStore,
  keccak256,
  memoryFileStore,
  memoryKeyValueStore,
  noMetrics,
  SEGMENT_BYTES,
  SEGMENT_SECTORS,
  sequenceOf,
  silentLogger,
  systemClock,
  utf8Bytes,
  type WorkerPool,
} from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { StorageNodeError } from '../../../src/errors.ts';
import { createMiningMetrics } from '../../../src/mining/metrics.ts';
import { SealContexts } from '../../../src/mining/seal-contexts.ts';
import { sealSegment } from '../../../src/mining/seal-segment.ts';
import { contextOfPiece, countPieces, hasPiece } from '../../../src/mining/sealed-record.ts';
import { SealedStore } from '../../../src/mining/sealed-store.ts';
import { Sealer } from '../../../src/mining/sealer.ts';
import type { SealTask } from '../../../src/mining/worker-tasks.ts';
import { segmentData, type TestFile, testFile, until } from '../../harness.ts';
import { CHAIN_ID, FLOW, ScriptedChain } from '../../scripted-chain.ts';

const MINER = new Uint8Array(32).fill(0x4d);
const { signal: never } = new AbortController();

/** A disk that forgets what was not synced, and everything after it broke. */
class Disk {
  readonly kv: KeyValueStore = memoryKeyValueStore();
  #durable: FileStore = memoryFileStore();
  #live: FileStore = memoryFileStore();
  #pending: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #left = Number.POSITIVE_INFINITY;

  /** Breaks at the `calls`th change from now on. */
  breakAfter(calls: number): void {
    this.#left = calls;
  }

  get isBroken(): boolean {
    return this.#left < 0;
  }

  /** The machine starts again: what was not synced is gone, or half of it is. */
  async restart(keepsHalf: boolean): Promise<void> {
    this.#left = Number.POSITIVE_INFINITY;
    if (keepsHalf) {
      for (const { offset, bytes } of this.#pending) {
        await this.#durable.write(offset, bytes.subarray(0, bytes.length / 2));
      }
    }
    this.#pending = [];
    this.#live = this.#durable;
  }

  readonly files: FileStore = {
    read: (offset, length) => this.#live.read(offset, length),
    readInto: (offset, target) => this.#live.readInto(offset, target),
    write: async (offset, bytes) => {
      this.#use();
      this.#pending.push({ offset, bytes: bytes.slice() });
      await this.#live.write(offset, bytes);
    },
    sync: async () => {
      this.#use();
      for (const { offset, bytes } of this.#pending) await this.#durable.write(offset, bytes);
      this.#pending = [];
    },
    close: async () => undefined,
  };

  readonly index: Pick<KeyValueStore, 'get' | 'write' | 'entries'> = {
    get: (key) => this.kv.get(key),
    entries: (range, options) => this.kv.entries(range, options),
    write: async (batch, options) => {
      this.#use();
      assert.equal(options?.sync, true);
      await this.kv.write(batch, options);
    },
  };

  #use(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new Error('the machine is off');
  }
}

/** A node's log and segments, and a sealer over them that can be started again. */
class Bench {
  readonly chain = new ScriptedChain();
  readonly disk = new Disk();
  readonly contents = new Map<number, Uint8Array>();
  contexts: SealContext[] = [];
  shard: ShardConfig = { id: 0, count: 1 };
  asked = 0;
  /** What the disk says before something is sealed. */
  requireRoom: () => void = () => undefined;
  readonly #hasher: Hasher;
  readonly #opener: PoraKernel;
  #opened = 0;
  #log: LogStore | undefined;
  #segments: SegmentStore | undefined;

  private constructor(hasher: Hasher, opener: PoraKernel) {
    this.#hasher = hasher;
    this.#opener = opener;
  }

  static async open(): Promise<Bench> {
    const bench = new Bench(await loadHasher(), await loadPoraKernel());
    const kv = memoryKeyValueStore();
    const log = await LogStore.open(kv, { chainId: CHAIN_ID, flow: FLOW }, { signal: never });
    bench.#log = log;
    bench.#segments = await SegmentStore.open(
      {
        files: memoryFileStore(),
        kv,
        log,
        hasher: bench.#hasher,
        logger: silentLogger(),
        metrics: createLogMetrics(noMetrics()),
      },
      {},
      { signal: never },
    );
    return bench;
  }

  get log(): LogStore {
    if (this.#log === undefined) throw new Error('opened');
    return this.#log;
  }

  get segments(): SegmentStore {
    if (this.#segments === undefined) throw new Error('opened');
    return this.#segments;
  }

  /** Puts files into the log and stores their segments. */
  async add(...files: readonly TestFile[]): Promise<void> {
    const entries = this.chain.mine(files.map(({ commitment }) => commitment));
    const through = this.chain.head;
    const { added } = await this.log.apply(
      { kind: 'advance', through, entries, head: through.number },
      never,
    );
    for (const [place, entry] of added.entries()) {
      const file = files[place];
      if (file !== undefined) await this.store(file, entry);
    }
  }

  async store(file: TestFile, entry: LogEntry): Promise<void> {
    const { shape, tree, root } = file.commitment;
    for (let index = 0; index < shape.segments; index += 1) {
      const data = segmentData(file, index);
      const segment = { root, sizeBytes: shape.sizeBytes, index, data, proof: tree.proofAt(index) };
      await this.segments.put(entry, verifySegment(segment, this.#hasher), { signal: never });
      const at = entry.startSector + index * SEGMENT_SECTORS;
      for (let sector = 0; sector * 256 < data.length; sector += 1) {
        this.contents.set(at + sector, data.subarray(sector * 256, sector * 256 + 256));
      }
    }
  }

  /** Puts a file into the log that is not stored. */
  async chainOnly(file: TestFile): Promise<readonly LogEntry[]> {
    const entries = this.chain.mine([file.commitment]);
    const through = this.chain.head;
    return (
      await this.log.apply({ kind: 'advance', through, entries, head: through.number }, never)
    ).added;
  }

  /** Notes the content of the log's first file anew. */
  async readAgain(file: TestFile): Promise<void> {
    const entry = await this.log.entryAt(sequenceOf(0));
    if (entry !== undefined) await this.store(file, entry);
  }

  /** Ends an epoch: what is in the flow has a context from now on. */
  endEpoch(name: string): void {
    const start = this.contexts.at(-1)?.end ?? 0;
    const digest = keccak256(utf8Bytes(name));
    this.contexts.push({ start, end: this.log.flowLength, digest, isRecorded: true });
  }

  async sealer(): Promise<{ readonly sealer: Sealer; readonly store: SealedStore }> {
    const kernel = await loadPoraKernel();
    const { files, index } = this.disk;
    const store = await SealedStore.open(
      { files, kv: index },
      { minerId: MINER, shard: this.shard },
      never,
    );
    const pool: Pick<WorkerPool, 'run'> = {
      run: async (task) => sealSegment(task as SealTask, kernel) as never,
    };
    const contexts = new SealContexts({
      sealContext: async (sector) => {
        this.asked += 1;
        return this.#contextOf(sector);
      },
    });
    const sealer = new Sealer(
      {
        log: this.log,
        segments: this.segments,
        store,
        contexts,
        pool,
        disk: { requireRoom: async () => this.requireRoom() },
        reclaim: async () => [],
        shard: () => this.shard,
        clock: systemClock(),
        logger: silentLogger(),
        metrics: createMiningMetrics(noMetrics()),
      },
      { minerId: MINER, duty: 1 },
    );
    return { sealer, store };
  }

  /** Seals until all is done or the disk breaks. */
  async run(sealer: Sealer, isDone: () => boolean = () => sealer.isDone): Promise<void> {
    const ending = new AbortController();
    const running = sealer.run(ending.signal).catch(() => undefined);
    await until(async () => isDone() || this.disk.isBroken);
    ending.abort();
    await running;
  }

  /** Sectors whose sealed copy is recorded, each opened and compared with what was stored. */
  async sealedSectors(store: SealedStore): Promise<number[]> {
    const sectors: number[] = [];
    for (let segment = 0; segment * SEGMENT_SECTORS < this.log.flowLength; segment += 1) {
      const record = await store.get(segment);
      if (record === undefined) continue;
      for (let piece = 0; piece < 64; piece += 1) {
        if (!hasPiece(record.sealed, piece)) continue;
        const position = segment * SEGMENT_SECTORS + piece * PIECE_SECTORS;
        const sealed = await store.readPiece(segment, piece);
        const context: Uint8Array = contextOfPiece(record, piece) ?? new Uint8Array(32);
        const plain = this.#unsealed(sealed, { context, position });
        assert.deepEqual(context, this.#contextOf(position + PIECE_SECTORS - 1)?.digest);
        assert.deepEqual(plain, this.#plain(position));
        sectors.push(position);
      }
    }
    return sectors;
  }

  /**
   * The content of a sealed piece, by the kernel: sealing is a chain of hashes, so that what opens to
   * the content was sealed for these terms. Every 32nd, from the first on, by the reference too, which
   * takes 6 ms.
   */
  #unsealed(sealed: Uint8Array, terms: { context: Uint8Array; position: number }): Uint8Array {
    const { context, position } = terms;
    this.#opener.segment.set(sealed);
    this.#opener.unseal({ minerId: MINER, position, contexts: [context] });
    const plain = this.#opener.segment.slice(0, PIECE_BYTES);
    if (this.#opened % 32 === 0) {
      assert.deepEqual(plain, unsealPiece(sealed, { minerId: MINER, context, position }));
    }
    this.#opened += 1;
    return plain;
  }

  /** First sectors of pieces with a context and data that is not zeros. */
  whole(): number[] {
    const positions = new Set([...this.contents.keys()].map((sector) => sector - (sector % 16)));
    return [...positions]
      .filter((position) => position > 0 && this.#contextOf(position + 15) !== undefined)
      .filter((position) => this.#plain(position).some((byte) => byte !== 0))
      .sort((a, b) => a - b);
  }

  #contextOf(sector: number): SealContext | undefined {
    return this.contexts.find(({ start, end }) => start <= sector && sector < end);
  }

  #plain(position: number): Uint8Array {
    const plain = new Uint8Array(PIECE_BYTES);
    for (let sector = 0; sector < PIECE_SECTORS; sector += 1) {
      const data = this.contents.get(position + sector);
      if (data !== undefined) plain.set(data, sector * 256);
    }
    return plain;
  }
}

describe('sealing', () => {
  let files: readonly TestFile[];
  before(async () => {
    const sizes = [10_000, 700, 300_000, 5 * SEGMENT_BYTES + 9000];
    files = await Promise.all(sizes.map((size, place) => testFile(size, place + 1)));
  });

  it('seals everything with data, each piece with the context of its last sector', async () => {
    const bench = await Bench.open();
    const [first, second, ...rest] = files as [TestFile, TestFile, ...TestFile[]];
    await bench.add(first, second);
    bench.endEpoch('one');
    await bench.add(...rest);
    bench.endEpoch('two');
    const { sealer, store } = await bench.sealer();
    await bench.run(sealer);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
    assert.ok(bench.asked < 12, `${bench.asked} questions`);
  });

  it('waits for contexts, and for the rest of pieces that are not whole', async () => {
    const bench = await Bench.open();
    const [first, second] = files as [TestFile, TestFile];
    await bench.add(first);
    const { sealer, store } = await bench.sealer();
    await bench.run(sealer);
    assert.deepEqual(await bench.sealedSectors(store), []);
    const [entry] = await bench.chainOnly(second);
    await bench.chainOnly(second); // the flow goes on behind it: its piece gets a context
    bench.endEpoch('one');
    sealer.renew();
    await bench.run(sealer);
    const before = await bench.sealedSectors(store);
    assert.ok(before.length > 0);
    await bench.store(second, entry as LogEntry);
    sealer.markStored((entry as LogEntry).startSector);
    await bench.run(sealer);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
  });

  it('loses nothing and claims nothing, at whatever change of the disk the machine goes off', async () => {
    let calls = 0;
    for (let isWhole = false; !isWhole; calls += 1) {
      const bench = await Bench.open();
      await bench.add(...files.slice(0, 3));
      bench.endEpoch('one');
      bench.disk.breakAfter(calls);
      const first = await bench.sealer();
      await bench.run(first.sealer);
      isWhole = !bench.disk.isBroken;
      await bench.disk.restart(calls % 2 === 0);
      const again = await bench.sealer();
      await bench.sealedSectors(again.store); // whatever is recorded is there, whole
      await bench.run(again.sealer);
      assert.deepEqual(await bench.sealedSectors(again.store), bench.whole());
    }
    assert.ok(calls > 5, `${calls}`);
  });

  it('seals anew what a reorganisation moved, and forgets what it removed', async () => {
    const bench = await Bench.open();
    const [small, , middle, large] = files as [TestFile, TestFile, TestFile, TestFile];
    await bench.add(small);
    const base = bench.chain.head;
    await bench.add(large);
    bench.endEpoch('one');
    const { sealer, store } = await bench.sealer();
    await bench.run(sealer);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
    bench.chain.reorg(1);
    await bench.log.apply({ kind: 'rollback', to: base }, never);
    bench.contents.clear();
    bench.contexts = [];
    await bench.add(middle);
    await bench.readAgain(small);
    bench.endEpoch('another one');
    await bench.run(sealer, () => store.table.segments === 3 && sealer.isDone);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
  });

  it('seals what its shard owns only, also after that changed', async () => {
    const bench = await Bench.open();
    await bench.add(...files);
    bench.endEpoch('one');
    bench.shard = { id: 1, count: 2 };
    const { sealer, store } = await bench.sealer();
    await bench.run(sealer);
    const owned = (position: number): number => Math.floor(position / SEGMENT_SECTORS) % 2;
    const sealed = await bench.sealedSectors(store);
    assert.deepEqual(
      sealed,
      bench.whole().filter((position) => owned(position) === 1),
    );
    bench.shard = { id: 0, count: 1 };
    await bench.run(sealer, () => store.table.shard.count === 1 && sealer.isDone);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
    assert.ok(countPieces((await store.get(1))?.sealed ?? new Uint8Array(8)) > 0);
  });

  it('says that the disk has no room beyond its reserve, keeps what is sealed, and goes on with room', async () => {
    const bench = await Bench.open();
    const [small, , middle, large] = files as [TestFile, TestFile, TestFile, TestFile];
    await bench.add(small, middle);
    bench.endEpoch('one');
    const { sealer, store } = await bench.sealer();
    await bench.run(sealer);
    const before = await bench.sealedSectors(store);
    bench.requireRoom = () => {
      const facts = { code: 'STORE_FULL', freeBytes: 5, reserveBytes: 9 } as const;
      throw new StorageNodeError(facts, 'the disk of this node is full: 5 bytes free');
    };
    await bench.add(large);
    bench.endEpoch('two');
    sealer.renew();
    await bench.run(sealer, () => sealer.noRoom !== undefined);
    assert.match(sealer.noRoom ?? '', /5 bytes free/);
    assert.deepEqual(await bench.sealedSectors(store), before);
    bench.requireRoom = () => undefined;
    await bench.run(sealer);
    assert.equal(sealer.noRoom, undefined);
    assert.deepEqual(await bench.sealedSectors(store), bench.whole());
  });
});
