import { availableParallelism } from 'node:os';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { createWorkerPool, siblingModule } from '@cairn/node-runtime/workers';
import type {
  Clock,
  HttpTransport,
  Logger,
  Metrics,
  PeerNetwork,
  WorkerPool,
} from '@cairn/primitives';
import type { PeerLog } from '@cairn/wire-protocol/peers';
import type { StorageNodeConfig } from '../config.ts';
import { openNetwork } from './open-network.ts';
import { SharedNetwork } from './shared-network.ts';

/** What opening works with. */
export interface OpenPeersDeps {
  /** Of the whole node. */
  readonly config: StorageNodeConfig;
  /** Every log that is kept. */
  readonly logs: readonly PeerLog[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the whole node: connections carry no chain. */
  readonly metrics: Metrics;
  /** A network that is there already; unless given, libp2p. */
  readonly network: PeerNetwork | undefined;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** What all chains of a node share of its peers. */
export interface Peers {
  /** The network as one chain sees it. */
  readonly viewFor: (log: PeerLog) => PeerNetwork;
  readonly transport: HttpTransport;
  /** `undefined` on a machine with one core: what peers give is hashed where it comes in. */
  readonly hashing: WorkerPool | undefined;
}

/** Threads that hash what peers give: beyond these the disk is what is waited for. */
const MAX_HASHING_THREADS = 4;

/** Joins the network of peers, once for all chains. @throws as `openNetwork` */
export async function openPeers(deps: OpenPeersDeps): Promise<Peers> {
  const { config, logs, clock, logger, metrics, opened } = deps;
  const network =
    deps.network ??
    (await openNetwork({
      config: config.p2p,
      dataDirectory: config.node.dataDirectory,
      logs,
      drainMs: config.limits.drainMs,
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
  if (logs.length === 1) return { viewFor: () => network, transport, hashing };
  const shared = new SharedNetwork({ network, clock });
  return { viewFor: (log) => shared.viewFor(log), transport, hashing };
}
