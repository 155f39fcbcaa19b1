import type { LogStore, SegmentStore } from '@cairn/log-layer';
import {
  type Clock,
  describeError,
  isRecord,
  type Json,
  type KeyValueStore,
  type Logger,
  MIB,
  SEGMENT_SECTORS,
} from '@cairn/primitives';
import { isNoRoom } from '../disk-guard.ts';
import { SCRUB_KEY } from '../keyspace.ts';
import { Bell } from './bell.ts';
import { keptWrite, naturalOf, readKept } from './kept-record.ts';
import type { UpkeepMetrics } from './metrics.ts';

/** What scrubbing works with. */
export interface ScrubberDeps {
  readonly segments: Pick<SegmentStore, 'scrub'>;
  readonly log: Pick<LogStore, 'flowLength'>;
  /** Looks at sealed copies of segments of the flow, from one up to another, too. */
  readonly checkSealed?: (from: number, to: number, signal: AbortSignal) => Promise<SealedFound>;
  readonly kv: Pick<KeyValueStore, 'get' | 'write'>;
  /** Whether clients are reading now: scrubbing lets them go first. */
  readonly isReading: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: UpkeepMetrics;
}

/** What a look at sealed copies found. */
export interface SealedFound {
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: readonly number[];
}

/** How much scrubbing may take. */
export interface ScrubOptions {
  /** Whether passes begin by themselves. */
  readonly enabled: boolean;
  /** From the beginning of a pass to that of the next; one that takes longer is followed at once. */
  readonly periodMs: number;
  readonly bytesPerSecond: number;
  /** Share of the time that a pass may work, 0 … 1. */
  readonly duty: number;
}

/** Where a pass is, or what the last one was. Times are milliseconds since the Unix epoch. */
export interface ScrubPass {
  readonly startedAt: number;
  /** `undefined` while it runs. */
  readonly finishedAt: number | undefined;
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Sealed copies, whose bytes count too; damaged ones are made anew by the miner. */
  readonly sealedChecked: number;
  readonly sealedDamaged: number;
}

/** What scrubbing has done. */
export interface ScrubReport {
  readonly isRunning: boolean;
  /** 0 … 1 of the flow; 1 if no pass runs. */
  readonly progress: number;
  readonly pass: ScrubPass | undefined;
  /** The last whole one. */
  readonly lastPass: ScrubPass | undefined;
}

/** Read and hashed before a pass looks at the clock and at readers: a few milliseconds of work. */
const STEP_BYTES = MIB;
const STEP_PIECES = 64;
/** A pass waits for readers this long before each step, and no longer: it must come to an end. */
const MAX_YIELD_MS = 1000;
const YIELD_STEP_MS = 10;
/** Where a pass is gets noted this often, and when it stops: a crash repeats no more than this. */
const NOTE_EVERY_MS = 5000;
/** Waits between passes are cut to this, so that a clock that was set wrong does no lasting harm. */
const MAX_WAIT_MS = 3_600_000;
/** Before a pass goes on that met a full or failing disk. */
const RESUME_AFTER_MS = 1000;

/**
 * Hashes everything stored anew, round and round, so that rot is found before it is asked for. What
 * is damaged is quarantined by the store, which reports its entry to be fetched again.
 *
 * The place is kept in the index: a pass goes on where it was after a restart.
 */
export class Scrubber {
  readonly #deps: ScrubberDeps;
  readonly #options: ScrubOptions;
  #sector = 0;
  #pass: ScrubPass | undefined;
  #lastPass: ScrubPass | undefined;
  #isWanted = false;
  /** Of the pass that was asked for; the configured rate otherwise. */
  #bytesPerSecond: number;
  readonly #bell = new Bell();
  #lastStepBytes = 0;

  private constructor(deps: ScrubberDeps, options: ScrubOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#bytesPerSecond = options.bytesPerSecond;
  }

