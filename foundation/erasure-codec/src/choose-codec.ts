import type { RowSuite } from '@cairn/commitments/rows';
import {
  abortable,
  type Clock,
  equalBytes,
  isFault,
  type Logger,
  silentLogger,
  systemClock,
  type WorkerPool,
  withDeadline,
} from '@cairn/primitives';
import { type AnyCodec, calibrate, holdWith, selfTest, type TrialOptions } from './codec-trial.ts';
import type { RowCombiner } from './combination.ts';
import { CodecError } from './errors.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import { referenceCodec } from './reference-codec.ts';
import type {
  DecodeOptions,
  EncodeOptions,
  HeldRows,
  HoldingCodec,
  MatrixMemory,
  MatrixShape,
  PlacedRow,
} from './row-codec.ts';
import { loadWasmCodec } from './wasm/wasm-codec.ts';

/** A codec that may be chosen. */
export interface CodecCandidate {
  readonly name: string;
  /** @throws where it does not run here: the reason is kept */
  open(signal: AbortSignal): Promise<AnyCodec>;
}

/** What a choice is made from. */
export interface ChooseCodecOptions {
  /** Codecs beside those in WebAssembly: one on a GPU, say. */
  readonly candidates?: readonly CodecCandidate[];
  /** Threads for the codecs in WebAssembly: see `loadWasmCodec`. They stay their owner's. */
  readonly pool?: WorkerPool;
  /** Hashes rows in memory, and says which suite's rows a device may hold. */
  readonly suite: RowSuite;
  /** Combines rows in memory; the one in plain TypeScript unless told. */
  readonly combiner?: RowCombiner;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly signal: AbortSignal;
}

/** What came of one codec. */
export interface CodecTrial {
  readonly name: string;
  /** `unused` ones could take over; `failed` ones cannot. */
  readonly outcome: 'chosen' | 'unused' | 'failed';
  /** 10^6 bytes of data encoded, hashed and combined a second, by the clock on the wall. */
  readonly megabytesPerSecond?: number;
  /** Why, in a sentence. */
  readonly reason: string;
}

/**
 * The fastest codec that passed its self-test, and those that take over if it is lost. Rows it
 * holds outlive its device: they are encoded again from their data.
 */
export interface ChosenCodec extends HoldingCodec {
  /** What was tried, and which one works now. */
  readonly trials: readonly CodecTrial[];
}

/** Opening and testing a candidate takes this long at most: a GPU compiles its kernels meanwhile. */
const TRIAL_MS = 30_000;

/**
 * Tries every codec: it is opened, compared with the reference codec, and timed on 1 MiB. What is
 * wrong, slow to answer or absent is left; the fastest is chosen. Takes some tenths of a second,
 * and what the candidates need to open.
 *
 * Where nothing else runs, the reference codec is chosen.
 *
 * @throws the signal's reason
 */
export async function chooseCodec({
  candidates = [],
  pool,
  suite,
  combiner = scalarCombiner(),
  clock = systemClock(),
  logger = silentLogger(),
  signal,
}: ChooseCodecOptions): Promise<ChosenCodec> {
  const lasting: readonly CodecCandidate[] = [
    ...(pool === undefined ? [] : wasmCandidates(clock, pool)),
    ...wasmCandidates(clock),
  ];
  const options = { suite, combiner, clock };
  const ranked: Ranked[] = [];
  const others: CodecTrial[] = [];
  try {
    for (const candidate of [...candidates, ...lasting]) {
      const isLasting = lasting.includes(candidate);
      const outcome = await tried(candidate, isLasting, { ...options, signal });
      if ('codec' in outcome) ranked.push(outcome);
      else others.push(outcome);
    }
  } catch (error) {
    await Promise.allSettled(ranked.map(({ codec }) => codec.close()));
    throw error;
  }
  ranked.sort((left, right) => right.megabytesPerSecond - left.megabytesPerSecond);
  // a codec in WebAssembly has no device to lose: nothing takes over from it
  const last = ranked.findIndex(({ isLasting }) => isLasting);
  for (const unused of last < 0 ? [] : ranked.splice(last + 1)) {
    await unused.codec.close().catch(() => undefined); // it is of no use either way
    others.unshift(trialOf(unused, 'unused'));
  }
  if (last < 0) {
    const codec = referenceCodec();
    ranked.push({ name: 'reference', isLasting: true, codec, megabytesPerSecond: 0 });
  }
  const chosen = new RankedCodec(ranked, others, options, logger);
  logger.info({ trials: chosen.trials }, `rows are encoded by the codec ${chosen.name}`);
  return chosen;
}

