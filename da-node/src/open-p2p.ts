import { join } from 'node:path';
import { createP2pHost, openP2pKey, type P2pHost, randomP2pKey } from '@cairn/node-runtime/p2p';
import type { Clock, Logger, Metrics } from '@cairn/primitives';
import { isPeerAddress, MAX_SOCKET_BYTES } from '@cairn/wire-protocol/da';
import type { DaNodeConfig } from './config.ts';
import { DaNodeError } from './node-errors.ts';
import type { Opened } from './open-data.ts';

/** What opening works with. */
export interface OpenP2pDeps {
  readonly config: DaNodeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly opened: Opened;
}

/** The file of the data directory with a signer's libp2p key. */
const KEY_NAME = 'p2p.key';

/**
 * The process's libp2p host, if it is to have one: a signer listens, under a key that it keeps; other
 * roles only ask, each time as somebody else.
 *
 * @throws {P2pError} P2P_KEY; {StorageError}; what listening throws
 */
export async function openP2p({
  config,
  clock,
  logger,
  metrics,
  opened,
}: OpenP2pDeps): Promise<P2pHost | undefined> {
  const { p2p, node, limits } = config;
  if (!p2p.enabled) return undefined;
  const listens = node.roles.includes('signer');
  const key = listens ? await openP2pKey(join(node.dataDirectory, KEY_NAME)) : randomP2pKey();
  const host = await createP2pHost({
    key,
    listen: listens ? p2p.listen : [],
    clock,
    logger,
    metrics,
    limits: { drainMs: limits.drainMs },
  });
  opened('libp2p host', () => host.stop());
  const { peerId, addresses } = host;
  logger.info({ peerId, addresses }, 'libp2p is up');
  return host;
}

/**
 * What a signer registers for the address that it is told to: a multiaddress gets this host's peer id.
 *
 * @throws {DaNodeError} NODE_CONFIG for a multiaddress of another host, or too long for the registry
 */
export function registeredSocket(url: string, host: Pick<P2pHost, 'peerId'> | undefined): string {
  if (!url.startsWith('/') || host === undefined) return url;
  const peer = `/p2p/${host.peerId}`;
  const socket = isPeerAddress(url) ? url : `${url}${peer}`;
  if (socket.endsWith(peer) && socket.length <= MAX_SOCKET_BYTES) return socket;
  const why = socket.endsWith(peer) ? `has over ${MAX_SOCKET_BYTES} bytes` : 'is of another peer';
  throw new DaNodeError(
    { code: 'NODE_CONFIG', field: 'signer.url' },
    `signer.url ${why}: ${socket}; this one's peer id is ${host.peerId}`,
  );
}
