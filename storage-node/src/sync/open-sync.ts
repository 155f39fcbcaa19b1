import type { Hasher } from '@cairn/commitments';
import type { Clock, Logger, Metrics, Rng } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';
import type { NodeParts } from '../node-parts.ts';
import { Sync } from './create-sync.ts';
import type { Peers } from './open-peers.ts';
import { PeerUrls } from './peer-urls.ts';

/** What opening works with. */
export interface OpenSyncDeps {
  /** Of this chain. */
  readonly config: StorageNodeConfig;
  readonly parts: NodeParts;
  readonly peers: Peers;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where the doors of this chain are. */
  readonly listenerUrl: () => string;
}

/** A chain's part in the network: it serves, hears and answers from now on. */
export async function openSync(deps: OpenSyncDeps): Promise<Sync> {
  const { config, parts, peers, clock, logger, metrics, listenerUrl } = deps;
  const { p2p } = config;
  const { log, segments, finder, segmentReader, disk, settle } = parts;
  const urls = new PeerUrls({ clock });
  const sync = new Sync(
    {
      network: peers.viewFor({ chainId: log.chainId, flow: log.flow }),
      transport: peers.transport,
      mayAsk: async (url) => p2p.privateUrls || urls.isPublic(url),
      log,
      store: segments,
      finder,
      reader: segmentReader,
      hasher: deps.hasher,
      hashing: peers.hashing,
      disk,
      settle,
      shard: parts.shard,
      publicUrl: () => (p2p.publicUrl === 'listener' ? listenerUrl() : p2p.publicUrl),
      clock,
      rng: deps.rng,
      logger,
      metrics,
    },
    {
      boot: p2p.boot,
      targetPeers: p2p.targetPeers,
      parallelRequests: p2p.parallelRequests,
      fills: p2p.sync,
    },
  );
  await sync.open();
  return sync;
}
