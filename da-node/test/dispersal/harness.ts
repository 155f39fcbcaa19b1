import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { loadRowSuite, type RowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner, type RowCombiner } from '@cairn/erasure-codec';
import { openLevelStore } from '@cairn/node-runtime/level';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type Clock,
  type HttpTransport,
  type KeyValueStore,
  MIB,
  type Root,
  seededRng,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { type Accounts, openAccounts } from '../../src/disperser/accounts.ts';
import type { BlobArchiver } from '../../src/disperser/archive-blob.ts';
import type { BlobRecord, BlobStage } from '../../src/disperser/blob-record.ts';
import type { Dispersal } from '../../src/disperser/create-dispersal.ts';
import type { AcceptOptions, Disperser } from '../../src/disperser/disperser.ts';
import { openPayloadFiles } from '../../src/disperser/payload-files.ts';
import type {
  DispersalNetwork,
  LogArchive,
  PayerKey,
  PayloadStore,
} from '../../src/disperser/ports.ts';
import { type RetrieverDeps, readBlob, type WantedBlob } from '../../src/retriever/read-blob.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { backend, NETWORK } from './committee.ts';
import { createDisperser, type DisperserSettings } from './create-disperser.ts';
import { MemoryChain } from './memory-chain.ts';
import { SignerDoor } from './signer-door.ts';

export const START_SECONDS = 1_900_000_000;
export const payer = signerFromKey('42'.repeat(32));

/** Bytes that look random and are the same each time. */
export function payloadOf(length: number, seed = 1): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(length));
}

/** Time goes on by itself, from where the chain's began; the chain's turns add to it. */
export function chainClock(chain: () => MemoryChain): Clock {
  const real = systemClock();
  return { ...real, now: () => chain().nowSeconds * 1000 };
}

export const QUICK: Partial<DisperserSettings> = {
  batch: { gatherMs: 20, maxBlobs: 128 },
  delivery: { timeoutMs: 1500, attempts: 2, delayMs: 20, laggardMs: 100 },
  votes: { timeoutMs: 1000, attempts: 2, delayMs: 20, laggardMs: 0 },
  backoff: { firstMs: 30, maxMs: 300 },
};

/** What a quorum is, if not the usual. */
export interface QuorumOptions {
  /** Whether signers' doors stand between, which count and misbehave; true. */
  readonly isCounting?: boolean;
  /** log2 of the least data rows: 6, for up to 32 members. */
  readonly minLog2K?: number;
}

/** A quorum of signers behind real sockets, a chain in memory, and a disperser on real files. */
export class TestQuorum {
  /** The disperser's. */
  readonly directory: string;
  readonly signerDirectory: string;
  readonly network: DispersalNetwork;
  readonly chain: MemoryChain;
  readonly signers: SignerDoor[] = [];
  readonly transport: HttpTransport = createNodeTransport();
  readonly suite: RowSuite;
  readonly combiner: RowCombiner;
  /** Signers whose address is not known. */
  readonly unreachable = new Set<number>();

  private constructor(
    directories: readonly [string, string],
    suite: RowSuite,
    combiner: RowCombiner,
    seats: number[],
    { isCounting = true, minLog2K = NETWORK.layout.minLog2K }: QuorumOptions,
  ) {
    this.network = { ...NETWORK, layout: { ...NETWORK.layout, minLog2K } };
    [this.directory, this.signerDirectory] = directories;
    this.suite = suite;
    this.combiner = combiner;
    this.chain = new MemoryChain({
      seats,
      startSeconds: START_SECONDS,
      socketOf: (index) => {
        const signer = this.unreachable.has(index) ? undefined : this.signers[index];
        return isCounting ? signer?.url : signer?.ownUrl;
      },
    });
  }

  static async open(
    seats: number[] = [1, 1, 1, 1],
    options: QuorumOptions = {},
  ): Promise<TestQuorum> {
    const directories = [
      await mkdtemp(join(tmpdir(), 'cairn-da-')),
      await mkdtemp(join(tmpdir(), 'cairn-signers-')),
    ] as const;
    const suite = await loadRowSuite(0);
    const combiner = await loadWasmCombiner();
    const quorum = new TestQuorum(directories, suite, combiner, seats, options);
    for (const index of seats.keys()) {
      const { network, chain, clock, signerDirectory } = quorum;
      const place = { index, network, chain, clock, directory: signerDirectory };
      quorum.signers.push(await SignerDoor.open(place));
    }
    return quorum;
  }

