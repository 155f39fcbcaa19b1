import { acceptBytes, bodyBytes, type RouteGroup, requestSignal } from '@cairn/node-runtime/http';
import type { LogLevel } from '@cairn/node-runtime/observe';
import { isRecord, type Json, parseJson, utf8Text } from '@cairn/primitives';
import { type AdjustableLogger, isLogLevel } from '../adjustable-logger.ts';
import { StorageNodeError } from '../errors.ts';
import { answerJsonRpc, type JsonRpcDeps } from '../zg-compat/answer-json-rpc.ts';

/** What the admin door shows and does. */
export interface AdminDoorDeps {
  readonly status: () => Promise<Json>;
  readonly log: AdjustableLogger;
  /** Begins an orderly stop and returns at once. */
  readonly shutdown: () => void;
  /** The admin_* methods. */
  readonly rpc: JsonRpcDeps;
  readonly stopping: AbortSignal;
}

/** Admin requests are a few words. */
const MAX_ADMIN_BODY_BYTES = 65_536;

/**
 * The routes of the admin socket: `GET /v1/admin/status`, `POST /v1/admin/shutdown`,
 * `GET|PUT /v1/admin/log-level`, and admin_* JSON-RPC on `POST /`.
 *
 * Never give this group to a host that listens on a port: whoever reaches it may stop the node.
 */
export function adminDoor(deps: AdminDoorDeps): RouteGroup {
  const { status, log, shutdown, rpc, stopping } = deps;
  return (app) => {
    acceptBytes(app, { maxBytes: MAX_ADMIN_BODY_BYTES });
    app.get('/v1/admin/status', async () => status());
    app.post('/v1/admin/shutdown', async (_, reply) => {
      shutdown();
      void reply.code(202);
      return { stopping: true };
    });
    app.get('/v1/admin/log-level', async () => ({ level: log.level }));
    app.put('/v1/admin/log-level', async (request) => {
      log.setLevel(parseLevel(bodyBytes(request)));
      return { level: log.level };
    });
    app.post('/', async (request, reply) => {
      const signal = requestSignal(reply, stopping);
      const answer = await answerJsonRpc(bodyBytes(request), rpc, signal);
      void reply.code(answer.status).type('application/json; charset=utf-8');
      return answer.text;
    });
  };
}

function parseLevel(bytes: Uint8Array): LogLevel {
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch {
    value = undefined; // refused below, like any other value that names no level
  }
  const level = isRecord(value) ? value['level'] : undefined;
  if (isLogLevel(level)) return level;
  throw new StorageNodeError(
    { code: 'WIRE_REQUEST', field: 'level', actual: typeof level },
    'the body must be {"level": "error" | "warn" | "info" | "debug" | "silent"}',
  );
}
