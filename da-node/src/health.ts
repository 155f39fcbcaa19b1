import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainClient } from '@cairn/chain-access';
import { errnoOf } from '@cairn/node-runtime/files';
import type { HealthReport } from '@cairn/node-runtime/http';
import { type Clock, Fault, type Gauge, type Metrics } from '@cairn/primitives';

/** Errors that say the disk works and is only full: starting the process anew would not help. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** A look at the disk is good for this long. */
const PROBE_MS = 5000;
/** A chain silent for longer is a reason not to be asked for anything. */
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

/** Looks at the chain's head, for health and measures. */
export class ChainWatch {
  readonly #client: Pick<ChainClient, 'blockNumber'>;
  readonly #clock: Clock;
  readonly #head: Gauge;
  #answeredAt: number;

  constructor({
    client,
    clock,
    metrics,
  }: {
    readonly client: Pick<ChainClient, 'blockNumber'>;
    readonly clock: Clock;
    readonly metrics: Metrics;
  }) {
    this.#client = client;
    this.#clock = clock;
    this.#head = metrics.gauge({
      name: 'cairn_chain_head_block',
      help: 'number of the newest block of the chain that is known',
    });
    this.#answeredAt = clock.monotonic();
  }

  /** Looks again and again, whatever the chain answers. @throws the signal's reason */
  async run(pollMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        this.#head.set(await this.#client.blockNumber({ signal }));
        this.#answeredAt = this.#clock.monotonic();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Fault)) throw error;
        // How long it has not answered says it all.
      }
      await this.#clock.sleep(pollMs, signal);
    }
  }

  /** Whether the node should be sent requests as far as the chain is concerned. */
  ready(): HealthReport {
    const silentMs = this.#clock.monotonic() - this.#answeredAt;
    const seconds = Math.round(silentMs / 1000);
    const reasons =
      silentMs > MAX_SILENCE_MS ? [`the chain has not answered for ${seconds} s`] : [];
    return { ok: reasons.length === 0, reasons };
  }
}
