import type { Hasher } from '@cairn/commitments';
import {
  answerPlainOptions,
  createHttpHost,
  DiskProbe,
  type HttpHost,
} from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import { type Clock, type Logger, MIB } from '@cairn/primitives';
import type { NodeStatus, ShardConfig } from '@cairn/wire-protocol';
import type { StorageNodeConfig } from './config.ts';
import type { ConnectedChain } from './connect-chain.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { economicsDoor } from './doors/economics.ts';
import { entryDoors } from './doors/entries.ts';
import { fileRoutes } from './doors/files/file-routes.ts';
import { jsonRpcDoor } from './doors/json-rpc.ts';
import { RunMemory } from './doors/run-memory.ts';
import { sectorDoor } from './doors/sectors.ts';
import { segmentDoors } from './doors/segments.ts';
import { statusDoor } from './doors/status.ts';
import { readyReport } from './health.ts';
import type { NodeParts } from './node-parts.ts';
import { UnsentReplies } from './unsent-replies.ts';
import { VERSION } from './version.ts';
import type { JsonRpcDeps } from './zg-compat/answer-json-rpc.ts';

/** What the doors stand on. */
export interface PublicListenerDeps {
  readonly config: StorageNodeConfig;
  readonly parts: NodeParts;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly termsOf: ConnectedChain['termsOf'];
  /** The shards of other nodes, as their records say. */
  readonly peerShards: () => readonly ShardConfig[];
  /** The zgs_* methods. */
  readonly rpc: JsonRpcDeps;
  readonly status: () => NodeStatus;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

/** Memory for replies that clients have not taken yet: some 380 segments in base64. */
const UNSENT_BYTES: number = 128 * MIB;

/** The listener for everybody, with all doors of a storage node and none for admins. */
export function createPublicListener(deps: PublicListenerDeps): HttpHost {
  const { config, parts, hasher, clock, logger, metrics, rpc, status, stopping } = deps;
  const { termsOf, peerShards } = deps;
  const { log, shard, segments, finder, acceptor, segmentReader, gate, library } = parts;
  const { chainId } = log;
  const { readyLagBlocks } = config.storage;
  const unsent = new UnsentReplies({ maxBytes: UNSENT_BYTES });
  const probe = new DiskProbe({ clock }, config.node.dataDirectory);
  const host = createHttpHost({
    host: config.http.host,
    port: config.http.port,
    name: 'cairn-storage-node',
    version: VERSION,
    logger,
    metrics,
    limits: { maxConnections: config.limits.maxConnections, drainMs: config.limits.drainMs },
    describeProblem,
    live: () => probe.live(),
    ready: () => readyReport(parts, { maxLagBlocks: readyLagBlocks }),
    exposedHeaders: ['x-cairn-root', 'x-cairn-sequence', 'x-cairn-outcome'],
    routes: [
      segmentDoors({
        chainId,
        finder,
        acceptor,
        reader: segmentReader,
        runMemory: new RunMemory(),
        unsent,
        hasher,
        gate,
        stopping,
      }),
      sectorDoor({ finder, reader: segmentReader, hasher, stopping }),
      entryDoors({ chainId, shard, log, finder, store: segments, stopping }),
      economicsDoor({
        chainId,
        finder,
        termsOf,
        shards: () => [shard(), ...peerShards()],
        clock,
        stopping,
      }),
      statusDoor(status),
      fileRoutes({ library }),
      jsonRpcDoor({ ...rpc, gate, stopping }),
    ],
  });
  answerPlainOptions(host);
  boundReplies(host, unsent);
  return host;
}

/**
 * Replies that are sent whole are counted; streams hold little and wait for their reader, but for
 * segments, which their door counts.
 */
function boundReplies({ app }: HttpHost, unsent: UnsentReplies): void {
  app.addHook('onSend', (_, reply, payload, done) => {
    // Texts here are ASCII, so characters stand for bytes.
    if (typeof payload === 'string' || payload instanceof Uint8Array) {
      unsent.add(reply.raw, payload.length);
    }
    done();
  });
}