/** Both builds, the faster one first. */
function wasmCandidates(clock: Clock, pool?: WorkerPool): CodecCandidate[] {
  const threads = pool === undefined ? {} : { pool };
  const suffix = pool === undefined ? '' : ', threads';
  return [
    {
      name: `wasm-relaxed${suffix}`,
      open: () => loadWasmCodec({ build: 'relaxed', clock, ...threads }),
    },
    { name: `wasm${suffix}`, open: () => loadWasmCodec({ build: 'strict', clock, ...threads }) },
  ];
}

interface Ranked {
  readonly name: string;
  /** Whether it has no device to lose. */
  readonly isLasting: boolean;
  readonly codec: AnyCodec;
  /** 0 if it was not timed. */
  readonly megabytesPerSecond: number;
}

/** @throws the signal's reason */
async function tried(
  { name, open }: CodecCandidate,
  isLasting: boolean,
  options: TrialOptions,
): Promise<Ranked | CodecTrial> {
  const { clock, signal } = options;
  let codec: AnyCodec | undefined;
  try {
    const trial = async (inner: AbortSignal): Promise<Ranked> => {
      codec = await open(inner);
      if (inner.aborted) await codec.close(); // it opened too late for anybody to close it
      inner.throwIfAborted();
      const wrong = await selfTest(codec, { ...options, signal: inner });
      if (wrong !== undefined) throw new Error(wrong);
      const megabytesPerSecond = await calibrate(codec, { ...options, signal: inner });
      return { name, isLasting, codec, megabytesPerSecond };
    };
    return await withDeadline(`the codec ${name}`, TRIAL_MS, trial, { clock, signal });
  } catch (error) {
    await codec?.close().catch(() => undefined); // its failure is told already
    signal.throwIfAborted();
    return { name, outcome: 'failed', reason: reasonOf(error) };
  }
}

function trialOf({ name, megabytesPerSecond }: Ranked, outcome: 'chosen' | 'unused'): CodecTrial {
  if (megabytesPerSecond === 0) {
    return { name, outcome, reason: 'nothing else runs here; it is slow' };
  }
  const place = outcome === 'chosen' ? 'is the fastest of those that do' : 'is slower';
  const reason = `it gives the bytes it should and ${place}: ${megabytesPerSecond.toFixed(1)} MB/s`;
  return { name, outcome, megabytesPerSecond, reason };
}

class RankedCodec implements ChosenCodec {
  readonly suite: number;
  /** The first one works. */
  readonly #ranked: Ranked[];
  readonly #others: CodecTrial[];
  readonly #options: Omit<TrialOptions, 'signal'>;
  readonly #logger: Logger;

  constructor(
    ranked: readonly Ranked[],
    others: readonly CodecTrial[],
    options: Omit<TrialOptions, 'signal'>,
    logger: Logger,
  ) {
    this.suite = options.suite.id;
    this.#ranked = [...ranked];
    this.#others = [...others];
    this.#options = options;
    this.#logger = logger;
  }

  get name(): HoldingCodec['name'] {
    return this.#at(0).codec.name;
  }

  get trials(): readonly CodecTrial[] {
    const ranked = this.#ranked.map((one, place) =>
      trialOf(one, place === 0 ? 'chosen' : 'unused'),
    );
    return [...ranked, ...this.#others];
  }

  encode(data: Uint8Array, shape: MatrixShape, options: EncodeOptions): Promise<Uint8Array> {
    return this.#run((codec) => codec.encode(data, shape, options));
  }

  decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    options: DecodeOptions,
  ): Promise<Uint8Array> {
    return this.#run((codec) => codec.decode(rows, shape, options));
  }

  async newMatrix(shape: MatrixShape): Promise<MatrixMemory> {
    const { codec } = this.#at(0);
    const { dataRows, cosets, rowBytes } = shape;
    if (codec.newMatrix !== undefined) return codec.newMatrix(shape);
    const dataBytes = dataRows * rowBytes;
    return { data: new Uint8Array(dataBytes), parity: new Uint8Array(cosets * dataBytes) };
  }

  async hold(
    data: Uint8Array,
    shape: MatrixShape,
    { signal, into }: EncodeOptions,
  ): Promise<HeldRows> {
    const again = (inner: AbortSignal, place: number): Promise<HeldRows> => {
      const options = { ...this.#options, signal: inner, into };
      return this.#run((codec) => holdWith(codec, data, shape, options), place);
    };
    return new LastingRows(await again(signal, 0), again);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#ranked.map(({ codec }) => codec.close()));
  }

  /**
   * Runs `action` with the codec that works now, and with the next one if its device is lost, or this
   * once if it is full.
   *
   * @param place - of the codec that is asked first; the last one for any place after it
   */
  async #run<Result>(action: (codec: AnyCodec) => Promise<Result>, place = 0): Promise<Result> {
    for (let next = place; ; ) {
      const current = this.#at(next);
      try {
        return await action(current.codec);
      } catch (error) {
        if (isFault(error, 'DEVICE_LOST')) await this.#drop(current, reasonOf(error));
        else if (isFault(error, 'DEVICE_FULL')) next += 1;
        else throw error;
      }
    }
  }

  #at(place: number): Ranked {
    const last = this.#ranked.length - 1; // it has no device: it is never lost, and never full
    return this.#ranked[Math.min(place, last)] as Ranked;
  }

  async #drop(lost: Ranked, reason: string): Promise<void> {
    const place = this.#ranked.indexOf(lost);
    if (place < 0) return; // another call noticed first
    this.#ranked.splice(place, 1);
    this.#others.push({ name: lost.name, outcome: 'failed', reason });
    this.#logger.warn(
      { lost: lost.name, reason, now: this.name },
      `the codec ${lost.name} is lost; ${this.name} goes on with the work`,
    );
    await lost.codec.close().catch(() => undefined); // what is lost need not be able to close
  }
}

/** Times that one question may outlive the device it is asked of. */
const MAX_REPLACEMENTS = 4;

/** Makes rows again, by the codec with a place in the ranking, or one after it. */
type MakeAgain = (signal: AbortSignal, place: number) => Promise<HeldRows>;

/** Rows that are made again where what held them is lost, or has no room to answer. */
class LastingRows implements HeldRows {
  readonly leaves: Uint8Array;
  readonly #again: MakeAgain;
  readonly #released = new AbortController();
  #held: HeldRows;
  /** Under way for all who ask. */
  #replacing: Promise<void> | undefined;

  constructor(held: HeldRows, again: MakeAgain) {
    this.leaves = held.leaves;
    this.#held = held;
    this.#again = again;
  }

  combine(
    coefficients: Uint8Array,
    part: 'data' | 'parity',
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    return this.#ask((held) => held.combine(coefficients, part, options), options.signal);
  }

  read(
    indexes: readonly number[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Uint8Array[]> {
    return this.#ask((held) => held.read(indexes, options), options.signal);
  }

  release(): void {
    this.#released.abort(new Error('the rows were released'));
    this.#held.release();
  }

  async #ask<Result>(
    question: (held: HeldRows) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    for (let replacements = 0; ; replacements += 1) {
      const held = this.#held;
      let place = 0;
      try {
        return await question(held);
      } catch (error) {
        if (isFault(error, 'DEVICE_FULL')) place = 1;
        else if (!isFault(error, 'DEVICE_LOST')) throw error;
        if (replacements === MAX_REPLACEMENTS) throw error;
        this.#released.signal.throwIfAborted();
      }
      if (this.#held !== held) continue;
      this.#replacing ??= this.#replace(held, place).finally(() => {
        this.#replacing = undefined;
      });
      await abortable(this.#replacing, signal);
    }
  }

  /** @throws {CodecError} DEVICE_LOST if what is lost had hashed other rows than these */
  async #replace(lost: HeldRows, place: number): Promise<void> {
    const { signal } = this.#released;
    const held = await this.#again(signal, place);
    const isSame = equalBytes(held.leaves, this.leaves);
    if (signal.aborted || !isSame) held.release();
    signal.throwIfAborted();
    if (!isSame) {
      const reason = 'the rows it hashed were not those of the data';
      throw new CodecError({ code: 'DEVICE_LOST', reason }, `a device was lost, and ${reason}`);
    }
    lost.release();
    this.#held = held;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
