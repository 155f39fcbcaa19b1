import type { HealthReport } from '@cairn/node-runtime/http';
import type { Logger } from '@cairn/primitives';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import type { ByteBudget } from '../../byte-budget.ts';
import { callerOfCall, type DisperserCallsDeps, disperserCalls } from './disperser-calls.ts';
import { describeDisperser, ZG_MAX_BLOB_BYTES } from './disperser-messages.ts';
import { createGrpcHost, type GrpcHost, type GrpcHostOptions } from './grpc-host.ts';
import { describeHealth, healthCalls } from './health.ts';
import { describeReflection, reflectionCalls } from './reflection.ts';

/** What the door for 0G clients needs. */
export interface ZgGrpcDoorDeps extends DisperserCallsDeps {
  /** Memory for payloads that arrive. */
  readonly arriving: ByteBudget;
  readonly ready: () => HealthReport;
  readonly logger: Logger;
}

/** A message around the largest blob has 5 bytes more: its field's number and its length. */
const MAX_MESSAGE_BYTES: number = ZG_MAX_BLOB_BYTES + 64;
/** What a request may have beside its payload; taking apart many small fields is slow. */
const MAX_BESIDE_BYTES = 4096;

/**
 * The disperser that 0G clients know: `disperser.Disperser` over gRPC, with health and reflection.
 * `storage_root` carries the ZR1 commitment; request ids are this server's own.
 */
export function createZgGrpcDoor(deps: ZgGrpcDoorDeps, options: GrpcHostOptions): GrpcHost {
  const disperser = describeDisperser();
  const health = describeHealth();
  const [reflection, older] = [describeReflection('v1'), describeReflection('v1alpha')];
  const described = [disperser, health, reflection, older];
  const files = described.map(({ file }) => file);
  const names = files.flatMap((file) => file.services.map(({ typeName }) => typeName));
  const routes = (router: ConnectRouter): void => {
    router.service(disperser.service, disperserCalls(deps));
    router.service(health.service, healthCalls(names, deps.ready));
    for (const { service } of [reflection, older]) router.service(service, reflectionCalls(files));
  };
  const disperse = {
    maxBytes: MAX_MESSAGE_BYTES,
    admit: (headers: Headers) => deps.disperser.requireAccount(callerOfCall(headers)),
    check: requireOnePayload,
  };
  return createGrpcHost(
    { ...deps, routes, intakes: { '/disperser.Disperser/DisperseBlob': disperse } },
    options,
  );
}

/** The tag of `bytes data = 1`. */
const DATA_TAG = 0x0a;

/** Refuses a large message that is not one payload and little else. @throws {ConnectError} */
export function requireOnePayload(message: Uint8Array): void {
  if (message.length <= MAX_BESIDE_BYTES) return;
  let length = 0;
  let at = 1;
  for (let shift = 0; shift < 35 && at < message.length; shift += 7) {
    const byte = message[at] ?? 0;
    at += 1;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const beside = message.length - at - length;
  if (message[0] === DATA_TAG && beside >= 0 && beside <= MAX_BESIDE_BYTES) return;
  throw new ConnectError(
    `a message of ${message.length} bytes is not a request with its data first`,
    Code.InvalidArgument,
  );
}
