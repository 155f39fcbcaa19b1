import type { BlsBackend } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import type { CommitOptions, RowCombiner } from '@cairn/erasure-codec';
import {
  createHttpHost,
  type HttpHost,
  type HttpProblem,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import type { MetricsRegistry } from '@cairn/node-runtime/observe';
import type { Clock, Logger, Rng } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import { describeProblem } from '../doors/describe-problem.ts';
import { confirmedAtLeast, disperserDoors } from '../doors/disperser-doors.ts';
import { PROVABLE_SUITE } from '../doors/nitro/judge-certificate.ts';
import { nitroDoors } from '../doors/nitro/nitro-doors.ts';
import type { PayloadReader } from '../doors/read-payload.ts';
import { createZgGrpcDoor } from '../doors/zg-grpc/zg-grpc-door.ts';
import { VERSION } from '../version.ts';
import { adminDoors } from './admin-doors.ts';
import type { DevEntrance } from './dev-entrance.ts';
import type { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK, DEV_SEATS, RETENTION_EPOCHS } from './dev-network.ts';
import type { DevDisperserOptions } from './dev-options.ts';
import { DevError } from './errors.ts';
import type { SwitchedDisperser } from './switched-disperser.ts';
import type { Switches } from './switches.ts';

/** Where a disperser without a chain is reached. */
export interface DevAddresses {
  /** REST, OP Stack and EigenDA. */
  readonly rest: string;
  /** Arbitrum Nitro. */
  readonly nitro: string;
  /** `host:port` of 0G's gRPC. */
  readonly grpc: string;
  readonly admin: string;
}

/** What its doors are made of. */
export interface DevDoorsDeps {
  readonly options: DevDisperserOptions;
  readonly disperser: SwitchedDisperser;
  readonly reader: PayloadReader;
  readonly codec: CommitOptions['codec'];
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly epochs: DevEpochs;
  readonly entrance: DevEntrance;
  readonly switches: Switches;
  readonly backend: BlsBackend;
  readonly arriving: ByteBudget;
  readonly replies: ByteBudget;
  readonly rng: Rng;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly stopping: AbortSignal;
}

/** All doors, each listener's to be started and stopped with the others. */
export interface DevDoors {
  /** @throws what listening throws, EADDRINUSE among it */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Once started. */
  addresses(): DevAddresses;
}

/** Connections of each listener. */
const MAX_CONNECTIONS = 1024;
/** Time for requests to end when it stops. */
const DRAIN_MS = 1000;
/** Time for a rollup's GET until its reply begins. */
const GET_TIMEOUT_MS = 60_000;
/** Switches are turned from this machine alone. */
const LOOPBACK = '127.0.0.1';

/** The doors of a real disperser, and one for its admin. */
export function devDoors(deps: DevDoorsDeps): DevDoors {
  const { options, epochs, entrance, backend, disperser, reader, clock, logger, switches } = deps;
  const { host, port, putTimeoutMs, putWait } = options;
  const limits = { maxConnections: MAX_CONNECTIONS, drainMs: DRAIN_MS };
  const { chainId, address } = DEV_NETWORK.entrance;
  const server = { version: VERSION, chainId, entrance: address, verifier: address };
  const parts = {
    network: { ...DEV_NETWORK, maxMembers: DEV_SEATS.length },
    ...{ epochs, chain: entrance, backend, disperser, reader, clock, putTimeoutMs },
    intake: { budget: deps.arriving, clock },
    replies: deps.replies,
    stopping: deps.stopping,
  };
  const listen = (name: string, at: ListenAt, routes: readonly RouteGroup[]): HttpHost =>
    createHttpHost({
      name,
      version: VERSION,
      ...at,
      ...{ logger, metrics: deps.metrics, limits, routes },
      describeProblem: describeDevProblem,
    });
  const rest = listen('cairn-da-dev', { host, port }, disperserDoors(parts, { server, putWait }));
  const nitro = listen('cairn-da-dev-nitro', { host, port: options.nitroPort }, [
    nitroDoors(
      { ...parts, network: DEV_NETWORK, logger, rng: deps.rng, tools: provableTools(deps) },
      {
        putStage: confirmedAtLeast(putWait),
        putTimeoutMs,
        getTimeoutMs: GET_TIMEOUT_MS,
        retentionEpochs: RETENTION_EPOCHS,
      },
    ),
  ]);
  const admin = listen('cairn-da-dev-admin', { host: LOOPBACK, port: options.adminPort }, [
    adminDoors({ switches, epochs, token: options.adminToken }),
  ]);
  const ready = (): { ok: boolean; reasons: readonly string[] } => ({ ok: true, reasons: [] });
  const grpc = createZgGrpcDoor(
    { ...parts, arriving: deps.arriving, ready, logger },
    { host, port: options.grpcPort, ...limits },
  );
  const all = [rest, nitro, admin, grpc];
  return {
    start: async () => {
      await Promise.all(all.map((door) => door.start()));
    },
    stop: async () => {
      await Promise.all(all.map((door) => door.stop()));
    },
    addresses: () => ({
      rest: rest.address.url,
      nitro: nitro.address.url,
      grpc: grpc.address,
      admin: admin.address.url,
    }),
  };
}

interface ListenAt {
  readonly host: string;
  readonly port: number;
}

/** What makes and checks blobs of the suite that contracts check. */
function provableTools({ codec, combiner, suites }: DevDoorsDeps): {
  readonly codec: CommitOptions['codec'];
  readonly combiner: RowCombiner;
  readonly suite: RowSuite;
} {
  const suite = suites.find(({ id }) => id === PROVABLE_SUITE);
  if (suite === undefined) throw new RangeError(`a disperser needs suite ${PROVABLE_SUITE}`);
  return { codec, combiner, suite };
}

const DEV_STATUS = { DEV_SWITCH: 400, DEV_TOKEN: 401, DEV_EPOCH: 404 } as const;

function describeDevProblem(error: unknown): HttpProblem {
  if (!(error instanceof DevError)) return describeProblem(error);
  const { code } = error.facts;
  return { status: DEV_STATUS[code], title: 'Not done', code, detail: error.message };
}
