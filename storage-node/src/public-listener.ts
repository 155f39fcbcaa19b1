import type { Hasher } from '@cairn/commitments';
import {
  answerPlainOptions,
  createHttpHost,
  DiskProbe,
  type HealthCheck,
  type HttpHost,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import { type Clock, type Logger, MIB } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { KeptChain } from './chains/kept-chain.ts';
import type { StorageNodeConfig } from './config.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { economicsDoor } from './doors/economics.ts';
import { entryDoors } from './doors/entries.ts';
import { fileRoutes } from './doors/files/file-routes.ts';
import { jsonRpcDoor } from './doors/json-rpc.ts';
import { RunMemory } from './doors/run-memory.ts';
import { sectorDoor } from './doors/sectors.ts';
import { segmentDoors } from './doors/segments.ts';
import { statusDoor } from './doors/status.ts';
import { UnsentReplies } from './unsent-replies.ts';
import { VERSION } from './version.ts';

/** What the doors of a chain stand on. */
export interface ChainDoorsDeps {
  /** Of the chain. */
  readonly config: StorageNodeConfig;
  readonly chain: KeptChain;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** The memory of replies that all chains share. */
  readonly replies: ReplyMemory;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

/** Memory for replies: of what is read for them, and of what clients have not taken yet. */
export interface ReplyMemory {
  readonly runMemory: RunMemory;
  readonly unsent: UnsentReplies;
}

/** Memory for replies that clients have not taken yet: some 380 segments in base64. */
const UNSENT_BYTES: number = 128 * MIB;

/** The memory of replies of a node, however many chains it keeps. */
export function createReplyMemory(): ReplyMemory {
  return {
    runMemory: new RunMemory(),
    unsent: new UnsentReplies({ maxBytes: UNSENT_BYTES }),
  };
}

/** How a listener's doors differ from those of a chain alone. */
export interface PublicListenerOptions {
  /** Whether requests should be sent here. */
  readonly ready: HealthCheck;
  /** The path below which another listener hands requests on; it listens itself unless told. */
  readonly mountPath?: string;
  /** More routes. */
  readonly routes?: readonly RouteGroup[];
}

/** The listener for everybody, with all doors of a chain and none for admins. */
export function createPublicListener(
  deps: ChainDoorsDeps,
  { ready, mountPath, routes = [] }: PublicListenerOptions,
): HttpHost {
  const { config, chain, hasher, clock, logger, metrics, replies, stopping } = deps;
  const { log, shard, segments, finder, acceptor, segmentReader, gate, library } = chain.parts;
  const { chainId } = log;
  const { runMemory, unsent } = replies;
  const { termsOf } = chain.chain;
  const peerShards = (): readonly ShardConfig[] =>
    [...(chain.sync?.book.records() ?? [])].map(({ record }) => record.shard);
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
    ready,
    exposedHeaders: ['x-cairn-root', 'x-cairn-sequence', 'x-cairn-outcome'],
    ...(mountPath === undefined ? {} : { mountPath }),
    routes: [
      segmentDoors({
        chainId,
        finder,
        acceptor,
        reader: segmentReader,
        runMemory,
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
      statusDoor(() => chain.status()),
      fileRoutes({ library }),
      ...routes,
      jsonRpcDoor({ ...chain.rpc(chain.storageMethods()), gate, stopping }),
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
