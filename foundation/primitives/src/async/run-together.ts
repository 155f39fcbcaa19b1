/**
 * Runs loops beside each other until `signal` aborts or one fails: the others' signal aborts then, and all
 * are awaited.
 *
 * @throws the signal's reason; what the first loop that failed threw
 */
export async function runTogether(
  loops: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const inner = AbortSignal.any([signal, failed.signal]);
  const running = loops.map((loop) =>
    loop(inner).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(running);
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
}
