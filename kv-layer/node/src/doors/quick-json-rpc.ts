import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError, isFault } from '@cairn/primitives';
import { answerJsonRpcBody, jsonRpcErrorReply, RPC_SERVER_ERROR } from '@cairn/wire-protocol';
import { isJson, type JsonRpcDoorDeps, SMALL_BODY_BYTES } from './json-rpc.ts';
import type { QuickValues } from './quick-values.ts';
import { sendAscii, sendJson } from './send-json.ts';

/**
 * Answers small JSON-RPC calls on `POST /` without the routes around them: point reads are most of what
 * a node is asked, and routing, hooks and streams took two thirds of their CPU time. Everything else
 * is left to the routes, with the same answers.
 */
export class QuickJsonRpc {
  readonly #deps: JsonRpcDoorDeps;
  readonly #running = new Set<AbortController>();

  readonly #values: QuickValues;

  constructor(deps: JsonRpcDoorDeps, values: QuickValues) {
    this.#deps = deps;
    this.#values = values;
    const { stopping } = deps;
    const stop = (): void => {
      for (const call of this.#running) call.abort(stopping.reason);
    };
    stopping.addEventListener('abort', stop, { once: true });
  }

  /** Answers a request if it is one of those. */
  readonly take = (request: IncomingMessage, reply: ServerResponse): boolean => {
    const { method, url, rawHeaders } = request;
    if (method !== 'POST' || url !== '/' || this.#deps.stopping.aborted) return false;
    const length = Number(headerOf(rawHeaders, 'content-length') ?? Number.NaN);
    if (!(length <= SMALL_BODY_BYTES)) return false;
    if (!isJson(headerOf(rawHeaders, 'content-type'))) return false;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [first] = parts;
      const body = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
      // What can be said at once takes no turn: it is over before anybody else has one.
      const text = this.#values.answer(body);
      if (text === undefined) void this.#answer(body, reply);
      else sendAscii(reply, text);
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
      sendJson(reply, text, [], status);
    } catch (error) {
      if (call.signal.aborted) {
        reply.destroy();
        return;
      }
      const isFull = isFault(error, 'QUEUE_FULL');
      if (!isFull) this.#deps.logger.error({ error }, 'the json-rpc door failed');
      const message = isFull ? `too many calls at once: ${describeError(error)}` : 'Internal error';
      sendJson(reply, jsonRpcErrorReply(null, { code: RPC_SERVER_ERROR, message }));
    } finally {
      this.#running.delete(call);
    }
  }
}

/**
 * The first header of a name as it was sent: an object of all of them is made when it is first asked for.
 *
 * @param rawHeaders - names and values by turns
 * @param name - in small letters
 */
function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const other = rawHeaders[at];
    if (other?.length === name.length && other.toLowerCase() === name) return rawHeaders[at + 1];
  }
  return undefined;
}
