/** Threads that run one module's work beside the main thread. */
export interface WorkerPool {
  /** How many tasks run at once; more wait in a queue of stated length. */
  readonly size: number;
  /**
   * Runs `task` on a free thread. Buffers in `transfer` move there and are gone here.
   *
   * @throws what the module threw, the signal's reason, or WORKER_LOST if the thread died
   */
  run<Result>(
    task: unknown,
    options: { readonly signal: AbortSignal; readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<Result>;
  close(): Promise<void>;
}
