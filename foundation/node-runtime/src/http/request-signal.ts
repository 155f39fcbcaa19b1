import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { onceOver } from './once-over.ts';

/** Why work for a request ends early: nobody waits for it any more. */
export class ClientGone extends Error {}

/**
 * A signal that aborts when the client goes before it has its reply, or when the node stops.
 *
 * Listeners instead of `AbortSignal.any`: Node 20 keeps a trace of every signal derived from one
 * that lives as long as the process.
 */
export function requestSignal(
  { raw }: Pick<FastifyReply, 'raw'>,
  stopping: AbortSignal,
): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(stopping.reason);
  if (stopping.aborted) stop();
  setMaxListeners(0, stopping); // one for each request under way
  stopping.addEventListener('abort', stop, { once: true });
  onceOver(raw, () => {
    stopping.removeEventListener('abort', stop);
    if (raw.writableFinished) return;
    controller.abort(new ClientGone('the client closed the connection'));
  });
  return controller.signal;
}
