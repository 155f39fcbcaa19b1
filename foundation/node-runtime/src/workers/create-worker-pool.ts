import { setMaxListeners } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { WorkerPool } from '@cairn/primitives';
import { assertNatural, assertPositiveInteger, QueueFullError } from '@cairn/primitives';
import { WorkerError } from './errors.ts';
import { type ReplyMessage, type TaskMessage, unpackError } from './messages.ts';
import { startThread } from './start-thread.ts';

/** What a pool runs and how much of it. */
export interface WorkerPoolOptions {
  /**
   * The module that does the work. It exports `run(task)`, whose result, or promise of one, is
   * sent back; it may export `transferOf(result)`, naming the array buffers that move to the
   * caller instead of being copied.
   */
  readonly module: URL | string;
  /** Threads at most. They start when there is work for them and do not keep the process alive. */
  readonly size: number;
  /** Tasks that wait for a thread, at most; 1,024 unless told. */
  readonly maxQueued?: number;
}

interface Task {
  readonly message: TaskMessage;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  task: Task | undefined;
}

/**
 * A pool of threads that run one module's work.
 *
 * A thread that dies takes one task with it, and is replaced when the next task comes, so there
 * are never more restarts than tasks. The abort of a running task frees its caller at once and its
 * thread when the work is done.
 *
 * `run` throws what the module threw (a fault comes back as a `Fault` with its facts),
 * {QueueFullError} QUEUE_FULL, {WorkerError} WORKER_LOST, WORKER_MODULE, WORKER_POOL_CLOSED, or
 * the signal's reason.
 */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { module, size, maxQueued = 1024 } = options;
  assertPositiveInteger(size, 'size');
  assertNatural(maxQueued, 'maxQueued');
  return new ThreadPool(String(module), size, maxQueued);
}

class ThreadPool implements WorkerPool {
  readonly size: number;
  readonly #module: string;
  readonly #maxQueued: number;
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];
  readonly #queue = new Set<Task>();
  #nextId = 0;
  #closed: Promise<void> | undefined;

  constructor(module: string, size: number, maxQueued: number) {
    this.#module = module;
    this.size = size;
    this.#maxQueued = maxQueued;
  }

  async run<Result>(
    task: unknown,
    {
      signal,
      transfer = [],
    }: { readonly signal: AbortSignal; readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<Result> {
    signal.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closedFault();
    if (this.#isBusy() && this.#queue.size >= this.#maxQueued) {
      throw new QueueFullError(
        { code: 'QUEUE_FULL', running: this.#threads.size, waiting: this.#queue.size },
        `${this.#queue.size} tasks wait for a thread, which is the most allowed`,
      );
    }
    const result = await new Promise<unknown>((resolve, reject) => {
      const queued: Task = {
        message: { id: this.#nextId, task },
        transfer,
        resolve: (value) => {
          signal.removeEventListener('abort', onAbort);
          resolve(value);
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = (): void => {
        this.#queue.delete(queued); // a running one is left to its thread; nobody listens any more
        reject(signal.reason);
      };
      this.#nextId += 1;
      setMaxListeners(0, signal); // one signal serves many tasks, each listens until it is done
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.add(queued);
      this.#dispatch();
    });
    return result as Result;
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      const tasks = [...this.#queue];
      this.#queue.clear();
      for (const { task } of this.#threads) if (task !== undefined) tasks.push(task);
      for (const task of tasks) task.reject(this.#closedFault());
      await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
    })();
    return this.#closed;
  }

  #isBusy(): boolean {
    return this.#idle.length === 0 && this.#threads.size >= this.size;
  }

  #dispatch(): void {
    while (this.#queue.size > 0 && !this.#isBusy() && this.#closed === undefined) {
      const [task] = this.#queue;
      if (task === undefined) return;
      this.#queue.delete(task);
      let thread: Thread | undefined;
      try {
        thread = this.#idle.pop() ?? this.#start();
        thread.worker.postMessage(task.message, task.transfer);
        thread.task = task;
        thread.worker.ref();
      } catch (error) {
        if (thread !== undefined) this.#idle.push(thread);
        task.reject(error); // it holds something that cannot be sent, or no thread can be had
      }
    }
  }

  #start(): Thread {
    const worker = startThread(this.#module);
    const thread: Thread = { worker, task: undefined };
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (message: ReplyMessage) => this.#receive(thread, message));
    worker.on('messageerror', (error) => this.#drop(thread, error));
    worker.on('error', (error) => this.#drop(thread, error));
    worker.on('exit', (exitCode) => this.#drop(thread, undefined, exitCode));
    return thread;
  }

  #receive(thread: Thread, message: ReplyMessage): void {
    const { task } = thread;
    if (message.kind === 'unusable') {
      thread.task = undefined;
      task?.reject(
        new WorkerError(
          { code: 'WORKER_MODULE', module: this.#module },
          `${this.#module} cannot be run in a thread`,
          { cause: unpackError(message.error) },
        ),
      );
      this.#drop(thread, undefined);
      return;
    }
    if (task === undefined || task.message.id !== message.id) return;
    thread.task = undefined;
    thread.worker.unref();
    this.#idle.push(thread);
    if (message.kind === 'result') task.resolve(message.result);
    else task.reject(unpackError(message.error));
    this.#dispatch();
  }

  #drop(thread: Thread, cause: unknown, exitCode?: number): void {
    if (!this.#threads.delete(thread)) return;
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    thread.task?.reject(
      new WorkerError(
        { code: 'WORKER_LOST', module: this.#module, exitCode },
        `the thread running ${this.#module} died under a task`,
        cause === undefined ? undefined : { cause },
      ),
    );
    thread.task = undefined;
    void thread.worker.terminate();
    this.#dispatch();
  }

  #closedFault(): WorkerError {
    return new WorkerError(
      { code: 'WORKER_POOL_CLOSED', module: this.#module },
      `the pool that runs ${this.#module} is closed`,
    );
  }
}
