import {
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { isRecord } from '@cairn/primitives';
import { RpcError, WireError } from '@cairn/wire-protocol';
import type { Queries, Query } from '../kvx/queries.ts';
import { KvxRequest } from '../kvx/requests.ts';

/** What the routes ask. */
export interface StreamDoorDeps {
  readonly queries: Queries;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

/**
 * The `kvx_*` questions as `GET` routes: `/v1/streams/{stream}/keys`, `…/value` (`key`, `start`,
 * `length`), `…/values` (`keys` separated by commas), `…/changes`, `…/history`, `…/find`, `…/proof`, `…/root`,
 * `…/statement`, and `/v1/holes`. Fields are those of the methods, keys in base64 of either alphabet.
 */
export function streamDoor({ queries, stopping }: StreamDoorDeps): RouteGroup {
  return (app) => {
    const route = (path: string, operationId: string, summary: string, query: Query): void => {
      app.get(path, { schema: { operationId, summary, tags: ['streams'] } }, (request, reply) =>
        answer(request, reply, query, stopping),
      );
    };
    const under = (name: string): string => `/v1/streams/:stream/${name}`;
    route(under('keys'), 'scanKeys', 'Keys and values in order, a page at a time', queries.scan);
    route(under('values'), 'getValues', 'Values of several keys at one version', queries.multiGet);
    route(under('value'), 'getValue', 'A value, as kv_getValue gives it', queries.value);
    route(under('changes'), 'getChanges', 'Keys that changed after a version', queries.difference);
    route(under('history'), 'getHistory', 'Versions of a key, newest first', queries.history);
    route(under('find'), 'findKeys', 'Keys by a field of their values', queries.find);
    route(under('proof'), 'getProof', 'Proves keys or a range under the state root', queries.proof);
    route(under('root'), 'getRoot', 'The state root at a version', queries.root);
    route(under('statement'), 'getStatement', 'The state root, signed', queries.statement);
    route('/v1/holes', 'getHoles', 'Entries whose files were given up', queries.holes);
  };
}

async function answer(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  query: Query,
  stopping: AbortSignal,
): Promise<unknown> {
  const { params, query: fields } = request;
  const asked = {
    ...(isRecord(fields) ? fields : {}),
    ...(isRecord(params) ? params : {}),
  };
  void reply.header('cache-control', 'no-store');
  try {
    return await query(new KvxRequest(asked, { isAddress: true }), {
      signal: requestSignal(reply, stopping),
    });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const { rpcMessage } = error.facts;
    const field = rpcMessage.replace(/^Invalid params: /, '');
    throw new WireError(
      { code: 'WIRE_FIELD', what: 'query', field, expected: error.message, actual: '' },
      error.message,
    );
  }
}
