import type { HttpReplyOut } from '@cairn/node-runtime/http';

/** Why work for a request ends early: nobody waits for it any more. */
export class ClientGone extends Error {}

/** A signal that aborts when the client goes before it has its reply, or when the node stops. */
export function requestSignal(reply: HttpReplyOut, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new ClientGone('the client closed the connection'));
  });
  return AbortSignal.any([gone.signal, stopping]);
}
