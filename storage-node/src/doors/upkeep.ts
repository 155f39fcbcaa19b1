import { acceptBytes, bodyBytes, type RouteGroup, requestSignal } from '@cairn/node-runtime/http';
import { isRecord, parseJson, utf8Text } from '@cairn/primitives';
import { parseShardText } from '@cairn/wire-protocol';
import { StorageNodeError } from '../errors.ts';
import type { Upkeep } from '../upkeep/create-upkeep.ts';
import { scrubReportJson } from '../upkeep/scrub.ts';

/** Requests are a few words. */
const MAX_BODY_BYTES = 4096;

/** What the routes show and begin. */
export type UpkeepDoorDeps = Pick<Upkeep, 'scrubber' | 'changeShard' | 'shardJson' | 'countsJson'>;

/**
 * Routes of the admin socket about the disk. `GET /v1/admin/scrub`, and `POST /v1/admin/scrub`, which
 * begins a pass now; `{"bytesPerSecond": N}` sets the rate of that pass and lifts its duty.
 * `GET /v1/admin/db` counts what is stored. `GET /v1/admin/shard`, and `PUT /v1/admin/shard` with `{"shard": "1/4"}`, which begins a change.
 */
export function upkeepDoor(
  { scrubber, changeShard, shardJson, countsJson }: UpkeepDoorDeps,
  stopping: AbortSignal,
): RouteGroup {
  return (app) => {
    acceptBytes(app, { maxBytes: MAX_BODY_BYTES });
    app.get('/v1/admin/scrub', async () => scrubReportJson(scrubber.report));
    app.post('/v1/admin/scrub', async (request, reply) => {
      const { bytesPerSecond } = parseBody(bodyBytes(request));
      if (bytesPerSecond === undefined) scrubber.start();
      else scrubber.start(requirePositive('bytesPerSecond', bytesPerSecond));
      void reply.code(202);
      return scrubReportJson(scrubber.report);
    });
    app.get('/v1/admin/db', async (_, reply) => countsJson(requestSignal(reply, stopping)));
    app.get('/v1/admin/shard', async () => shardJson());
    app.put('/v1/admin/shard', async (request, reply) => {
      const { shard } = parseBody(bodyBytes(request));
      const isBegun = await changeShard(parseShardText(String(shard)));
      void reply.code(isBegun ? 202 : 200);
      return shardJson();
    });
  };
}

/** The fields of a JSON body; none if it is empty. @throws {StorageNodeError} WIRE_REQUEST */
function parseBody(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch {
    value = undefined; // refused below
  }
  if (isRecord(value)) return value;
  throw new StorageNodeError(
    { code: 'WIRE_REQUEST', field: 'body', actual: typeof value },
    'the body must be a JSON object',
  );
}

function requirePositive(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw new StorageNodeError(
    { code: 'WIRE_REQUEST', field, actual: String(value) },
    `${field} must be a positive whole number, not ${String(value)}`,
  );
}