  /** Reads where an earlier process was. */
  static async open(deps: ScrubberDeps, options: ScrubOptions): Promise<Scrubber> {
    const scrubber = new Scrubber(deps, options);
    const kept = await readKept(deps.kv, SCRUB_KEY);
    scrubber.#pass = passOf(kept?.['pass']);
    scrubber.#lastPass = passOf(kept?.['lastPass']);
    scrubber.#sector = naturalOf(kept, 'sector');
    scrubber.#measure();
    return scrubber;
  }

  /** What has been done, and how far the pass under way is. */
  get report(): ScrubReport {
    const isRunning = this.#pass !== undefined;
    const { flowLength } = this.#deps.log;
    const progress = isRunning ? Math.min(1, this.#sector / Math.max(1, flowLength)) : 1;
    return { isRunning, progress, pass: this.#pass, lastPass: this.#lastPass };
  }

  /**
   * Lets a pass begin now, or the one under way go on, at `bytesPerSecond` instead of the configured
   * rate and without a duty if that is given.
   */
  start(bytesPerSecond?: number): void {
    if (bytesPerSecond !== undefined) this.#bytesPerSecond = bytesPerSecond;
    this.#isWanted = this.#pass === undefined;
    this.#bell.ring();
  }

  /** Runs until `signal` aborts. @throws what the stores throw, but for a disk without room */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#pass === undefined) {
        await this.#untilDue(signal);
        this.#begin();
      }
      try {
        await this.#goThrough(signal);
      } catch (error) {
        if (signal.aborted || !isNoRoom(error)) throw error;
        this.#deps.logger.warn({ reason: describeError(error) }, 'no room to note damage, waiting');
        await this.#deps.clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const { enabled, periodMs } = this.#options;
    while (!this.#isWanted) {
      const dueAt = (this.#lastPass?.startedAt ?? 0) + periodMs;
      const waitMs = enabled ? Math.min(dueAt - clock.now(), MAX_WAIT_MS) : MAX_WAIT_MS;
      if (waitMs <= 0) return;
      await this.#bell.wait(clock, waitMs, signal);
    }
  }

  #begin(): void {
    this.#isWanted = false;
    this.#sector = 0;
    const startedAt = this.#deps.clock.now();
    const sealed = { sealedChecked: 0, sealedDamaged: 0 };
    this.#pass = { startedAt, finishedAt: undefined, checked: 0, bytes: 0, damaged: 0, ...sealed };
  }

  async #goThrough(signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics } = this.#deps;
    let notedAt = clock.monotonic();
    try {
      for (;;) {
        await this.#letReadersGo(signal);
        const began = clock.monotonic();
        if (await this.#step(signal)) break;
        const now = clock.monotonic();
        if (now - notedAt > NOTE_EVERY_MS) {
          await this.#note();
          notedAt = now;
        }
        await this.#pace(now - began, signal);
      }
    } finally {
      if (signal.aborted) await this.#note();
    }
    const pass = this.#pass;
    if (pass === undefined) return;
    this.#lastPass = { ...pass, finishedAt: clock.now() };
    this.#pass = undefined;
    this.#bytesPerSecond = this.#options.bytesPerSecond;
    metrics.scrubPasses.add(1);
    const { checked, bytes, damaged, sealedDamaged } = pass;
    if (damaged + sealedDamaged > 0)
      logger.warn({ checked, bytes, damaged, sealedDamaged }, 'scrubbing found damage');
    else if (checked > 0)
      logger.info({ checked, bytes }, 'everything stored was hashed anew and is sound');
    await this.#note();
  }

  /** One step; whether the pass is at its end. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { segments, metrics, checkSealed = nothingSealed } = this.#deps;
    const limits = { signal, maxBytes: STEP_BYTES };
    const found = await segments.scrub(this.#sector, STEP_PIECES, limits);
    const sealed = await checkSealed(segmentFrom(this.#sector), segmentFrom(found.next), signal);
    const pass = this.#pass;
    if (pass === undefined) return true;
    this.#lastStepBytes = found.bytes + sealed.bytes;
    this.#pass = {
      ...pass,
      checked: pass.checked + found.checked,
      bytes: pass.bytes + this.#lastStepBytes,
      damaged: pass.damaged + found.damaged,
      sealedChecked: pass.sealedChecked + sealed.checked,
      sealedDamaged: pass.sealedDamaged + sealed.damaged.length,
    };
    this.#sector = found.next ?? this.#sector;
    metrics.scrubbedBytes.add(this.#lastStepBytes);
    if (found.damaged > 0) metrics.scrubDamaged.add(found.damaged);
    this.#measure();
    return found.next === undefined;
  }

  /** Waits as long as rate and duty ask for after a step that took `busyMs`. */
  async #pace(busyMs: number, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond, duty } = this.#options;
    const atRateMs = (this.#lastStepBytes / this.#bytesPerSecond) * 1000 - busyMs;
    // A pass that was asked for at a rate of its own goes as fast as that.
    const atDutyMs = this.#bytesPerSecond === bytesPerSecond ? busyMs * (1 / duty - 1) : 0;
    await this.#deps.clock.sleep(Math.max(0, atRateMs, atDutyMs), signal);
  }

  async #letReadersGo(signal: AbortSignal): Promise<void> {
    const { clock, isReading } = this.#deps;
    const until = clock.monotonic() + MAX_YIELD_MS;
    while (isReading() && clock.monotonic() < until) await clock.sleep(YIELD_STEP_MS, signal);
  }

