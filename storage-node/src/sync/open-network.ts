import { join } from 'node:path';
import { createPeerNetwork, openP2pKey } from '@cairn/node-runtime/p2p';
import type { Clock, Logger, Metrics, PeerNetwork } from '@cairn/primitives';
import { filesTopic, type PeerLog } from '@cairn/wire-protocol/peers';
import type { P2pConfig } from './sync-config.ts';

/** What opening the network works with. */
export interface OpenNetworkDeps {
  readonly config: P2pConfig;
  readonly dataDirectory: string;
  /** The logs that are kept: their topics are heard, and no others. */
  readonly logs: readonly PeerLog[];
  readonly drainMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The file of the data directory with the node's libp2p key. */
const KEY_NAME = 'p2p.key';

/**
 * The node's place in the network of peers, under a key that it keeps.
 *
 * @throws {P2pError} P2P_KEY; {StorageError}; what listening throws
 */
export async function openNetwork(deps: OpenNetworkDeps): Promise<PeerNetwork> {
  const { config, dataDirectory, logs, drainMs, clock, logger, metrics } = deps;
  const network = await createPeerNetwork({
    key: await openP2pKey(config.keyFile ?? join(dataDirectory, KEY_NAME)),
    listen: config.listen,
    announce: config.announce,
    topics: logs.map(filesTopic),
    mdns: config.mdns,
    clock,
    logger,
    metrics,
    limits: { drainMs, maxConnections: config.maxConnections },
  });
  logger.info(
    { peer: network.self, addresses: network.addresses },
    'the network of peers is joined',
  );
  return network;
}
