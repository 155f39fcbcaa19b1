import { type Clock, isFault } from '@cairn/primitives';
import { KvNodeError } from './errors.ts';

/** Errors of the operating system that mean: no more room for now. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Causes that are looked at. */
const MAX_CAUSES = 6;

/** Whether an error, or what caused it, says that the disk has no room. */
export function isNoRoom(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if (isFault(current, 'DISK_FULL') || isFault(current, 'KV_NO_ROOM')) return true;
    if ('code' in current && typeof current.code === 'string' && NO_ROOM.has(current.code))
      return true;
    if (current.message.includes('No space left on device')) return true; // LevelDB has only text
    current = current.cause;
  }
  return false;
}

/** How long a measurement of the disk counts. */
const MEASURED_FOR_MS = 1000;

/** Keeps free space on the disk: replay waits below the reserve, so that reads go on. */
export class DiskRoom {
  readonly #deps: {
    readonly freeBytes: () => Promise<number | undefined>;
    readonly clock: Pick<Clock, 'monotonic'>;
  };
  readonly #reserveBytes: number;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #freeBytes: number | undefined;

  constructor(
    deps: {
      readonly freeBytes: () => Promise<number | undefined>;
      readonly clock: Pick<Clock, 'monotonic'>;
    },
    { reserveBytes }: { readonly reserveBytes: number },
  ) {
    this.#deps = deps;
    this.#reserveBytes = reserveBytes;
  }

  /** @throws {KvNodeError} KV_NO_ROOM */
  readonly require = async (): Promise<void> => {
    const nowMs = this.#deps.clock.monotonic();
    if (nowMs - this.#measuredAt >= MEASURED_FOR_MS) {
      this.#freeBytes = await this.#deps.freeBytes();
      this.#measuredAt = nowMs;
    }
    const freeBytes = this.#freeBytes;
    // What cannot be measured is tried: a disk that is full then says so itself.
    if (freeBytes === undefined || freeBytes >= this.#reserveBytes) return;
    throw new KvNodeError(
      { code: 'KV_NO_ROOM', neededBytes: this.#reserveBytes, freeBytes },
      `${freeBytes} bytes are free, ${this.#reserveBytes} are kept in reserve`,
    );
  };
}
