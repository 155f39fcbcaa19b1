/** Work beside the main thread. */
export { createWorkerPool, type WorkerPoolOptions } from './create-worker-pool.ts';
export { WorkerError, type WorkerFault } from './errors.ts';
export { siblingModule } from './start-thread.ts';
