import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RowSuite } from '@cairn/commitments/rows';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  type ChosenCodec,
  chooseCodec,
  loadWasmCombiner,
  type RowCombiner,
} from '@cairn/erasure-codec';
import type { HealthReport, HttpHost } from '@cairn/node-runtime/http';
import { openLevelStore } from '@cairn/node-runtime/level';
import { createWorkerPool, siblingModule } from '@cairn/node-runtime/workers';
import { systemRng } from '@cairn/primitives';
import { ByteBudget } from './byte-budget.ts';
import { ChainEntrance } from './chain/chain-entrance.ts';
import { ChainEpochs } from './chain/chain-epochs.ts';
import { ChainFacts } from './chain/chain-facts.ts';
import type { DaChain } from './chain/connect-chain.ts';
import { keepDeposit } from './chain/keep-deposit.ts';
import { type Accounts, keyAccounts, openAccounts } from './disperser/accounts.ts';
import { requireSuite } from './disperser/blob-id.ts';
import { createDispersal } from './disperser/create-dispersal.ts';
import type { SignerPatience } from './disperser/deliver-slices.ts';
import { openPayloadFiles } from './disperser/payload-files.ts';
import type { DispersalNetwork, LogArchive } from './disperser/ports.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { confirmedAtLeast, disperserDoors, GET_TIMEOUT_MS } from './doors/disperser-doors.ts';
import { PROVABLE_SUITE } from './doors/nitro/judge-certificate.ts';
import { nitroDoors } from './doors/nitro/nitro-doors.ts';
import { type PayloadReader, REPLY_BYTES, readFromQuorum } from './doors/read-payload.ts';
import { createZgGrpcDoor } from './doors/zg-grpc/zg-grpc-door.ts';
import { DaNodeError } from './node-errors.ts';
import type { NodeParts } from './node-parts.ts';
import { signerPeers } from './reach-signers.ts';
import { readBlob } from './retriever/read-blob.ts';
import { startHost } from './role-host.ts';
import type { RoleDoor, StartedRole } from './roles.ts';
import { VERSION } from './version.ts';

/** How patiently signers are asked: their slices may be megabytes over a slow line. */
const PATIENCE: SignerPatience = { timeoutMs: 60_000, attempts: 3, delayMs: 200, laggardMs: 500 };
/** Waits between tries of a step that failed. */
const BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** Sockets of signers are read again that often. */
const SOCKETS_MS = 10_000;
/** How often the deposit is looked at. */
const DEPOSIT_MS = 30_000;
/** Time for one answer of a signer to a reader, and when somebody else is asked as well. */
const READ_PATIENCE = { timeoutMs: 20_000, hedgeMs: 1000 };
/** Suites that rows are read in. */
const SUITES = [0, 1] as const;
/** Blobs that wait for memory. */
const MAX_WAITING = 4096;
/** Threads that encode, at most. */
const MAX_THREADS = 64;

/** What never changes about the network, as a disperser needs it. */
export function dispersalNetworkOf({ entrance }: Pick<DaChain, 'entrance'>): DispersalNetwork {
  const { network, domain, settings } = entrance;
  const { shardId, cosets, minLog2K, epochSeconds, graceSeconds } = settings;
  const layout = { cosets, minLog2K };
  return { network, entrance: domain, shardId, layout, epochSeconds, graceSeconds };
}

/**
 * Starts the disperser role: opens what earlier runs left, takes blobs and brings them to their
 * quorums.
 *
 * @throws {DaNodeError} NODE_CONFIG; {LevelError}; {StorageError}; {DispersalError} DISPERSAL_RECORD;
 *   what listening throws
 */
