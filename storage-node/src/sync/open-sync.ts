import { availableParallelism } from 'node:os';
import type { Hasher } from '@cairn/commitments';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { createWorkerPool, siblingModule } from '@cairn/node-runtime/workers';
import type { Clock, Logger, Metrics, PeerNetwork, Rng } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';
import type { NodeParts } from '../node-parts.ts';
import { Sync } from './create-sync.ts';
import { openNetwork } from './open-network.ts';
import { PeerUrls } from './peer-urls.ts';

/** What opening works with. */
export interface OpenSyncDeps {
  readonly config: StorageNodeConfig;
  readonly parts: NodeParts;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where the public listener is. */
  readonly listenerUrl: () => string;
  /** A network that is there already; unless given, libp2p. */
  readonly network: PeerNetwork | undefined;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** Threads that hash what peers give: beyond these the disk is what is waited for. */
const MAX_HASHING_THREADS = 4;

/** The node's part in the network, with its connections open. @throws as `openNetwork` */
export async function openSync(deps: OpenSyncDeps): Promise<Sync> {
  const { config, parts, clock, logger, metrics, opened, listenerUrl } = deps;
  const { p2p, node, limits } = config;
  const { log, segments, finder, segmentReader, disk, settle } = parts;
  const network =
    deps.network ??
    (await openNetwork({
      config: p2p,
      dataDirectory: node.dataDirectory,
      log: { chainId: log.chainId, flow: log.flow },
      drainMs: limits.drainMs,
      clock,
      logger,
      metrics,
    }));
  opened(() => network.stop());
  const transport = createNodeTransport();
  opened(() => transport.close());
  const cores = availableParallelism();
  const hashing =
    cores === 1
      ? undefined
      : createWorkerPool({
          module: siblingModule('./hash-worker', import.meta.url),
          size: Math.min(cores - 1, MAX_HASHING_THREADS),
        });
  opened(async () => hashing?.close());
  const urls = new PeerUrls({ clock });
  const sync = new Sync(
    {
      network,
      transport,
      mayAsk: async (url) => p2p.privateUrls || urls.isPublic(url),
      log,
      store: segments,
      finder,
      reader: segmentReader,
      hasher: deps.hasher,
      hashing,
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
