import type { Address, Sequence } from '@cairn/primitives';
import { ACCESS_OP } from '../batch/access-op.ts';
import type { ParsedBatch, WriteHeader } from '../batch/parse-batch.ts';
import type { StreamKey } from '../batch/stream-batch.ts';
import { type TextedKey, textOfKey } from '../key-text.ts';
import type { StreamId } from '../stream-id.ts';
import { foldControls, type RoleChange } from './fold-controls.ts';
import {
  COMMIT,
  controlDeniedResult,
  parseFaultResult,
  SENDER_NO_WRITE_PERMISSION,
  TAGS_MISMATCH,
  VERSION_CONFLICT,
  writeDeniedResult,
} from './results.ts';
import {
  canWrite,
  hasWritePermission,
  isAdmin,
  isWriterOfKey,
  isWriterOfStream,
  type RoleView,
} from './role.ts';

/** No version is newer: sequences are exact numbers. */
const MAX_VERSION = BigInt(Number.MAX_SAFE_INTEGER);

/** A log entry whose tags name streams, as replay sees it. */
export interface StreamEntry {
  readonly sequence: Sequence;
  /** Who is judged: the sender of the chain's transaction. */
  readonly sender: Address;
  /** What the tags name, each once, in order. */
  readonly streams: readonly StreamId[];
}

/** The state before an entry, as far as replay asks. */
export interface ReplayView extends RoleView {
  /** The newest version of a key, deletions included; 0 if it was never written. */
  latestVersion(name: StreamKey & TextedKey): number;
}

/** What a committed entry changes; every change gets the entry's sequence as its version. */
export interface StateChange {
  /** The last write of each key. */
  readonly writes: readonly WriteHeader[];
  readonly roles: readonly RoleChange[];
}

/** What becomes of an entry. */
export interface ReplayOutcome {
  /** One of the nine result strings. */
  readonly result: string;
  /** There exactly if the result is `Commit`. */
  readonly change?: StateChange;
}

/**
 * What can be said of an entry before its bytes are there: `skip` if it is none of this node's,
 * `refuse` if its sender may not write to any tagged stream, `read` if the bytes decide.
 */
export function gateEntry(
  entry: StreamEntry,
  watched: ReadonlySet<StreamId>,
  view: RoleView,
): 'skip' | 'refuse' | 'read' {
  if (entry.streams.length === 0) return 'skip';
  if (!entry.streams.every((stream) => watched.has(stream))) return 'skip';
  const { sender } = entry;
  return entry.streams.every((stream) => canWrite(view, sender, stream)) ? 'read' : 'refuse';
}

/** The result of an entry that `gateEntry` refuses. */
export const REFUSED: ReplayOutcome = { result: SENDER_NO_WRITE_PERMISSION };

/**
 * Judges the batch of an entry that passed the gate: the function every node computes alike. Checks
 * run section by section in the order of the format; of several violations the first in the batch
 * is reported.
 *
 * @param view - the state before the entry
 */
export function replayBatch(
  entry: StreamEntry,
  batch: ParsedBatch,
  { watched, view }: { readonly watched: ReadonlySet<StreamId>; readonly view: ReplayView },
): ReplayOutcome {
  const { fault } = batch;
  const unreadable = fault && { result: parseFaultResult(fault.reason) };
  if (unreadable && (fault.section === 'version' || fault.section === 'reads')) return unreadable;
  const version = Number(batch.version > MAX_VERSION ? MAX_VERSION : batch.version);
  const isNewer = (name: StreamKey & TextedKey): boolean => view.latestVersion(name) > version;
  for (const name of batch.reads) {
    if (!watched.has(name.stream)) return { result: TAGS_MISMATCH };
    if (isNewer(name)) return { result: VERSION_CONFLICT };
  }
  if (unreadable && fault.section !== 'controls') return unreadable;
  const tagged = new Set(entry.streams);
  const writes = lastWrites(batch.writes);
  const mayWrite = writePermission(view, entry.sender);
  for (const write of writes) {
    const { stream, key } = write;
    if (!tagged.has(stream)) return { result: TAGS_MISMATCH };
    if (isNewer(write)) return { result: VERSION_CONFLICT };
    if (!mayWrite(stream, key)) {
      return { result: writeDeniedResult(stream, key) };
    }
  }
  if (unreadable) return unreadable;
  const { changes, adminOf } = foldControls(entry, batch.controls, view);
  for (const change of changes) {
    if (!tagged.has(change.stream)) return { result: TAGS_MISMATCH };
    if (!isAllowed(change, entry.sender, { adminOf, view })) {
      const { op, stream, slot } = change;
      const { key, account } = slot;
      return { result: controlDeniedResult({ op, stream, key, account }) };
    }
  }
  return { result: COMMIT, change: { writes, roles: changes } };
}

/** `hasWritePermission` of one sender: what is the same for all keys of a stream is asked once. */
function writePermission(
  view: RoleView,
  sender: Address,
): (stream: StreamId, key: Uint8Array) => boolean {
  const free = new Map<StreamId, boolean>();
  return (stream, key) => {
    let isFree = free.get(stream);
    if (isFree === undefined) {
      isFree = view.isNew(stream) || isAdmin(view, sender, stream);
      free.set(stream, isFree);
    }
    return isFree || hasWritePermission(view, sender, stream, key);
  };
}

function lastWrites(writes: readonly WriteHeader[]): readonly WriteHeader[] {
  const streams = new Map<StreamId, Map<string, number>>();
  const last: WriteHeader[] = [];
  for (const write of writes) {
    let places = streams.get(write.stream);
    if (places === undefined) {
      places = new Map();
      streams.set(write.stream, places);
    }
    const text = textOfKey(write);
    const place = places.get(text) ?? last.length;
    places.set(text, place);
    last[place] = write;
  }
  return last;
}

/** Whether the sender may use a control, by the roles before the entry. */
function isAllowed(
  { op, stream, slot }: RoleChange,
  sender: Address,
  { adminOf, view }: { readonly adminOf: ReadonlySet<StreamId>; readonly view: ReplayView },
): boolean {
  switch (op) {
    case ACCESS_OP.renounceAdmin:
    case ACCESS_OP.renounceWriter:
    case ACCESS_OP.renounceSpecialWriter:
      return true;
    case ACCESS_OP.grantWriter:
      return adminOf.has(stream) || isWriterOfStream(view, sender, stream);
    case ACCESS_OP.grantSpecialWriter:
      return adminOf.has(stream) || isWriterOfKey(view, sender, stream, slot.key);
    case ACCESS_OP.grantAdmin:
    case ACCESS_OP.setKeyToSpecial:
    case ACCESS_OP.setKeyToNormal:
    case ACCESS_OP.revokeWriter:
    case ACCESS_OP.revokeSpecialWriter:
      return adminOf.has(stream);
  }
}
