import { Readable } from 'node:stream';
import { MIB } from '@cairn/primitives';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpError } from './problem.ts';

/** Bodies that a group of routes takes as bytes, whatever their content type. */
export interface RawBodyOptions {
  /** Bytes of a body, at most; a route's own `bodyLimit` counts instead where it has one. */
  readonly maxBytes?: number;
}

/**
 * Lets this group's routes take whole bodies as bytes: read them with `bodyBytes`.
 *
 * A body whose announced length is over the bound is refused before a byte of it is read, one
 * without a length as soon as it passes the bound: 413.
 */
export function acceptBytes(app: FastifyInstance, { maxBytes = MIB }: RawBodyOptions = {}): void {
  app.removeAllContentTypeParsers();
  boundBodies(app, maxBytes);
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBytes }, (_, body, done) => {
    done(null, body);
  });
}

/** Lets this group's routes take bodies as they arrive: read them with `bodyStream`. */
export function acceptStreams(app: FastifyInstance, { maxBytes = MIB }: RawBodyOptions = {}): void {
  app.removeAllContentTypeParsers();
  boundBodies(app, maxBytes);
  app.addContentTypeParser('*', (request, payload, done) => {
    const limit = request.routeOptions.bodyLimit ?? maxBytes;
    if (Number(request.headers['content-length']) > limit) {
      done(tooLong(limit));
      return;
    }
    done(null, new IncomingBody(payload, limit));
  });
}

/** The bound of routes that set none themselves. */
function boundBodies(app: FastifyInstance, maxBytes: number): void {
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= maxBytes;
  });
}

/** The body of a route under `acceptBytes`; empty if the request had none. */
export function bodyBytes({ body }: Pick<FastifyRequest, 'body'>): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (body instanceof Uint8Array) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new TypeError('this route is not in a group that takes bytes');
}

/**
 * The body of a route under `acceptStreams`, to be iterated once; empty if the request had none.
 *
 * Iterating throws {HttpError} WIRE_TOO_LONG, BODY_CUT_SHORT.
 */
export function bodyStream({ body }: Pick<FastifyRequest, 'body'>): AsyncIterable<Uint8Array> {
  if (body === undefined || body === null) return emptyBody();
  if (body instanceof IncomingBody) return body;
  throw new TypeError('this route is not in a group that takes streams');
}

/**
 * A stream to reply with that pulls from `source` as fast as the client takes it, and stops it if
 * the client leaves.
 */
export function readableFrom(source: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(source, { objectMode: false });
}

class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly #payload: AsyncIterable<Buffer>;
  readonly #limit: number;

  constructor(payload: AsyncIterable<Buffer>, limit: number) {
    this.#payload = payload;
    this.#limit = limit;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    let length = 0;
    try {
      for await (const piece of this.#payload) {
        length += piece.length;
        if (length > this.#limit) throw tooLong(this.#limit);
        yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      }
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw new HttpError(
        { code: 'BODY_CUT_SHORT' },
        `the body ended early, after ${length} bytes`,
        { cause: error },
      );
    }
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array, void, void> {
  // nothing was sent
}

function tooLong(maxBytes: number): HttpError {
  return new HttpError(
    { code: 'WIRE_TOO_LONG', maxBytes },
    `the body is longer than the ${maxBytes} bytes allowed here`,
  );
}
