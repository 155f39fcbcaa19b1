import { setMaxListeners } from 'node:events';

/** A signal of several, to be released when nobody waits any more. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Aborts it, and leaves nothing behind on the others. */
  release(reason?: unknown): void;
}

/**
 * Aborts with the first that does. Unlike `AbortSignal.any`, nothing of it stays with a signal that
 * lives as long as the host.
 */
export function linkSignals(...signals: readonly AbortSignal[]): LinkedSignal {
  const linked = new AbortController();
  setMaxListeners(0, linked.signal);
  const listeners = signals.map((signal) => {
    const onAbort = (): void => linked.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return { signal, onAbort };
  });
  return {
    signal: linked.signal,
    release: (reason = new Error('nobody waits any more')) => {
      for (const { signal, onAbort } of listeners) signal.removeEventListener('abort', onAbort);
      linked.abort(reason);
    },
  };
}
