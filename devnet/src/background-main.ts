/**
 * The process of `devnet up --detach`: gets its options by message, answers once, then stays until
 * it is told to end.
 */
import { describeError } from '@cairn/primitives';
import type { BackgroundOptions } from './background.ts';
import { createDevnet } from './devnet.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
}
const stopped = new Promise<void>((resolve) => {
  stop.signal.addEventListener('abort', () => resolve(), { once: true });
});

process.once('message', (message) => {
  // Our own parent sends it, with the types this package gave it.
  run(message as BackgroundOptions)
    .then((exitCode) => process.exit(exitCode))
    .catch((error: unknown) => {
      process.stderr.write(`${describeError(error)}\n`);
      process.exit(1);
    });
});

async function run(options: BackgroundOptions): Promise<number> {
  try {
    const devnet = await createDevnet({
      ...options,
      signal: stop.signal,
      onEvent: (event) => {
        process.stdout.write(`${JSON.stringify(event)}\n`);
      },
    });
    answer({ readyAfterMs: devnet.readyAfterMs });
    const lost = await Promise.race([stopped, devnet.chainLost]);
    await devnet.stop();
    return lost === undefined ? 0 : 1;
  } catch (error) {
    answer({ failed: describeError(error) });
    return 1;
  }
}

/** Tells the starter, if it still listens. */
function answer(message: Readonly<Record<string, number | string>>): void {
  if (process.connected) process.send?.(message, () => process.disconnect());
}
