import { join } from 'node:path';
import { openFlatFileStore } from '@cairn/node-runtime/files';
import { loadPoraKernel, PIECE_SECTORS, SEGMENT_PIECES, unsealPiece } from '@cairn/pora';
import {
  keccak256,
  noMetrics,
  SECTOR_BYTES,
  SEGMENT_SECTORS,
  silentLogger,
  systemClock,
  utf8Bytes,
} from '@cairn/primitives';
import type { OfflineStores } from '@cairn/storage-node/db';
import { createMiningMetrics } from '../../storage-node/src/mining/metrics.ts';
import { reclaimSealed } from '../../storage-node/src/mining/reclaim-sealed.ts';
import { SealContexts } from '../../storage-node/src/mining/seal-contexts.ts';
import { sealSegment } from '../../storage-node/src/mining/seal-segment.ts';
import { contextOfPiece, hasPiece } from '../../storage-node/src/mining/sealed-record.ts';
import { SealedStore } from '../../storage-node/src/mining/sealed-store.ts';
import { Sealer } from '../../storage-node/src/mining/sealer.ts';
import { SEALED_FILE_BYTES, type SealTask } from '../../storage-node/src/mining/worker-tasks.ts';
import { ReopeningFileStore } from '../../storage-node/src/reopening-file-store.ts';

/** The miner that everything here is sealed for. */
export const MINER: Uint8Array = new Uint8Array(32).fill(0x4d);
/** Sectors of an epoch; no multiple of a segment, so that segments have several contexts. */
const EPOCH_SECTORS = 5_008;

/** The context of a sector in a history of the chain that is told by its name. */
export function contextAt(history: string, sector: number): Uint8Array {
  return keccak256(utf8Bytes(`${history} ${Math.floor(sector / EPOCH_SECTORS)}`));
}

/** A node's own sealer over its own stores, with contexts of a history that is made up. */
export interface Sealing {
  readonly store: SealedStore;
  /** Seals everything that can be. @returns how many segments that took */
  seal(): Promise<number>;
  close(): Promise<void>;
}

/** Opens what seals a data directory. Sealing runs on the one thread, as all of it is to be killed. */
export async function openSealing(
  { log, segments, kv, keeper, directory }: OfflineStores,
  history: string,
): Promise<Sealing> {
  const { signal } = new AbortController();
  const kernel = await loadPoraKernel();
  const clock = systemClock();
  const logger = silentLogger();
  const shard = () => keeper.current;
  const files = await ReopeningFileStore.open({
    open: () =>
      openFlatFileStore({ directory: join(directory, 'sealed'), fileBytes: SEALED_FILE_BYTES }),
    clock,
    logger,
  });
  const store = await SealedStore.open({ files, kv }, { minerId: MINER, shard: shard() }, signal);
  let sealed = 0;
  const sealer = new Sealer(
    {
      log,
      segments,
      store,
      contexts: new SealContexts({
        sealContext: async (sector) => {
          const start = sector - (sector % EPOCH_SECTORS);
          const end = Math.min(start + EPOCH_SECTORS, log.flowLength);
          return { start, end, digest: contextAt(history, sector), isRecorded: true };
        },
      }),
      pool: {
        run: async (task) => {
          sealed += 1;
          return sealSegment(task as SealTask, kernel) as never;
        },
      },
      disk: { requireRoom: async () => undefined },
      reclaim: (inner) => reclaimSealed({ files, store, logger }, inner),
      shard,
      clock,
      logger,
      metrics: createMiningMetrics(noMetrics()),
    },
    { minerId: MINER, duty: 1 },
  );
  return {
    store,
    seal: async () => {
      const before = sealed;
      const ending = new AbortController();
      const isDone = async (): Promise<void> => {
        while (!sealer.isDone && !ending.signal.aborted) await clock.sleep(5, signal);
        ending.abort(new Error('all is sealed'));
      };
      const running = sealer.run(ending.signal).catch((error: unknown) => {
        if (!ending.signal.aborted) throw error;
      });
      try {
        await Promise.race([running, isDone()]);
      } finally {
        ending.abort(new Error('sealing failed'));
        await running;
      }
      return sealed - before;
    },
    close: () => files.close(),
  };
}

/**
 * First sectors of the pieces that are recorded as sealed; every one of them was opened.
 *
 * @param plain - what the flow holds at a byte
 * @throws {Error} for a piece that does not open to what the flow holds, or of another context
 */
export async function openedPieces(
  store: SealedStore,
  { flowSectors, plain, histories }: OpenedPiecesOptions,
): Promise<ReadonlySet<number>> {
  const opened = new Set<number>();
  for (let segment = 0; segment * SEGMENT_SECTORS < flowSectors; segment += 1) {
    const record = await store.get(segment);
    for (let piece = 0; record !== undefined && piece < SEGMENT_PIECES; piece += 1) {
      if (!hasPiece(record.sealed, piece)) continue;
      const position = segment * SEGMENT_SECTORS + piece * PIECE_SECTORS;
      const context: Uint8Array = contextOfPiece(record, piece) ?? new Uint8Array(32);
      const isKnown = histories.some((history) =>
        Buffer.from(contextAt(history, position + PIECE_SECTORS - 1)).equals(context),
      );
      if (!isKnown) throw new Error(`the piece at ${position} is recorded with an unknown context`);
      const bytes = unsealPiece(await store.readPiece(segment, piece), {
        minerId: MINER,
        context,
        position,
      });
      if (!Buffer.from(plain(position * SECTOR_BYTES, bytes.length)).equals(bytes)) {
        throw new Error(`the piece at ${position} does not open to what is stored there`);
      }
      opened.add(position);
    }
  }
  return opened;
}

export interface OpenedPiecesOptions {
  readonly flowSectors: number;
  /** Bytes of the flow. */
  readonly plain: (offset: number, length: number) => Uint8Array;
  /** Histories that pieces may be sealed with. */
  readonly histories: readonly string[];
}
