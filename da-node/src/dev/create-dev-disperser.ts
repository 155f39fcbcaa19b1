import { blstBackend } from '@cairn/attestation/native';
import { randomKey, signerFromKey } from '@cairn/chain-access';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { createMetrics } from '@cairn/node-runtime/observe';
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
import { BlobStore } from '../disperser/blob-store.ts';
import { createDispersal, type DispersalSettings } from '../disperser/create-dispersal.ts';
import { type PayloadReader, REPLY_BYTES } from '../doors/read-payload.ts';
import { RetrievalError } from '../retriever/errors.ts';
import { epochFile } from './admin-doors.ts';
import { type DevAddresses, devDoors } from './dev-doors.ts';
import { DevEntrance } from './dev-entrance.ts';
import { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK, DEV_SEATS, RETENTION_EPOCHS } from './dev-network.ts';
import type { DevDisperserOptions } from './dev-options.ts';
import { DevPayloads } from './dev-payloads.ts';
import { DevSigners } from './dev-signers.ts';
import { DevError } from './errors.ts';
import { SwitchedDisperser } from './switched-disperser.ts';
import { MAX_LATENCY_MS, Switches } from './switches.ts';

/** A disperser without a chain that is up. */
export interface DevDisperser extends DevAddresses {
  readonly switches: Switches;
  /** What checking certificates of the epoch in office takes, as `cairn da verify --epoch-file` reads it. */
  epochFile(): Promise<Json>;
  stop(): Promise<void>;
}

/** Time for a member to take its slice: beyond any latency that is switched. */
const PATIENCE = { timeoutMs: MAX_LATENCY_MS + 5000, attempts: 1, delayMs: 0, laggardMs: 0 };
/** Blobs that are not final, at most. */
const MAX_BLOBS = 4096;
/** Blobs in memory, with those that are final. */
const MAX_KEPT = 65_536;
/** Blobs that wait for memory. */
const MAX_WAITING = 1024;
/** Suites that blobs are made in: the usual one, and the one that contracts check. */
const SUITES = [0, 1] as const;

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
  const index = memoryKeyValueStore();
  const records = new BlobStore(index);
  const tools = {
    codec: await loadWasmCodec(),
    suites: await Promise.all(SUITES.map((id) => loadRowSuite(id))),
    combiner: await loadWasmCombiner(),
  };
  const { disperser } = createDispersal(
    {
      index,
      payloads: new DevPayloads({
        maxBytes: options.memoryBytes,
        maxBlobs: MAX_KEPT,
        onDrop: async (id) => {
          const record = await records.get(id);
          if (record !== undefined) await records.forget(record);
        },
      }),
      accounts: openAccounts(),
      network: DEV_NETWORK,
      epochs,
      entrance,
      peers: new DevSigners(epochs, switches),
      payer,
      ...tools,
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
  const budgets = { arriving: budget(options.memoryBytes), replies: budget(REPLY_BYTES) };
  const doors = devDoors({
    options,
    disperser: new SwitchedDisperser(disperser, switches, stopping.signal),
    reader,
    ...tools,
    ...{ epochs, entrance, switches, backend, rng, clock, logger, metrics, ...budgets },
    stopping: stopping.signal,
  });
  const stop = async (): Promise<void> => {
    await doors.stop();
    stopping.abort(new Error('the disperser is stopping'));
    await running;
  };
  try {
    await doors.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...doors.addresses(),
    switches,
    epochFile: () => epochFile(epochs.current, epochs),
    stop,
  };
}

function settingsFor({ memoryBytes }: DevDisperserOptions): DispersalSettings {
  return {
    policy: { maxBlobs: MAX_BLOBS, maxBytes: memoryBytes, path: 'promise', archivesAll: false },
    retentionEpochs: RETENTION_EPOCHS,
    batch: { gatherMs: 20, maxBlobs: 128 },
    delivery: PATIENCE,
    votes: PATIENCE,
    backoff: { firstMs: 250, maxMs: 1000 },
  };
}

function absent(): RetrievalError {
  return new RetrievalError(
    { code: 'BLOB_ABSENT', members: DEV_SEATS.length },
    'no such blob is in memory here, or others have its room by now',
  );
}
