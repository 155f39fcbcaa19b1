import { type Clock, describeError, isFault, type Logger } from '@cairn/primitives';
import { StorageNodeError } from './errors.ts';
import type { SharedBudget } from './upkeep/shared-budget.ts';

/** What the guard asks and tells. */
export interface DiskGuardDeps {
  /** Bytes that can still be written where the data lies; `undefined` if nobody knows. */
  readonly freeBytes: () => Promise<number | undefined>;
  /** What the node may take on the disk; as much as there is unless told. */
  readonly budget?: Pick<SharedBudget, 'isSpent' | 'sentence' | 'usedBytes' | 'maxBytes'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** How much stays free, and how often that is looked at. */
export interface DiskGuardOptions {
  /** Uploads are turned away below this much free space. */
  readonly reserveBytes: number;
  /** The age from which a measurement is taken again. */
  readonly recheckMs: number;
}

/** Errors of the operating system that mean: no more room for now. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Turns uploads away while the disk is full and lets them in again by itself.
 *
 * Reads go on. The reserve keeps the index able to write its last words; the disk is looked at
 * again at most once per `recheckMs`, only when somebody wants to write.
 */
export class DiskGuard {
  readonly #deps: DiskGuardDeps;
  readonly #options: DiskGuardOptions;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;
  #full = false;
  #isSpent = false;
  #measuring: Promise<void> | undefined;

  constructor(deps: DiskGuardDeps, options: DiskGuardOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Whether the last look found too little room. */
  get isFull(): boolean {
    return this.#full;
  }

  /** Free bytes as of the last look. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Why uploads are turned away, in a sentence; `undefined` while they are not. */
  get reason(): string | undefined {
    return this.#full
      ? `${this.#fault().message}; uploads are turned away, reads go on`
      : undefined;
  }

  /** @throws {StorageNodeError} STORE_FULL */
  async requireRoom(): Promise<void> {
    await this.look();
    if (this.#full) throw this.#fault();
  }

  /** Measures again if the last look is old enough; joins a look that is under way. */
  async look(): Promise<void> {
    if (this.#deps.clock.monotonic() - this.#measuredAt < this.#options.recheckMs) return;
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
  }

  /** The fault to report for a failed write: STORE_FULL if that is what it was, else `error`. */
  faultOf(error: unknown): unknown {
    if (!isNoRoom(error)) return error;
    if (!this.#full) this.#deps.logger.error({ cause: describeError(error) }, 'the disk is full');
    this.#full = true;
    this.#measuredAt = this.#deps.clock.monotonic();
    return this.#fault(error);
  }

  async #measure(): Promise<void> {
    const { freeBytes, clock, logger } = this.#deps;
    const measured = await freeBytes();
    this.#measuredAt = clock.monotonic();
    this.#freeBytes = measured ?? this.#freeBytes;
    const wasFull = this.#full;
    // What cannot be measured is tried: a disk that is full then says so itself.
    this.#isSpent = this.#deps.budget?.isSpent ?? false;
    this.#full = this.#isSpent || (measured !== undefined && measured < this.#options.reserveBytes);
    const facts = { freeBytes: this.#freeBytes, reserveBytes: this.#options.reserveBytes };
    if (this.#full && !wasFull) logger.error(facts, 'the disk is full, uploads are turned away');
    if (!this.#full && wasFull) logger.info(facts, 'the disk has room again');
  }

  #fault(cause?: unknown): StorageNodeError {
    const { reserveBytes } = this.#options;
    const { budget } = this.#deps;
    if (this.#isSpent && budget !== undefined) {
      const { usedBytes, maxBytes, sentence } = budget;
      const facts = { freeBytes: this.#freeBytes, reserveBytes, usedBytes, maxBytes };
      return new StorageNodeError({ code: 'STORE_FULL', ...facts }, sentence);
    }
    return new StorageNodeError(
      { code: 'STORE_FULL', freeBytes: this.#freeBytes, reserveBytes },
      cause === undefined
        ? `the disk of this node is full: ${this.#freeBytes} bytes free, ${reserveBytes} are kept in reserve`
        : `the disk of this node is full: a write found no room, ${this.#freeBytes} bytes were free when last measured`,
      cause === undefined ? undefined : { cause },
    );
  }
}

/** Whether an error, or what caused it, says that the disk has no room. */
export function isNoRoom(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && current instanceof Error; depth += 1) {
    if (isFault(current, 'DISK_FULL')) return true;
    if ('code' in current && typeof current.code === 'string' && NO_ROOM.has(current.code))
      return true;
    if (current.message.includes('No space left on device')) return true; // LevelDB has only text
    current = current.cause;
  }
  return false;
}
