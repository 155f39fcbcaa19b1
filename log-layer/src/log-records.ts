import { FlowTree, type Hasher } from '@cairn/commitments';
import {
  type BlockMark,
  bigEndianBytes,
  concatBytes,
  fromHex,
  type KeyValueStore,
  type KeyValueWrite,
  readSafeU64,
  rootBytes,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { LogError } from './errors.ts';
import { KEY, keyOf, lastNumber, rangeOf } from './keyspace.ts';
import { encodeEntry, type LogEntry } from './log-entry.ts';

/** The value of keys that say all by being there. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/** A block and what the log was right after it. */
export interface StoredMark extends BlockMark {
  readonly nextSequence: number;
  readonly snapshot: Uint8Array;
}

/** What a log store knows without looking. */
export interface LoadedState {
  readonly marks: StoredMark[];
  readonly tree: FlowTree;
  readonly next: number;
  readonly oldestOrphanBlock: number;
}

/** Reads the state after the last applied step. @throws {LogError} LOG_STORE_DAMAGED */
export async function loadState(
  kv: KeyValueStore,
  hasher: Pick<Hasher, 'hashMany'>,
  signal: AbortSignal,
): Promise<LoadedState> {
  const stored = await kv.get(keyOf(KEY.next));
  if (stored !== undefined && stored.length < 8) refuseDamaged('next sequence', stored.length);
  const next = stored === undefined ? 0 : readSafeU64(viewOf(stored), 0);
  const tree =
    stored === undefined ? FlowTree.empty(hasher) : FlowTree.restore(stored.slice(8), hasher);
  const marks: StoredMark[] = [];
  for await (const [key, value] of kv.entries(rangeOf(KEY.block), { signal })) {
    if (value.length < 40) refuseDamaged('block', value.length);
    marks.push({
      number: lastNumber(key),
      hash: toHex(value.subarray(0, 32)),
      nextSequence: readSafeU64(viewOf(value), 32),
      snapshot: value.slice(40),
    });
  }
  let oldestOrphanBlock = Number.POSITIVE_INFINITY;
  for await (const [, value] of kv.entries(rangeOf(KEY.orphan), { signal })) {
    oldestOrphanBlock = Math.min(oldestOrphanBlock, readSafeU64(viewOf(value), 0));
  }
  return { marks, tree, next, oldestOrphanBlock };
}

/** @throws {LogError} LOG_MISPLACED unless the chain put the entry where the log's rules do */
export function assertPlaced(
  { sequence, startSector, paddedSectors }: LogEntry,
  placement: { readonly startSector: number; readonly sectors: number },
): void {
  if (placement.startSector === startSector && placement.sectors === paddedSectors) return;
  throw new LogError(
    {
      code: 'LOG_MISPLACED',
      sequence,
      expectedSector: placement.startSector,
      actualSector: startSector,
    },
    `the chain puts entry ${sequence} at sector ${startSector} with ${paddedSectors} sectors; by the ` +
      `log's rules it is at ${placement.startSector} with ${placement.sectors}`,
  );
}

/** Stores an entry, not finalised yet. */
export function entryWrites(entry: LogEntry): KeyValueWrite[] {
  const { sequence, startSector, root } = entry;
  return [
    { type: 'put', key: keyOf(KEY.entry, sequence), value: encodeEntry(entry) },
    { type: 'put', key: keyOf(KEY.start, startSector), value: bigEndianBytes(sequence, 8) },
    { type: 'put', key: keyOf(KEY.root, rootBytes(root), sequence), value: NOTHING },
    { type: 'put', key: keyOf(KEY.pending, sequence), value: NOTHING },
  ];
}

/** Removes all about an entry but what its pieces can be found by. */
export function removalWrites(entry: LogEntry, block: number): KeyValueWrite[] {
  const { sequence, startSector } = entry;
  const root = rootBytes(entry.root);
  const orphan = concatBytes(
    bigEndianBytes(block, 8),
    bigEndianBytes(sequence, 8),
    encodeEntry(entry),
  );
  return [
    { type: 'delete', key: keyOf(KEY.entry, sequence) },
    { type: 'delete', key: keyOf(KEY.start, startSector) },
    { type: 'delete', key: keyOf(KEY.root, root, sequence) },
    { type: 'delete', key: keyOf(KEY.finalised, root, sequence) },
    { type: 'delete', key: keyOf(KEY.pending, sequence) },
    { type: 'delete', key: keyOf(KEY.state, sequence) },
    { type: 'put', key: keyOf(KEY.orphan, root, startSector), value: orphan },
  ];
}

/** Stores a block and what the log was after it. */
export function markWrite({ number, hash, nextSequence, snapshot }: StoredMark): KeyValueWrite {
  const value = concatBytes(fromHex(hash), bigEndianBytes(nextSequence, 8), snapshot);
  return { type: 'put', key: keyOf(KEY.block, number), value };
}

/** Stores the state after a step. */
export function nextWrite(next: number, snapshot: Uint8Array): KeyValueWrite {
  const value = concatBytes(bigEndianBytes(next, 8), snapshot);
  return { type: 'put', key: keyOf(KEY.next), value };
}

/** @throws {LogError} LOG_STORE_DAMAGED, always */
export function refuseDamaged(what: string, sizeBytes: number): never {
  throw new LogError(
    { code: 'LOG_STORE_DAMAGED', what, sizeBytes },
    `the log store's ${what} record is missing or damaged (${sizeBytes} bytes)`,
  );
}
