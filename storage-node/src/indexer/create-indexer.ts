import { createClient } from '@cairn/client-sdk';
import { createHttpHost, type HealthReport, type RouteGroup } from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import type { Clock, HttpTransport, Logger, Rng } from '@cairn/primitives';
import { BodyGate } from '../body-gate.ts';
import { describeProblem } from '../doors/describe-problem.ts';
import { fileRoutes } from '../doors/files/file-routes.ts';
import { FileShelf } from '../doors/files/file-shelf.ts';
import { jsonRpcDoor } from '../doors/json-rpc.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { holderLibrary } from './holder-library.ts';
import { indexerMethods } from './indexer-methods.ts';
import { FileLocator } from './locate-file.ts';
import { NodeDirectory } from './node-directory.ts';

/** Where an indexer listens and which nodes it speaks for. */
export interface IndexerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Base URLs of storage nodes. */
  readonly trusted: readonly string[];
  readonly version: string;
  /** Time for running requests to end when it stops. */
  readonly drainMs: number;
  readonly maxConnections: number;
}

/** What an indexer is made of. */
export interface IndexerDeps {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** A running indexer: tells clients who keeps what, and serves files from their holders. */
export interface Indexer {
  /** Listens. @throws what listening throws, EADDRINUSE among it */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Base URL. @throws {Error} before `start` */
  readonly url: string;
}

/** How long the nodes' answers stand: well below what a person or a client's poll notices. */
const FRESH_MS = 1_000;
/** How long a trusted node may take to answer before it is left out. */
const NODE_TIMEOUT_MS = 3_000;
/** Memory for request bodies: they are small here, but for gateway segments of half a mebibyte. */
const BODY_BUDGET_BYTES: number = 8 * 1024 ** 2;
const MAX_WAITING_BODIES = 1_024;

/** An indexer over `trusted`; nothing is asked or listened to before `start`. */
export function createIndexer(options: IndexerOptions, deps: IndexerDeps): Indexer {
  const { clock, rng, logger, metrics, transport } = deps;
  const directory = new NodeDirectory(
    { transport, clock, logger },
    { trusted: options.trusted, freshMs: FRESH_MS, timeoutMs: NODE_TIMEOUT_MS },
  );
  const locator = new FileLocator({ directory, clock });
  const client = createClient({ nodes: options.trusted, transport, clock, rng, logger });
  const library = holderLibrary({ files: client.files, locator });
  const stopping = new AbortController();
  const routes: RouteGroup[] = [
    fileRoutes({ library }),
    gatewayRoutes({ directory, locator, shelf: new FileShelf(library), logger }),
    jsonRpcDoor({
      methods: indexerMethods({ directory, locator, rng }),
      clock,
      logger,
      gate: new BodyGate(
        { clock },
        { budgetBytes: BODY_BUDGET_BYTES, maxWaiting: MAX_WAITING_BODIES },
      ),
      stopping: stopping.signal,
    }),
  ];
  const host = createHttpHost({
    name: 'Cairn indexer',
    version: options.version,
    host: options.host,
    port: options.port,
    logger,
    metrics,
    routes,
    describeProblem,
    ready: () => readiness(directory),
    exposedHeaders: ['x-cairn-root'],
    limits: { drainMs: options.drainMs, maxConnections: options.maxConnections },
  });
  return {
    start: () => host.start(),
    async stop() {
      await host.stop();
      stopping.abort(new Error('the indexer stopped'));
      await client.close();
    },
    get url() {
      return host.address.url;
    },
  };
}

async function readiness(directory: NodeDirectory): Promise<HealthReport> {
  const nodes = await directory.nodes(AbortSignal.timeout(NODE_TIMEOUT_MS * 2));
  return nodes.length > 0
    ? { ok: true, reasons: [] }
    : { ok: false, reasons: [`none of ${directory.size} trusted nodes answers`] };
}
