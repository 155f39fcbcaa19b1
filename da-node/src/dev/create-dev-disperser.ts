import { blstBackend } from '@cairn/attestation/native';
import { randomKey, signerFromKey } from '@cairn/chain-access';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import {
  createHttpHost,
  type HttpHost,
  type HttpProblem,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import { createMetrics, type MetricsRegistry } from '@cairn/node-runtime/observe';
import {
  type Json,
  type Logger,
  memoryKeyValueStore,
  systemClock,
  systemRng,
  toHex,
} from '@cairn/primitives';
import { ByteBudget } from '../byte-budget.ts';
import { openAccounts } from '../disperser/accounts.ts';
import { createDispersal, type DispersalSettings } from '../disperser/create-dispersal.ts';
import { describeProblem } from '../doors/describe-problem.ts';
import { disperserDoors } from '../doors/disperser-doors.ts';
import type { PutStage } from '../doors/op-stack/op-stack-doors.ts';
import { type PayloadReader, REPLY_BYTES } from '../doors/read-payload.ts';
import { createZgGrpcDoor } from '../doors/zg-grpc/zg-grpc-door.ts';
import { RetrievalError } from '../retriever/errors.ts';
import { VERSION } from '../version.ts';
import { adminDoors, epochFile } from './admin-doors.ts';
import { DevEntrance } from './dev-entrance.ts';
import { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK, DEV_SEATS } from './dev-network.ts';
import { DevPayloads } from './dev-payloads.ts';
import { DevSigners } from './dev-signers.ts';
import { DevError } from './errors.ts';
import { SwitchedDisperser } from './switched-disperser.ts';
import { MAX_LATENCY_MS, Switches, type SwitchState } from './switches.ts';

/** Where a disperser without a chain listens, and how it begins. */
export interface DevDisperserOptions {
  /** Of the doors for rollups; switches are on loopback alone. */
  readonly host: string;
  /** 0: any free one, of each. */
  readonly port: number;
  readonly grpcPort: number;
  readonly adminPort: number;
  /** What turns switches: a bearer token. */
  readonly adminToken: string;
  readonly switches: SwitchState;
  /** Memory for payloads. */
  readonly memoryBytes: number;
  readonly putTimeoutMs: number;
  /** How far a blob is when a rollup that put it has its answer. */
  readonly putWait: PutStage;
}

/** A disperser without a chain that is up. */
export interface DevDisperser {
  /** REST, OP Stack and EigenDA. */
  readonly rest: string;
  /** `host:port` of 0G's gRPC. */
  readonly grpc: string;
  readonly admin: string;
  readonly switches: Switches;
  /** What checking certificates of the epoch in office takes, as `cairn da verify --epoch-file` reads it. */
  epochFile(): Promise<Json>;
  stop(): Promise<void>;
}

/** Time for a member to take its slice: beyond any latency that is switched. */
const PATIENCE = { timeoutMs: MAX_LATENCY_MS + 5000, attempts: 1, delayMs: 0, laggardMs: 0 };
/** Blobs that are not final, at most. */
const MAX_BLOBS = 4096;
/** Blobs that wait for memory. */
const MAX_WAITING = 1024;
/** Connections of each listener. */
const MAX_CONNECTIONS = 1024;
/** Time for requests to end when it stops. */
const DRAIN_MS = 1000;

/** What a token looks like: no shorter one is taken for a secret. */
const TOKEN = /^\S{16,512}$/;

/**
 * The real disperser and its real doors, with a quorum, a chain and a disk that are memory: blobs are
 * encoded and committed to, four members sign, and stages pass after the time that switches say.
 *
 * @throws {DevError} DEV_TOKEN for a token that is no secret; what listening throws, EADDRINUSE among it
 */
export async function createDevDisperser(
  options: DevDisperserOptions,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<DevDisperser> {
  if (!TOKEN.test(options.adminToken)) {
    throw new DevError(
      { code: 'DEV_TOKEN' },
      'an admin token has 16 to 512 characters, none blank',
    );
  }
  const clock = systemClock();
  const switches = new Switches(clock, options.switches);
  const backend = blstBackend();
  const rng = systemRng();
  const epochs = new DevEpochs({ clock, backend, rng });
  const payer = signerFromKey(toHex(randomKey(rng)).slice(2));
  const entrance = new DevEntrance({ epochs, switches, clock }, payer.address);
  const metrics = createMetrics();
  const stopping = new AbortController();
  const budget = (maxBytes: number): ByteBudget =>
    new ByteBudget({ maxBytes, maxWaiting: MAX_WAITING });
  const reader: PayloadReader = async (_, reading) => {
    await switches.delay('read', reading.signal);
    switches.beforeGet();
    throw absent(); // what is here was found before anybody asks the quorum
  };
  const { disperser } = createDispersal(
    {
      index: memoryKeyValueStore(),
      payloads: new DevPayloads(options.memoryBytes),
      accounts: openAccounts(),
      network: DEV_NETWORK,
      epochs,
      entrance,
      peers: new DevSigners(epochs, switches),
      payer,
      codec: await loadWasmCodec(),
      suites: [await loadRowSuite(0)],
      combiner: await loadWasmCombiner(),
      backend,
      budget: budget(options.memoryBytes),
      log: undefined,
      readBack: async () => Promise.reject(absent()),
      clock,
      logger,
      metrics: metrics.metrics,
    },
    settingsFor(options),
  );
  await disperser.open(signal);
  const running = disperser.run(stopping.signal).catch(() => undefined); // it ends with the signal
  const doors = {
    network: { ...DEV_NETWORK, maxMembers: DEV_SEATS.length },
    epochs,
    chain: entrance,
    backend,
    disperser: new SwitchedDisperser(disperser, switches, stopping.signal),
    reader,
    intake: { budget: budget(options.memoryBytes), clock },
    replies: budget(REPLY_BYTES),
    clock,
    putTimeoutMs: options.putTimeoutMs,
    stopping: stopping.signal,
  };
  const { chainId, address } = DEV_NETWORK.entrance;
  const server = { version: VERSION, chainId, entrance: address, verifier: address };
  const rest = listener(
    { name: 'cairn-da-dev', host: options.host, port: options.port, logger, metrics },
    disperserDoors(doors, { server, putWait: options.putWait }),
  );
  const { adminPort: port, adminToken: token } = options;
  const admin = listener({ name: 'cairn-da-dev-admin', host: LOOPBACK, port, logger, metrics }, [
    adminDoors({ switches, epochs, token }),
  ]);
  const grpc = createZgGrpcDoor(
    {
      ...doors,
      arriving: doors.intake.budget,
      ready: () => ({ ok: true, reasons: [] }),
      logger,
    },
    {
      host: options.host,
      port: options.grpcPort,
      maxConnections: MAX_CONNECTIONS,
      drainMs: DRAIN_MS,
    },
  );
  const stop = async (): Promise<void> => {
    await Promise.all([rest.stop(), admin.stop(), grpc.stop()]);
    stopping.abort(new Error('the disperser is stopping'));
    await running;
  };
  try {
    await Promise.all([rest.start(), admin.start(), grpc.start()]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    rest: rest.address.url,
    grpc: grpc.address,
    admin: admin.address.url,
    switches,
    epochFile: () => epochFile(epochs.current, epochs),
    stop,
  };
}

const LOOPBACK = '127.0.0.1';

function settingsFor({ memoryBytes }: DevDisperserOptions): DispersalSettings {
  return {
    policy: { maxBlobs: MAX_BLOBS, maxBytes: memoryBytes, path: 'promise', archivesAll: false },
    retentionEpochs: 1,
    batch: { gatherMs: 20, maxBlobs: 128 },
    delivery: PATIENCE,
    votes: PATIENCE,
    backoff: { firstMs: 250, maxMs: 1000 },
  };
}

interface ListenerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

function listener(options: ListenerOptions, routes: readonly RouteGroup[]): HttpHost {
  return createHttpHost({
    ...options,
    version: VERSION,
    limits: { maxConnections: MAX_CONNECTIONS, drainMs: DRAIN_MS },
    describeProblem: describeDevProblem,
    routes,
  });
}

const DEV_STATUS = { DEV_SWITCH: 400, DEV_TOKEN: 401, DEV_EPOCH: 404 } as const;

function describeDevProblem(error: unknown): HttpProblem {
  if (!(error instanceof DevError)) return describeProblem(error);
  const { code } = error.facts;
  return { status: DEV_STATUS[code], title: 'Not done', code, detail: error.message };
}

function absent(): RetrievalError {
  return new RetrievalError(
    { code: 'BLOB_ABSENT', members: DEV_SEATS.length },
    'no such blob is in memory here, or others have its room by now',
  );
}