export async function startDisperser(
  parts: NodeParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<StartedRole> {
  const { config, chain, account, clock, logger, metrics, sender, backend, runner, opened } = parts;
  const settings = config.disperser;
  requireRetention(settings.retentionEpochs, chain);
  const tools = await openCodec(parts, signal);
  const directory = join(config.node.dataDirectory, 'disperser');
  const index = await openLevelStore({ directory: join(directory, 'index') });
  opened('disperser index', () => index.close());
  const payloads = await openPayloadFiles(join(directory, 'payloads'));
  const network = dispersalNetworkOf(chain);
  const epochs = new ChainEpochs(
    { chain, sender, clock, logger, stopping: runner.signal },
    { pollMs: config.chain.pollMs, socketsMs: SOCKETS_MS },
  );
  const [encoding, arriving, reading] = budgetsOf(settings.memoryBytes);
  const peers = signerPeers(parts);
  const sources = { epochs, peers, layout: network.layout, ...tools };
  const patience = { ...READ_PATIENCE, budget: reading, clock, logger };
  const reader: PayloadReader = (wanted, options) =>
    readBlob(wanted, { ...sources, ...patience }, options);
  const accounts: Accounts =
    settings.accounts.length === 0
      ? openAccounts()
      : keyAccounts({ index, clock }, settings.accounts, settings.accountPeriodMs);
  const { disperser, archiver } = createDispersal(
    {
      ...tools,
      index,
      payloads,
      accounts,
      network,
      epochs,
      entrance: new ChainEntrance(
        { chain, sender, backend, clock, logger },
        { pollMs: config.chain.pollMs },
      ),
      peers,
      payer: account,
      backend,
      budget: encoding,
      log: await openLog(parts),
      readBack: (record, options) => readFromQuorum(record, reader, options),
      clock,
      logger,
      metrics: metrics.metrics,
    },
    {
      policy: settings,
      retentionEpochs: settings.retentionEpochs,
      batch: { gatherMs: settings.gatherMs, maxBlobs: settings.batchBlobs },
      delivery: PATIENCE,
      votes: PATIENCE,
      backoff: BACKOFF,
    },
  );
  await disperser.open(signal);
  if (settings.depositWei > 0n) {
    const deposit = { keepWei: settings.depositWei, everyMs: DEPOSIT_MS };
    const { entrance } = chain;
    runner.run('deposit', (inner) =>
      keepDeposit({ entrance, sender, clock, logger }, deposit, { signal: inner }),
    );
  }
  runner.run('dispersal', (inner) => disperser.run(inner));
  const { verifier, settings: entrance } = chain.entrance;
  const doors = {
    network: { ...network, maxMembers: entrance.maxMembers },
    epochs,
    chain: new ChainFacts(chain),
    backend,
    disperser,
    reader,
    ...(archiver === undefined ? {} : { archive: archiver.read.bind(archiver) }),
    intake: { budget: arriving, clock },
    replies: new ByteBudget({ maxBytes: REPLY_BYTES, maxWaiting: MAX_WAITING }),
    clock,
    putTimeoutMs: settings.putTimeoutMs,
    stopping: runner.signal,
  };
  const { chainId, address } = network.entrance;
  const server = { version: VERSION, chainId, entrance: address, verifier: verifier.address };
  const routes = disperserDoors(doors, { server, putWait: settings.putWait });
  const ready = (): HealthReport => parts.watch.ready();
  const { grpc, putWait, putTimeoutMs, retentionEpochs } = settings;
  const calls = createZgGrpcDoor(
    { ...doors, arriving, ready, logger },
    { ...grpc, ...config.limits },
  );
  opened('disperser grpc', () => calls.stop());
  await calls.start();
  const arbitrum = nitroDoors(
    {
      ...doors,
      network,
      logger,
      rng: systemRng(),
      tools: { ...tools, suite: requireSuite(tools.suites, PROVABLE_SUITE) },
    },
    {
      putStage: confirmedAtLeast(putWait),
      putTimeoutMs,
      getTimeoutMs: GET_TIMEOUT_MS,
      retentionEpochs,
    },
  );
  const shared = { describeProblem, ready };
  const nitro = await startHost(
    'disperser-nitro',
    settings.nitro,
    { ...shared, routes: [arbitrum] },
    parts,
  );
  const host = await startHost('disperser', settings, { ...shared, routes }, parts);
  return { role: 'disperser', host, doors: { grpc: calls, nitro: doorOf(nitro) } };
}

/** A listener as the process knows doors. */
function doorOf(host: HttpHost): RoleDoor {
  return { address: host.address.url, stop: () => host.stop() };
}

/** The log, if blobs are written to it: what speaks to storage nodes is loaded only then. */
async function openLog(parts: NodeParts): Promise<LogArchive | undefined> {
  const settings = parts.config.archive;
  if (settings === undefined) return undefined;
  const { openArchive } = await import('./open-archive.ts');
  return openArchive(settings, parts);
}

/** What rows are made, combined and hashed with. */
interface CodecTools {
  readonly codec: ChosenCodec;
  readonly combiner: RowCombiner;
  /** Those that blobs are made in and read in; most are made in the first. */
  readonly suites: readonly RowSuite[];
}

async function openCodec(
  { config, clock, logger, opened }: NodeParts,
  signal: AbortSignal,
): Promise<CodecTools> {
  const combiner = await loadWasmCombiner();
  const suites = await Promise.all(SUITES.map((id) => loadRowSuite(id)));
  const [suite] = suites;
  if (suite === undefined) throw new RangeError('a disperser needs a suite');
  const cores = Math.max(1, availableParallelism() - 1);
  const threads = config.disperser.threads === 0 ? cores : config.disperser.threads;
  const pool = createWorkerPool({
    module: siblingModule('./codec-worker', import.meta.url),
    size: Math.min(MAX_THREADS, threads),
  });
  opened('codec threads', () => pool.close());
  const codec = await chooseCodec({ pool, suite, combiner, clock, logger, signal });
  opened('codec', () => codec.close());
  return { codec, combiner, suites };
}

/** Memory for blobs that are encoded, that arrive and that are read: no wait of one is for another. */
function budgetsOf(memoryBytes: number): readonly [ByteBudget, ByteBudget, ByteBudget] {
  const budget = (maxBytes: number): ByteBudget =>
    new ByteBudget({ maxBytes, maxWaiting: MAX_WAITING });
  const half = Math.floor(memoryBytes / 2);
  return [budget(memoryBytes), budget(half), budget(half)];
}

function requireRetention(epochs: number, { entrance }: Pick<DaChain, 'entrance'>): void {
  const { maxRetentionEpochs } = entrance.settings;
  if (epochs <= maxRetentionEpochs) return;
  throw new DaNodeError(
    { code: 'NODE_CONFIG', field: 'disperser.retention_epochs' },
    `disperser.retention_epochs is ${epochs}; this network keeps blobs for at most ${maxRetentionEpochs}`,
  );
}