  async #note(): Promise<void> {
    this.#measure();
    const kept = {
      sector: this.#sector,
      pass: passJson(this.#pass),
      lastPass: passJson(this.#lastPass),
    };
    await this.#deps.kv.write([keptWrite(SCRUB_KEY, kept)]); // repeating some of it costs nothing
  }

  #measure(): void {
    const { metrics } = this.#deps;
    metrics.scrubProgress.set(this.report.progress);
    metrics.scrubLastPass.set((this.#lastPass?.finishedAt ?? 0) / 1000);
  }
}

async function nothingSealed(): Promise<SealedFound> {
  return { checked: 0, bytes: 0, damaged: [] };
}

/** The first segment of the flow that begins at a sector or behind it; beyond all without a sector. */
export function segmentFrom(sector: number | undefined): number {
  return sector === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(sector / SEGMENT_SECTORS);
}

/** A report as JSON; times are ISO 8601. */
export function scrubReportJson({ isRunning, progress, pass, lastPass }: ScrubReport): Json {
  const shown = (shownPass: ScrubPass | undefined): Json =>
    shownPass === undefined
      ? null
      : {
          startedAt: new Date(shownPass.startedAt).toISOString(),
          finishedAt:
            shownPass.finishedAt === undefined
              ? null
              : new Date(shownPass.finishedAt).toISOString(),
          checked: shownPass.checked,
          bytes: shownPass.bytes,
          damaged: shownPass.damaged,
          sealedChecked: shownPass.sealedChecked,
          sealedDamaged: shownPass.sealedDamaged,
        };
  return { isRunning, progress, pass: shown(pass), lastPass: shown(lastPass) };
}

function passJson(pass: ScrubPass | undefined): Json {
  return pass === undefined ? null : { ...pass, finishedAt: pass.finishedAt ?? null };
}

function passOf(value: unknown): ScrubPass | undefined {
  if (!isRecord(value)) return undefined;
  const finishedAt = naturalOf(value, 'finishedAt', -1);
  return {
    startedAt: naturalOf(value, 'startedAt'),
    finishedAt: finishedAt < 0 ? undefined : finishedAt,
    checked: naturalOf(value, 'checked'),
    bytes: naturalOf(value, 'bytes'),
    damaged: naturalOf(value, 'damaged'),
    sealedChecked: naturalOf(value, 'sealedChecked'),
    sealedDamaged: naturalOf(value, 'sealedDamaged'),
  };
}
