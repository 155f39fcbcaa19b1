import { crc32 } from 'node:zlib';
import { verifySegment } from '@cairn/commitments';
import { dropStrayRecords, type LogEntry } from '@cairn/log-layer';
import {
  describeError,
  equalBytes,
  forEachConcurrent,
  type HttpTransport,
  isFault,
  type Logger,
  rootBytes,
  rootOf,
  sequenceOf,
} from '@cairn/primitives';
import {
  MAX_SEGMENT_MESSAGE_BYTES,
  ownedSegments,
  parseSegmentMessage,
} from '@cairn/wire-protocol';
import type { OfflineStores } from './open-offline.ts';

/** What a repair did. */
export interface RepairReport {
  /** Records dropped: of damaged segments, unreadable ones, and ones of files that are not in the log. */
  readonly dropped: {
    readonly quarantined: number;
    readonly damaged: number;
    readonly orphaned: number;
  };
  /** Entries that said they were whole and were not. */
  readonly marksTaken: number;
  /** Entries that are whole and did not say so. */
  readonly marksGiven: number;
  /** Segments fetched from the other node, and tries that failed. */
  readonly fetched: number;
  readonly failed: number;
  /** Entries that still wait for segments. */
  readonly pending: number;
}

/** What a repair may use. */
export interface RepairOptions {
  /** The HTTP door of another node that keeps what is missing here. */
  readonly from: { readonly url: string; readonly transport: HttpTransport } | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const PARALLEL_FETCHES = 8;
const ENTRIES_A_BATCH = 256;
/** Tries that fail in a row before the other node is asked for nothing more. */
const MAX_FAILURES = 64;

/**
 * Puts right what can be: finishes work that was cut off, drops records that stand for nothing, looks
 * at every finalised mark again, and fetches what is missing from another node, each segment proven
 * against its root. Records of segments are not made anew from bytes: their proofs are not among them.
 *
 * @throws what the stores throw
 */
export async function repairDatabase(
  stores: OfflineStores,
  { from, logger, signal }: RepairOptions,
): Promise<RepairReport> {
  const { log, kv } = stores;
  await stores.finishWork(signal);
  const dropped = await dropStrayRecords(kv, {
    checksum: (bytes) => crc32(bytes),
    belongs: async (sector, root, sizeBytes) => {
      const entry = await log.entryOfSector(sector, signal);
      const isOf = (other: LogEntry): boolean =>
        other.sizeBytes === sizeBytes && equalBytes(rootBytes(other.root), root);
      if (entry !== undefined && isOf(entry)) return true;
      return (await log.orphansOf(rootOf(root), signal)).some(isOf);
    },
    signal,
  });
  const before = await countPending(stores, signal);
  const marksTaken = await lookAtMarks(stores, signal);
  const fetch = { fetched: 0, failed: 0 };
  if (from !== undefined) await fetchMissing(stores, { from, logger, signal }, fetch);
  await stores.finaliser.considerPending(signal, () => undefined);
  const pending = await countPending(stores, signal);
  const marksGiven = Math.max(0, before + marksTaken - pending);
  return { dropped, marksTaken, marksGiven, ...fetch, pending };
}

/** Takes the marks of entries that are not held whole. */
async function lookAtMarks(
  { log, segments, keeper }: OfflineStores,
  signal: AbortSignal,
): Promise<number> {
  let taken = 0;
  for (let first = 0; first < log.nextSequence; first += ENTRIES_A_BATCH) {
    const lacking: LogEntry[] = [];
    const end = Math.min(first + ENTRIES_A_BATCH, log.nextSequence);
    for (let sequence = first; sequence < end; sequence += 1) {
      signal.throwIfAborted();
      const entry = await log.entryAt(sequenceOf(sequence));
      if (entry === undefined || !(await log.stateOf(entry.sequence)).finalized) continue;
      const held = await segments.heldSegments(entry, { signal });
      for (const index of ownedSegments(keeper.current, entry.startSector, entry.sizeBytes)) {
        if (held.has(index)) continue;
        lacking.push(entry);
        break;
      }
    }
    await log.clearFinalized(lacking);
    taken += lacking.length;
  }
  return taken;
}

async function countPending({ log }: OfflineStores, signal: AbortSignal): Promise<number> {
  let pending = 0;
  for (let from = 0; ; ) {
    const sequences = await log.pendingFrom(from, { signal });
    const last = sequences.at(-1);
    if (last === undefined) return pending;
    pending += sequences.length;
    from = last + 1;
  }
}

async function fetchMissing(
  stores: OfflineStores,
  options: RepairOptions & { readonly from: NonNullable<RepairOptions['from']> },
  counts: { fetched: number; failed: number },
): Promise<void> {
  const { logger, signal } = options;
  let failuresInARow = 0;
  const fetchOne = async ({ entry, index }: Missing, inner: AbortSignal): Promise<void> => {
    if (failuresInARow >= MAX_FAILURES) return;
    try {
      await fetchSegment(stores, entry, index, { ...options, signal: inner });
      counts.fetched += 1;
      failuresInARow = 0;
    } catch (error) {
      inner.throwIfAborted();
      if (isFault(error, 'DISK_FULL')) throw error;
      counts.failed += 1;
      failuresInARow += 1;
      const facts = { sequence: entry.sequence, index, reason: describeError(error) };
      logger.warn(facts, 'a segment was not fetched');
    }
  };
  await forEachConcurrent(missingOf(stores, signal), fetchOne, {
    parallel: PARALLEL_FETCHES,
    signal,
  });
}

interface Missing {
  readonly entry: LogEntry;
  readonly index: number;
}

async function* missingOf(
  { log, segments, keeper }: OfflineStores,
  signal: AbortSignal,
): AsyncGenerator<Missing, void, void> {
  for (let from = 0; ; ) {
    const sequences = await log.pendingFrom(from, { signal });
    if (sequences.length === 0) return;
    for (const sequence of sequences) {
      from = sequence + 1;
      const entry = await log.entryAt(sequence);
      if (entry === undefined) continue;
      const held = await segments.heldSegments(entry, { signal });
      for (const index of ownedSegments(keeper.current, entry.startSector, entry.sizeBytes)) {
        if (!held.has(index)) yield { entry, index };
      }
    }
  }
}

/** Fetches one segment, proves it, and stores it. @throws what transport, proof and store throw */
async function fetchSegment(
  { segments, hasher }: OfflineStores,
  entry: LogEntry,
  index: number,
  {
    from: { url, transport },
    signal,
  }: RepairOptions & { from: NonNullable<RepairOptions['from']> },
): Promise<void> {
  const { root, sequence } = entry;
  const reply = await transport.send({
    method: 'GET',
    url: `${url}/v1/segments/${root}/${index}?seq=${sequence}`,
    signal,
  });
  if (reply.status !== 200) {
    await reply.discard();
    throw new Error(`${url} answered ${reply.status} for segment ${index} of entry ${sequence}`);
  }
  const { segment } = parseSegmentMessage(await reply.bytes(MAX_SEGMENT_MESSAGE_BYTES));
  const claim = { ...segment, root: rootBytes(root), sizeBytes: entry.sizeBytes, index };
  await segments.put(entry, verifySegment(claim, hasher), { signal });
}
