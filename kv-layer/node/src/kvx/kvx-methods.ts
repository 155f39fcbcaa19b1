import { BatchError, StateError } from '@cairn/kv-layer';
import {
  type JsonRpcHandler,
  type JsonRpcHandlers,
  RPC_INVALID_PARAMS,
  RPC_SERVER_ERROR,
  rpcError,
} from '@cairn/wire-protocol';
import { KvNodeError } from '../errors.ts';
import type { Queries, Query } from './queries.ts';
import { KvxRequest } from './requests.ts';

/** Faults of a question, not of the node. */
const ASKED_WRONG: ReadonlySet<string> = new Set([
  'KV_TOO_MUCH',
  'KV_CURSOR',
  'KV_KEY_EMPTY',
  'KV_SLICE_START',
]);

/** The `kvx_*` methods: each takes one object. Faults carry their code as `data.code`. */
export function kvxMethods(queries: Queries): JsonRpcHandlers {
  const method =
    (query: Query): JsonRpcHandler =>
    async (request, options) => {
      try {
        return await query(KvxRequest.of(request), options);
      } catch (error) {
        const isOurs = [StateError, BatchError, KvNodeError].some((kind) => error instanceof kind);
        if (!isOurs) throw error;
        const { code, message } = error as StateError | BatchError | KvNodeError;
        const number = ASKED_WRONG.has(code) ? RPC_INVALID_PARAMS : RPC_SERVER_ERROR;
        throw rpcError({ code: number, message, data: { code } });
      }
    };
  return {
    kvx_scan: method(queries.scan),
    kvx_multiGet: method(queries.multiGet),
    kvx_diff: method(queries.difference),
    kvx_history: method(queries.history),
    kvx_find: method(queries.find),
    kvx_getProof: method(queries.proof),
    kvx_getRoot: method(queries.root),
    kvx_getStatement: method(queries.statement),
    kvx_getHoles: method(queries.holes),
  };
}
