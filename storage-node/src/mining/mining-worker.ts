import { loadPoraKernel, type PoraKernel } from '@cairn/pora';
import { isRecord } from '@cairn/primitives';
import { mineSlice } from './mine-slice.ts';
import { sealSegment } from './seal-segment.ts';
import type { MineTask, SealTask } from './worker-tasks.ts';

/** The thread's kernel: compiled once, with the first task. */
let loading: Promise<PoraKernel> | undefined;

/**
 * Entry for worker threads.
 *
 * @param task - a `SealTask` or a `MineTask`
 * @returns its result
 * @throws {RangeError} if the task is neither
 */
export async function run(task: unknown): Promise<unknown> {
  loading ??= loadPoraKernel();
  const kernel = await loading;
  if (isTask<SealTask>(task, 'seal')) return sealSegment(task, kernel);
  if (isTask<MineTask>(task, 'mine')) return mineSlice(task, kernel);
  throw new RangeError('a mining task seals or mines');
}

/** What is sent here comes from this package's own code, so its kind says all. */
function isTask<Task extends { readonly kind: string }>(
  task: unknown,
  kind: Task['kind'],
): task is Task {
  return isRecord(task) && task['kind'] === kind;
}
