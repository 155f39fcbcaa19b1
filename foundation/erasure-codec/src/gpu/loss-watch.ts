import { describeError } from '@cairn/primitives';
import { CodecError } from '../errors.ts';

/** Whether a device is still there: what waits for it ends when it is not. */
export class LossWatch {
  readonly #waiting = new Set<(fault: CodecError) => void>();
  #fault: CodecError | undefined;

  /** The fault that everything ends with; `undefined` while the device is there. */
  get fault(): CodecError | undefined {
    return this.#fault;
  }

  /** The device is lost. The first reason counts, and is returned. */
  lose(reason: string, cause?: unknown): CodecError {
    this.#fault ??= lostFault(reason, cause);
    for (const reject of this.#waiting) reject(this.#fault);
    this.#waiting.clear();
    return this.#fault;
  }

  /** @throws {CodecError} DEVICE_LOST */
  throwIfLost(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /**
   * What `work` gives, unless the device is lost before. Work that fails is a device that is lost.
   *
   * @throws {CodecError} DEVICE_LOST
   */
  guard<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) reject(this.#fault);
      else this.#waiting.add(reject);
      work.then(
        (result) => {
          this.#waiting.delete(reject);
          resolve(result);
        },
        (error: unknown) => {
          this.#waiting.delete(reject);
          reject(this.lose(describeError(error), error));
        },
      );
    });
  }
}

function lostFault(reason: string, cause: unknown): CodecError {
  return new CodecError({ code: 'DEVICE_LOST', reason }, `the device is lost: ${reason}`, {
    cause,
  });
}
