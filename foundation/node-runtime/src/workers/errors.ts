import { Fault } from '@cairn/primitives';

export type WorkerFault =
  /** The thread died under the task, which may have had effects and is not run again. */
  | { readonly code: 'WORKER_LOST'; readonly module: string; readonly exitCode: number | undefined }
  /** The module cannot be loaded in a thread or exports no `run`. */
  | { readonly code: 'WORKER_MODULE'; readonly module: string }
  | { readonly code: 'WORKER_POOL_CLOSED'; readonly module: string };

/** A task that got no answer from its thread. */
export class WorkerError extends Fault<WorkerFault> {}