  get clock(): Clock {
    return chainClock(() => this.chain);
  }

  async disperser(parts: DisperserParts = {}): Promise<RunningDisperser> {
    return RunningDisperser.open(this, parts);
  }

  async reader(settings: Partial<RetrieverDeps> = {}): Promise<RetrieverDeps> {
    return {
      epochs: this.chain,
      peers: httpSignerPeers(this.transport),
      codec: await wasmCodec(),
      suites: [this.suite, await loadRowSuite(1)],
      combiner: this.combiner,
      layout: this.network.layout,
      budget: new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }),
      clock: systemClock(),
      logger: silentLogger(),
      timeoutMs: 10_000,
      hedgeMs: 150,
      ...settings,
    };
  }

  async close(): Promise<void> {
    await this.transport.close();
    for (const signer of this.signers) await signer.close();
    for (const directory of [this.directory, this.signerDirectory]) {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** What a record names to a reader. */
export function wantedOf({ order }: BlobRecord): WantedBlob {
  if (order === undefined) throw new Error('the blob has no order');
  const { header, epoch, quorumId } = order;
  return { commitment: header.commitment, epoch, quorumId };
}

let codec: ReturnType<typeof loadWasmCodec> | undefined;

/** One codec for all tests of a file. */
function wasmCodec(): ReturnType<typeof loadWasmCodec> {
  codec ??= loadWasmCodec();
  return codec;
}

/** What of a disperser a test puts in the place of the usual. */
export interface DisperserParts {
  readonly accounts?: Accounts;
  readonly index?: KeyValueStore;
  readonly payloads?: PayloadStore;
  readonly payer?: PayerKey;
  readonly log?: LogArchive;
  readonly settings?: Partial<DisperserSettings>;
}

/** A disperser that runs. */
export class RunningDisperser {
  readonly disperser: Disperser;
  /** Reads from the log, where there is one. */
  readonly archiver: BlobArchiver | undefined;
  readonly #stop: AbortController;
  readonly #close: () => Promise<void>;
  readonly #run: Promise<unknown>;

  private constructor(
    { disperser, archiver }: Dispersal,
    close: () => Promise<void>,
    stop: AbortController,
    run: Promise<unknown>,
  ) {
    this.disperser = disperser;
    this.archiver = archiver;
    this.#close = close;
    this.#stop = stop;
    this.#run = run;
  }

  static async open(quorum: TestQuorum, parts: DisperserParts): Promise<RunningDisperser> {
    const files =
      parts.index === undefined
        ? await openLevelStore({ directory: join(quorum.directory, 'index') })
        : undefined;
    const retriever = await quorum.reader();
    const dispersal = createDisperser({
      index: parts.index ?? (files as KeyValueStore),
      payloads: parts.payloads ?? (await openPayloadFiles(join(quorum.directory, 'payloads'))),
      accounts: parts.accounts ?? openAccounts(),
      network: quorum.network,
      epochs: quorum.chain,
      entrance: quorum.chain,
      peers: httpSignerPeers(quorum.transport),
      payer: parts.payer ?? payer,
      codec: await wasmCodec(),
      suites: [quorum.suite, await loadRowSuite(1)],
      combiner: quorum.combiner,
      backend,
      log: parts.log,
      readBack: async (record, options) =>
        (await readBlob(wantedOf(record), retriever, options)).payload,
      budget: new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 4096 }),
      clock: quorum.clock,
      logger: silentLogger(),
      settings: { ...QUICK, ...parts.settings },
    });
    const { disperser } = dispersal;
    const stop = new AbortController();
    await disperser.open(stop.signal);
    const run = disperser.run(stop.signal).catch((error: unknown) => error);
    const close = async (): Promise<void> => files?.close();
    return new RunningDisperser(dispersal, close, stop, run);
  }

  put(
    payload: Uint8Array,
    options: Pick<AcceptOptions, 'path' | 'isArchived'> = {},
  ): Promise<BlobRecord> {
    const { signal } = this.#stop;
    return this.disperser.accept(payload, { apiKey: undefined }, { ...options, signal });
  }

  reached(id: Root, stage: BlobStage, timeoutMs = 120_000): Promise<BlobRecord> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
    return this.disperser.reached(id, stage, signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the test stops it'));
    await this.#run;
    await this.#close();
  }
}
