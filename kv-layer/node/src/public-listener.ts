import {
  answerPlainOptions,
  createHttpHost,
  DiskProbe,
  type HttpHost,
  takeRequests,
} from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import {
  type Address,
  type ChainId,
  type Clock,
  type Logger,
  MIB,
  Semaphore,
} from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import { RootAttester } from './attest/root-attester.ts';
import type { KvNodeConfig } from './config.ts';
import { serveEventSockets } from './doors/event-sockets.ts';
import { eventDoor, Listeners } from './doors/events.ts';
import { type JsonRpcDoorDeps, jsonRpcDoor } from './doors/json-rpc.ts';
import { QuickJsonRpc } from './doors/quick-json-rpc.ts';
import { QuickValues } from './doors/quick-values.ts';
import { snapshotDoor } from './doors/snapshot.ts';
import { statusDoor } from './doors/status.ts';
import { streamDoor } from './doors/streams.ts';
import { readyReport } from './health.ts';
import { ChangeFeed } from './kvx/change-feed.ts';
import { kvxMethods } from './kvx/kvx-methods.ts';
import { Queries } from './kvx/queries.ts';
import type { KvNodeParts } from './parts.ts';
import type { ReplayStatus } from './replay-status.ts';
import { VERSION } from './version.ts';
import { addStreamMethod } from './zg-compat/add-stream.ts';
import { kvMethods } from './zg-compat/kv-methods.ts';

/** What the doors stand on. */
export interface PublicListenerDeps {
  readonly config: KvNodeConfig;
  readonly parts: KvNodeParts;
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly status: () => ReplayStatus;
  /** Aborts when the node begins to stop. */
  readonly closing: AbortSignal;
  /** Aborts when the node stops for good. */
  readonly stopping: AbortSignal;
}

/** Characters of an answer: the official node's 30 MiB, room for a value of 16 MiB in base64. */
const MAX_REPLY_LENGTH: number = 30 * MIB;
/** Whole values of up to 16 MiB in memory at once, and calls that wait for theirs. */
const WHOLE_VALUES = 4;
const WHOLE_VALUES_WAITING = 256;
/** Bodies of up to 32 MiB in memory at once, and calls that wait on their socket. */
const LARGE_BODIES = 2;
const LARGE_BODIES_WAITING = 64;

/** The listener for everybody, with all doors of a key-value node and none for admins. */
export function createPublicListener(deps: PublicListenerDeps): HttpHost {
  const { config, parts, chainId, flow, clock, logger, metrics, status, stopping } = deps;
  const { limits, streams, node, chain } = config;
  const probe = new DiskProbe({ clock }, node.dataDirectory);
  const whole = {
    clock,
    turns: new Semaphore({ limit: WHOLE_VALUES, maxWaiting: WHOLE_VALUES_WAITING }),
    maxBytes: limits.wholeValueBytes,
  };
  const { answers, replayed, log, signer } = parts;
  const isVouchingBootstrapped = config.bootstrap?.isVouching ?? false;
  const about = { signer, answers, log, chainId, flow, isVouchingBootstrapped };
  const attester = new RootAttester(about);
  const queries = new Queries({ answers, attester, replayed, clock });
  const feed = new ChangeFeed({ ...parts, clock });
  const handlers = {
    ...kvxMethods(queries),
    ...kvMethods({ answers, whole }),
    ...addStreamMethod({
      chainId,
      isOpen: streams.isOpen,
      accounts: streams.accounts,
      add: async (stream) => {
        if (await parts.streams.add(stream)) parts.wanted.ring();
      },
    }),
  };
  const door: JsonRpcDoorDeps = {
    handlers,
    clock,
    logger,
    maxReplyLength: MAX_REPLY_LENGTH,
    onCall: ({ method, outcome, seconds }) =>
      parts.metrics.rpcDuration.observe(seconds, { method, code: outcome }),
    turns: new Semaphore({
      limit: limits.concurrentReads,
      maxWaiting: limits.queuedReads,
    }),
    largeTurns: new Semaphore({ limit: LARGE_BODIES, maxWaiting: LARGE_BODIES_WAITING }),
    stopping,
  };
  const events = { feed, listeners: new Listeners(), closing: deps.closing };
  const host = createHttpHost({
    host: config.http.host,
    port: config.http.port,
    name: 'cairn-kv-node',
    version: VERSION,
    logger,
    metrics,
    limits: { maxConnections: limits.maxConnections, drainMs: limits.drainMs },
    describeProblem: problemOf,
    live: () => probe.live(),
    ready: () => readyReport(status(), chain),
    routes: [
      statusDoor({ chainId, flow, answers, signer: attester.address, status }),
      streamDoor({ queries, stopping }),
      eventDoor(events),
      snapshotDoor({ answers, closing: deps.closing }),
      jsonRpcDoor(door),
    ],
  });
  answerPlainOptions(host);
  const onAnswer = (): void => parts.metrics.quickReads.add();
  const values = new QuickValues({ answers: parts.answers, logger, onAnswer });
  const quick = new QuickJsonRpc(door, values);
  return {
    app: host.app,
    get address() {
      return host.address;
    },
    open: () => host.open(),
    start: async () => {
      await host.start();
      takeRequests(
        host,
        (request, reply) => values.take(request, reply) || quick.take(request, reply),
      );
      serveEventSockets(host, { ...events, logger });
    },
    stop: () => host.stop(),
  };
}
