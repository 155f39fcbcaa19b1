import { type Clock, formatBytes, formatDuration } from '@cairn/primitives';
import type { CommandIo } from './io.ts';

/** What is counted. */
export type ProgressUnit = 'bytes' | 'segments' | 'files';

const TERMINAL_EVERY_MS = 100;
/** Without a terminal, so that logs stay readable. */
const LINE_EVERY_MS = 5_000;
const BAR_CELLS = 24;

/**
 * How far a command is: a bar that redraws itself where a person watches, else a line every five
 * seconds. Writes to standard error only.
 */
export class Progress {
  readonly #io: Pick<CommandIo, 'writeErr' | 'isErrTerminal' | 'columns' | 'env'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #phase: Phase | undefined;
  #shownAt: number;
  #isBarShown = false;

  constructor({
    io,
    clock,
  }: {
    readonly io: Pick<CommandIo, 'writeErr' | 'isErrTerminal' | 'columns' | 'env'>;
    readonly clock: Pick<Clock, 'monotonic'>;
  }) {
    this.#io = io;
    this.#clock = clock;
    this.#shownAt = clock.monotonic();
  }

  /** Tells how far `phase` is. `total` 0: not known. */
  update(name: string, done: number, total: number, unit: ProgressUnit = 'bytes'): void {
    const now = this.#clock.monotonic();
    if (this.#phase?.name !== name) {
      this.#phase = { name, startedAt: now, done: 0, total, unit, firstDone: done };
      if (this.#io.isErrTerminal) this.#shownAt = Number.NEGATIVE_INFINITY;
    }
    this.#phase.done = done;
    this.#phase.total = total;
    const isLast = total > 0 && done >= total;
    const everyMs = this.#io.isErrTerminal ? TERMINAL_EVERY_MS : LINE_EVERY_MS;
    if (now - this.#shownAt < everyMs && !(isLast && this.#io.isErrTerminal)) return;
    this.#shownAt = now;
    this.#show(describePhase(this.#phase, now));
  }

  /** Writes a line for people, above the bar if there is one. */
  note(text: string): void {
    this.clear();
    this.#io.writeErr(`${text}\n`);
  }

  /** Takes the bar off the screen. */
  clear(): void {
    if (this.#isBarShown) this.#io.writeErr('\r\u001b[2K');
    this.#isBarShown = false;
  }

  #show(text: string): void {
    if (!this.#io.isErrTerminal) {
      this.#io.writeErr(`${text}\n`);
      return;
    }
    this.#io.writeErr(`\r\u001b[2K${text.slice(0, this.#io.columns - 1)}`);
    this.#isBarShown = true;
  }
}

interface Phase {
  readonly name: string;
  readonly startedAt: number;
  readonly unit: ProgressUnit;
  /** What was done when the phase was first seen; a resumed phase does not count it as speed. */
  readonly firstDone: number;
  done: number;
  total: number;
}

/** `sending  [######------]  42 %  12.0 MiB of 28.6 MiB  3.1 MiB/s  5.4 s left` */
function describePhase({ name, startedAt, done, total, unit, firstDone }: Phase, now: number) {
  const elapsedMs = now - startedAt;
  const rate = elapsedMs > 0 ? ((done - firstDone) / elapsedMs) * 1000 : 0;
  const amount = (count: number): string =>
    unit === 'bytes' ? formatBytes(Math.round(count)) : `${Math.round(count)} ${unit}`;
  const parts = [name.padEnd(9)];
  if (total > 0) {
    const share = Math.min(1, done / total);
    const cells = Math.floor(share * BAR_CELLS);
    parts.push(`[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}]`);
    parts.push(`${String(Math.floor(share * 100)).padStart(3)} %`);
    parts.push(`${amount(done)} of ${amount(total)}`);
  } else {
    parts.push(amount(done));
  }
  if (rate > 0 && done < total) {
    parts.push(`${amount(rate)}/s`, `${formatDuration(((total - done) / rate) * 1000)} left`);
  }
  return parts.join('  ');
}
