import type { FastifyReply } from 'fastify';

/** Node's own object for a reply. */
export type RawReply = FastifyReply['raw'];

/**
 * Calls `done` once: when `reply` is sent or its client is gone, at once if it is so already.
 *
 * A reply that waits behind others of its connection hears nothing when the connection closes: Node
 * tells only the one that is being sent. Therefore the connection is listened to as well.
 */
export function onceOver(reply: RawReply, done: () => void): void {
  if (isOver(reply)) {
    done();
    return;
  }
  const { socket } = reply.req;
  const over = (): void => {
    reply.off('close', over);
    socket.off('close', over);
    done();
  };
  socket.setMaxListeners(0); // as many as the client sends ahead
  reply.once('close', over);
  socket.once('close', over);
}

/** Whether a reply is sent or its client is gone. */
export function isOver(reply: RawReply): boolean {
  return reply.destroyed || reply.req.socket.destroyed;
}
