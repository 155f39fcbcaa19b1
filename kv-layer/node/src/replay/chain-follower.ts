import { LogFollower, type LogFollowerDeps, type LogStore } from '@cairn/log-layer';
import type { ChainLog, ChainStep, Semaphore } from '@cairn/primitives';

/** What following works with. */
export interface ChainFollowerDeps
  extends Pick<LogFollowerDeps, 'clock' | 'logger' | 'metrics' | 'confirmations'> {
  readonly chainLog: ChainLog;
  readonly log: LogStore;
  /** Held while anything is applied or taken back. */
  readonly turn: Semaphore;
  /** Takes back what was replayed of entries that are not in the log. Under `turn`. */
  readonly undo: (signal: AbortSignal) => Promise<void>;
  /** Told after each step. */
  readonly onStep: (step: ChainStep) => void;
}

/** Keeps no files, so nothing becomes final here. */
const NO_FILES: LogFollowerDeps['finaliser'] = {
  consider: async () => false,
  considerPending: async () => undefined,
};

/**
 * Copies the chain's log, and takes back replayed entries together with those of the log: nothing
 * is applied between the two, and the next step is not asked for before both are done. After a crash
 * between them, `run` begins with what is left to be taken back.
 */
export class ChainFollower {
  readonly #deps: ChainFollowerDeps;
  readonly #follower: LogFollower;

  constructor(deps: ChainFollowerDeps) {
    this.#deps = deps;
    const { chainLog, log, clock, logger, metrics, confirmations } = deps;
    this.#follower = new LogFollower({
      chainLog: { ...chainLog, follow: (known, options) => this.#steps(known, options) },
      log,
      finaliser: NO_FILES,
      clock,
      logger,
      metrics,
      ...(confirmations === undefined ? {} : { confirmations }),
    });
  }

  /** Whether the log was read up to the head once. */
  get isCaughtUp(): boolean {
    return this.#follower.progress.isCaughtUp;
  }

  /** Runs until `signal` aborts. @throws as `LogFollower.run`; what taking back throws */
  async run(signal: AbortSignal): Promise<void> {
    const { turn, undo } = this.#deps;
    await turn.run(() => undo(signal), signal);
    await this.#follower.run(signal);
  }

  async *#steps(
    known: Parameters<ChainLog['follow']>[0],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ChainStep, void, void> {
    const { chainLog, turn, undo, onStep } = this.#deps;
    for await (const step of chainLog.follow(known, { signal })) {
      if (step.kind === 'advance') {
        yield step;
      } else {
        const { taken, give } = hold(turn, signal);
        await taken;
        try {
          yield step; // resumed once the log has taken it
          await undo(signal);
        } finally {
          give();
        }
      }
      onStep(step);
    }
  }
}

/** A turn that lasts from `taken` to `give`. */
function hold(
  turn: Semaphore,
  signal: AbortSignal,
): { readonly taken: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  const taken = new Promise<void>((resolve, reject) => {
    turn
      .run(() => {
        resolve();
        return given;
      }, signal)
      .catch(reject);
  });
  return { taken, give };
}
