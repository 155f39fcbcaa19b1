import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, isFault } from '@cairn/primitives';
import { answerJsonRpcBody, jsonRpcErrorReply, RPC_SERVER_ERROR } from '@cairn/wire-protocol';
import { isJson, JSON_TYPE, type JsonRpcDoorDeps, SMALL_BODY_BYTES } from './json-rpc.ts';

/**
 * Answers small JSON-RPC calls on `POST /` without the routes around them: point reads are most of what
 * a node is asked, and routing, hooks and streams took two thirds of their CPU time. Everything else
 * is left to the routes, with the same answers.
 */
export class QuickJsonRpc {
  readonly #deps: JsonRpcDoorDeps;
  readonly #running = new Set<AbortController>();

  constructor(deps: JsonRpcDoorDeps) {
    this.#deps = deps;
    const { stopping } = deps;
    const stop = (): void => {
      for (const call of this.#running) call.abort(stopping.reason);
    };
    stopping.addEventListener('abort', stop, { once: true });
  }

  /** Answers a request if it is one of those. */
  readonly take = (request: IncomingMessage, reply: ServerResponse): boolean => {
    const { method, url, headers } = request;
    const length = Number(headers['content-length'] ?? Number.NaN);
    if (method !== 'POST' || url !== '/' || !(length <= SMALL_BODY_BYTES)) return false;
    if (!isJson(headers['content-type']) || this.#deps.stopping.aborted) return false;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [first] = parts;
      const body = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
      void this.#answer(body, reply);
    });
    return true;
  };

  async #answer(body: Uint8Array, reply: ServerResponse): Promise<void> {
    const call = new AbortController();
    const leave = (): void => {
      this.#running.delete(call);
      if (!reply.writableFinished) call.abort(new Error('the client closed the connection'));
    };
    this.#running.add(call);
    reply.once('close', leave);
    try {
      const { turns } = this.#deps;
      const work = () => answerJsonRpcBody(body, this.#deps, call.signal);
      const { status, text } = await turns.run(work, call.signal);
      send(reply, status, text);
    } catch (error) {
      if (call.signal.aborted) {
        reply.destroy();
        return;
      }
      const isFull = isFault(error, 'QUEUE_FULL');
      if (!isFull) this.#deps.logger.error({ error }, 'the json-rpc door failed');
      const message = isFull ? `too many calls at once: ${describeError(error)}` : 'Internal error';
      send(reply, 200, jsonRpcErrorReply(null, { code: RPC_SERVER_ERROR, message }));
    } finally {
      this.#running.delete(call);
    }
  }
}

function send(reply: ServerResponse, status: number, text: string): void {
  if (reply.destroyed) return;
  reply.writeHead(status, {
    'content-type': JSON_TYPE,
    'content-length': Buffer.byteLength(text),
    'access-control-allow-origin': '*',
  });
  reply.end(text);
}
