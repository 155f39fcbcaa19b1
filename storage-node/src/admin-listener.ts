import { relative } from 'node:path';
import { createHttpHost, type HttpHost, type RouteGroup } from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import type { Logger } from '@cairn/primitives';
import { type AdminDoorDeps, adminDoor } from './doors/admin.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { miningDoor } from './doors/mining.ts';
import { upkeepDoor } from './doors/upkeep.ts';
import { StorageNodeError } from './errors.ts';
import type { Mining } from './mining/create-mining.ts';
import type { Upkeep } from './upkeep/create-upkeep.ts';
import { VERSION } from './version.ts';

/** Longest path of a unix socket that systems take, a terminating zero not counted. */
const MAX_SOCKET_PATH_BYTES = 103;

/** The listener for the owner of the process: a unix socket, never a port. */
export function createAdminListener({
  socketPath,
  logger,
  metrics,
  door,
  upkeep,
  mining,
  mountPath,
  routes = [],
}: {
  readonly socketPath: string;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly door: AdminDoorDeps;
  readonly upkeep: Upkeep;
  readonly mining: Mining | undefined;
  /** The path below which another listener hands requests on; it listens itself unless told. */
  readonly mountPath?: string;
  /** More routes. */
  readonly routes?: readonly RouteGroup[];
}): HttpHost {
  return createHttpHost({
    socketPath,
    name: 'cairn-storage-node-admin',
    version: VERSION,
    logger,
    metrics,
    limits: { maxConnections: 16, drainMs: 1000 },
    describeProblem,
    ...(mountPath === undefined ? {} : { mountPath }),
    routes: [adminDoor(door), upkeepDoor(upkeep, door.stopping), miningDoor(mining), ...routes],
  });
}

/**
 * A socket path that the system takes: relative to the working directory if the whole is too long.
 *
 * @throws {StorageNodeError} NODE_CONFIG if neither fits
 */
export function fittingSocketPath(path: string): string {
  const candidates = [path, relative(process.cwd(), path)];
  const fitting = candidates.find(
    (candidate) => Buffer.byteLength(candidate) <= MAX_SOCKET_PATH_BYTES,
  );
  if (fitting !== undefined) return fitting;
  throw new StorageNodeError(
    { code: 'NODE_CONFIG', field: 'admin.socket' },
    `the admin socket ${path} is longer than the ${MAX_SOCKET_PATH_BYTES} bytes a socket path may have; set admin.socket`,
  );
}
