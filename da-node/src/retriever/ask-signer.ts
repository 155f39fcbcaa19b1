import { withDeadline } from '@cairn/primitives';
import type { ReaderDeps } from './read-blob.ts';

/** One question to a signer, with this reader's deadline. @throws {DeadlineError}; what it throws */
export function askSigner<Result>(
  { clock, timeoutMs }: Pick<ReaderDeps, 'clock' | 'timeoutMs'>,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return withDeadline('a signer’s answer', timeoutMs, ask, { clock, signal });
}
