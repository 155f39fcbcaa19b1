import type { LogStore } from '@cairn/log-layer';
import {
  abortable,
  type BlockMark,
  type Clock,
  describeError,
  type Logger,
  type Sequence,
} from '@cairn/primitives';

/** How far the log has been read. */
export interface Progress {
  /** Newest block of the chain that was seen; `undefined` before the first answer. */
  readonly head: number | undefined;
  /** Newest block whose entries are stored. */
  readonly block: BlockMark | undefined;
  readonly nextSequence: Sequence;
  /** Blocks that should have been read and were not; confirmations are not counted. */
  readonly lagBlocks: number | undefined;
  /** Time since the chain last told its head. */
  readonly silentMs: number;
}

/** What watching the chain's head works with. */
export interface LogProgressDeps {
  readonly log: Pick<LogStore, 'newestBlock' | 'nextSequence'>;
  /** Number of the chain's newest block. */
  readonly headOf: (signal: AbortSignal) => Promise<number>;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly logger: Logger;
}

/**
 * Knows how far the node is behind the chain.
 *
 * It asks for the head itself: the log's steps tell it only when something changed, so a node that
 * starts again on a quiet chain would wait for ever to learn that it misses nothing.
 */
export class LogProgress {
  readonly #deps: LogProgressDeps;
  readonly #options: { readonly confirmations: number; readonly pollMs: number };
  #head: number | undefined;
  #heardAt: number;

  constructor(
    deps: LogProgressDeps,
    options: { readonly confirmations: number; readonly pollMs: number },
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#heardAt = deps.clock.monotonic();
  }

  current(): Progress {
    const { log, clock } = this.#deps;
    const { newestBlock: block, nextSequence } = log;
    const { confirmations } = this.#options;
    const silentMs = clock.monotonic() - this.#heardAt;
    if (this.#head === undefined) {
      return { head: undefined, block, nextSequence, lagBlocks: undefined, silentMs };
    }
    // What is stored was on the chain: a head told before that is no news.
    const head = Math.max(this.#head, (block?.number ?? -1) + confirmations);
    const lagBlocks = head - confirmations - (block?.number ?? -1);
    return { head, block, nextSequence, lagBlocks: Math.max(0, lagBlocks), silentMs };
  }

  /** Asks for the head again and again until `signal` aborts. A chain that is silent is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { headOf, clock, logger } = this.#deps;
    while (!signal.aborted) {
      try {
        this.#head = await abortable(headOf(signal), signal);
        this.#heardAt = clock.monotonic();
      } catch (error) {
        signal.throwIfAborted();
        logger.debug({ reason: describeError(error) }, 'the head of the chain was not told');
      }
      await clock.sleep(this.#options.pollMs, signal);
    }
  }
}
