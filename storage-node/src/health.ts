import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@cairn/node-runtime/files';
import type { HealthReport } from '@cairn/node-runtime/http';
import type { Clock } from '@cairn/primitives';
import type { LogProgress } from './log-progress.ts';

/** Errors that say the disk works and is only full: starting the process anew would not help. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** A look at the disk is good for this long. */
const PROBE_MS = 5000;
/** A chain silent for longer is a reason not to be asked for new files. */
const MAX_SILENCE_MS = 60_000;

/** Whether the data directory can be written to: one small file, at most every five seconds. */
export class DiskProbe {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #probedAt = Number.NEGATIVE_INFINITY;
  #reasons: readonly string[] = [];

  constructor(deps: { readonly clock: Pick<Clock, 'monotonic'> }, directory: string) {
    this.#clock = deps.clock;
    this.#path = join(directory, 'health.probe');
  }

  async live(): Promise<HealthReport> {
    const now = this.#clock.monotonic();
    if (now - this.#probedAt >= PROBE_MS) {
      this.#probedAt = now;
      this.#reasons = await this.#probe();
    }
    return { ok: this.#reasons.length === 0, reasons: this.#reasons };
  }

  async #probe(): Promise<readonly string[]> {
    try {
      await writeFile(this.#path, 'probe\n');
      await rm(this.#path, { force: true });
      return [];
    } catch (error) {
      const errno = errnoOf(error);
      return FULL.has(errno) ? [] : [`the data directory cannot be written to (${errno})`];
    }
  }
}

/** Whether the node should be sent requests: the log is read up to the chain's head. */
export function readyReport(
  progress: Pick<LogProgress, 'current'>,
  { maxLagBlocks }: { readonly maxLagBlocks: number },
): HealthReport {
  const { head, lagBlocks, silentMs } = progress.current();
  const reasons: string[] = [];
  if (head === undefined || lagBlocks === undefined) {
    reasons.push('the chain has not told its newest block yet');
  } else if (lagBlocks > maxLagBlocks) {
    reasons.push(`the log is ${lagBlocks} blocks behind the chain, ${maxLagBlocks} are allowed`);
  }
  if (silentMs > MAX_SILENCE_MS) {
    reasons.push(`the chain has not answered for ${Math.round(silentMs / 1000)} s`);
  }
  return { ok: reasons.length === 0, reasons };
}
