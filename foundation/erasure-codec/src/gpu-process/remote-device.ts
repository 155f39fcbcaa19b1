import { abortable, Semaphore } from '@cairn/primitives';
import { LossWatch } from '../gpu/loss-watch.ts';
import type { DeviceCall, RowDevice, RowMatrix } from '../gpu/row-device.ts';
import type { MatrixShape } from '../row-codec.ts';
import {
  MAX_UNDER_WAY,
  PIECE_BYTES,
  parseReply,
  type Reply,
  type Request,
  type Task,
  throwFault,
} from './messages.ts';

/** Requests that may wait while others are under way. */
const MAX_WAITING = 256;

/** The process at the other end. */
export interface RemoteProcess {
  /** Sends a message. Throws if the process is gone. */
  readonly send: (request: Request) => void;
  /** Whether replies are awaited: for as long as they are, the parent has to live. */
  readonly setBusy: (isBusy: boolean) => void;
  /** Ends the process and waits until it is gone. */
  readonly end: () => Promise<void>;
}

/** A device in another process: the parent's side. */
export class RemoteDevice implements RowDevice {
  readonly pieceBytes: number = PIECE_BYTES;
  readonly #process: RemoteProcess;
  readonly #watch = new LossWatch();
  readonly #turns = new Semaphore({ limit: MAX_UNDER_WAY, maxWaiting: MAX_WAITING });
  readonly #awaited = new Map<number, (reply: Reply) => void>();
  #lastId = 0;
  #lastMatrix = 0;

  constructor(process: RemoteProcess) {
    this.#process = process;
  }

  /** Takes a message of the process. One that is no reply loses the device. */
  receive(message: unknown): void {
    try {
      const reply = parseReply(message);
      this.#awaited.get(reply.id)?.(reply);
    } catch (error) {
      this.lose(String(error));
    }
  }

  /** The process is gone, or of no use: everything under way ends with DEVICE_LOST. */
  lose(reason: string): void {
    this.#watch.lose(reason);
  }

  /** @throws {CodecError} DEVICE_ABSENT, DEVICE_LOST; the signal's reason */
  async open(maxBufferBytes: number | undefined, call: DeviceCall): Promise<void> {
    await this.#ask({ call: 'open', maxBufferBytes }, call);
  }

  async create(shape: MatrixShape, call: DeviceCall): Promise<RowMatrix> {
    this.#lastMatrix += 1;
    const matrix = this.#lastMatrix;
    const release = (): void => {
      if (this.#watch.fault === undefined) this.#process.send({ release: matrix });
    };
    const ask = (task: Task, { signal }: DeviceCall): Promise<Uint8Array> =>
      this.#ask(task, { signal });
    try {
      const { log2K, dataRows, cosets, rows, rowBytes } = shape;
      const bare = { log2K, dataRows, cosets, rows, rowBytes };
      await ask({ call: 'create', matrix, shape: bare }, call);
    } catch (error) {
      release();
      throw error;
    }
    return {
      write: async (at, piece, options) => {
        await ask({ call: 'write', matrix, at, piece }, options);
      },
      encode: async (options) => {
        await ask({ call: 'encode', matrix }, options);
      },
      leaves: (options) => ask({ call: 'leaves', matrix }, options),
      combine: (coefficients, part, options) =>
        ask({ call: 'combine', matrix, part, coefficients }, options),
      read: (indexes, options) => ask({ call: 'read', matrix, indexes }, options),
      release,
    };
  }

  async close(): Promise<void> {
    this.lose('it was closed');
    await this.#process.end();
  }

  /** Waits for a task's turn and its reply. The turn lasts until the reply, also for who aborts. */
  #ask(task: Task, { signal }: DeviceCall): Promise<Uint8Array> {
    return abortable(
      this.#turns.run(() => this.#exchange(task, signal), signal),
      signal,
    );
  }

  async #exchange(task: Task, signal: AbortSignal): Promise<Uint8Array> {
    this.#watch.throwIfLost();
    this.#lastId += 1;
    const id = this.#lastId;
    const onAbort = (): void => {
      if (this.#watch.fault === undefined) this.#process.send({ abort: id });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const reply = await this.#watch.guard(this.#replyTo(id, task));
      if ('bytes' in reply) return reply.bytes;
      if (reply.fault.code === 'ABORTED') signal.throwIfAborted();
      return throwFault(reply.fault);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#awaited.delete(id);
      if (this.#awaited.size === 0) this.#process.setBusy(false);
    }
  }

  #replyTo(id: number, task: Task): Promise<Reply> {
    return new Promise((resolve) => {
      if (this.#awaited.size === 0) this.#process.setBusy(true);
      this.#awaited.set(id, resolve);
      this.#process.send({ id, task });
    });
  }
}
