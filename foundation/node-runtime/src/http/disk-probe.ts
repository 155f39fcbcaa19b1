import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@cairn/primitives';
import { errnoOf } from '../files/errors.ts';
import type { HealthReport } from './health-routes.ts';

/** Errors that say the disk works and is only full: starting the process anew would not help. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** A look at the disk is good for this long. */
const PROBE_MS = 5000;

/** Whether a data directory can be written to: one small file, at most every five seconds. */
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
