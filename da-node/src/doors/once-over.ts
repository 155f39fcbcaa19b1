import type { HttpReplyOut } from '@cairn/node-runtime/http';

/** Node's own object for a reply. */
export type RawReply = HttpReplyOut['raw'];

/**
 * Calls `done` once: when `reply` is sent or its client is gone, at once if it is so already.
 *
 * A reply that waits behind others of its connection hears nothing when the connection closes: Node
 * tells only the one that is being sent. Therefore the connection is listened to as well.
 */
export function onceOver(reply: RawReply, done: () => void): void {
  const { socket } = reply.req;
  if (reply.destroyed || socket.destroyed) {
    done();
    return;
  }
  const over = (): void => {
    reply.off('close', over);
    socket.off('close', over);
    done();
  };
  socket.setMaxListeners(0); // as many as the client sends ahead
  reply.once('close', over);
  socket.once('close', over);
}
