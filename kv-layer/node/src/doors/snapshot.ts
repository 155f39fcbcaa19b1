import { exportSnapshot } from '@cairn/kv-layer';
import { type RouteGroup, readableFrom, requestSignal } from '@cairn/node-runtime/http';
import type { Answers } from '../answers.ts';
import { KvNodeError } from '../errors.ts';

/** What the door shows. */
export interface SnapshotDoorDeps {
  readonly answers: Answers;
  /** Aborts when the node begins to stop: a snapshot is not waited for. */
  readonly closing: AbortSignal;
}

/** Snapshots made at once: each reads everything once, at the speed of whoever takes it. */
const MAX_SNAPSHOTS = 2;
/** Small fields of a snapshot are sent together. */
const SENT_TOGETHER_BYTES = 65_536;

/**
 * `GET /v1/snapshot`: the newest state of all streams, as bytes for `importSnapshot`. It ends early, with
 * the connection, where the chain takes entries back meanwhile.
 */
export function snapshotDoor({ answers, closing }: SnapshotDoorDeps): RouteGroup {
  let running = 0;
  return (app) => {
    app.get(
      '/v1/snapshot',
      {
        schema: {
          operationId: 'getSnapshot',
          summary: 'The newest state of all streams, as bytes',
          tags: ['node'],
        },
      },
      async (_, reply) => {
        if (running >= MAX_SNAPSHOTS) {
          throw new KvNodeError(
            { code: 'KV_SNAPSHOTS_FULL', max: MAX_SNAPSHOTS },
            `${MAX_SNAPSHOTS} snapshots are being made already, which is the most allowed`,
          );
        }
        running += 1;
        let isRunning = true;
        const leave = (): void => {
          if (isRunning) running -= 1;
          isRunning = false;
        };
        const signal = requestSignal(reply, closing);
        signal.addEventListener('abort', leave, { once: true }); // one who goes before the first byte, too
        const pieces = async function* (): AsyncGenerator<Uint8Array, void, void> {
          try {
            yield* together(exportSnapshot(answers.state, { signal }));
          } finally {
            leave();
          }
        };
        void reply
          .header('content-type', 'application/octet-stream')
          .header('cache-control', 'no-store');
        return reply.send(readableFrom(pieces()));
      },
    );
  };
}

/** Pieces of at least so many bytes, but the last. */
async function* together(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let held = new Uint8Array(SENT_TOGETHER_BYTES);
  let length = 0;
  for await (const piece of pieces) {
    if (piece.length >= SENT_TOGETHER_BYTES || length + piece.length > SENT_TOGETHER_BYTES) {
      if (length > 0) yield held.subarray(0, length);
      held = new Uint8Array(SENT_TOGETHER_BYTES);
      length = 0;
      if (piece.length >= SENT_TOGETHER_BYTES) {
        yield piece;
        continue;
      }
    }
    held.set(piece, length);
    length += piece.length;
  }
  if (length > 0) yield held.subarray(0, length);
}
