import type { ChainClient } from '@cairn/chain-access';
import type { HealthReport } from '@cairn/node-runtime/http';
import { type Clock, Fault, type Gauge, type Metrics } from '@cairn/primitives';

/** A chain silent for longer is a reason not to be asked for anything. */
const MAX_SILENCE_MS = 60_000;

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
