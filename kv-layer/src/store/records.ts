import { HASH_BYTES } from '@cairn/commitments';
import { concatBytes, readSafeU64, viewOf, writeSafeU64 } from '@cairn/primitives';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import type { Table } from './keyspace.ts';
import { damaged } from './row.ts';

/** Where replay goes on. */
export interface Progress {
  /** The sequence of the next entry. */
  readonly next: number;
  /** The sequence the state began at. */
  readonly first: number;
  /** Chain time of the last entry, in seconds. */
  readonly timeSeconds: number;
  /** Bytes of the value file in use. */
  readonly valueBytes: number;
  /** Entries this node gave up on, so that its state is its own. */
  readonly holes: number;
  /** The oldest version that can be read: that of the snapshot the state began with, else 0. */
  readonly oldest: number;
}

const PROGRESS_FIELDS = ['next', 'first', 'timeSeconds', 'valueBytes', 'holes', 'oldest'] as const;

export function encodeProgress(progress: Progress): Uint8Array {
  const bytes = new Uint8Array(PROGRESS_FIELDS.length * 8);
  const view = viewOf(bytes);
  for (const [index, field] of PROGRESS_FIELDS.entries())
    writeSafeU64(view, index * 8, progress[field]);
  return bytes;
}

/** @throws {StateError} KV_STATE_DAMAGED */
export function decodeProgress(bytes: Uint8Array): Progress {
  if (bytes.length !== PROGRESS_FIELDS.length * 8) damaged('progress', bytes.length);
  const view = viewOf(bytes);
  const field = (index: number): number => readSafeU64(view, index * 8);
  return {
    next: field(0),
    first: field(1),
    timeSeconds: field(2),
    valueBytes: field(3),
    holes: field(4),
    oldest: field(5),
  };
}

/** The roots of a stream after an entry. */
export interface RootRecord {
  readonly stateRoot: Uint8Array;
  readonly keysRoot: Uint8Array;
  readonly rolesRoot: Uint8Array;
  readonly keyCount: number;
  readonly roleCount: number;
}

const ROOT_BYTES = 3 * HASH_BYTES + 16;

export function encodeRoot(root: RootRecord): Uint8Array {
  const counts = new Uint8Array(16);
  writeSafeU64(viewOf(counts), 0, root.keyCount);
  writeSafeU64(viewOf(counts), 8, root.roleCount);
  return concatBytes(root.stateRoot, root.keysRoot, root.rolesRoot, counts);
}

/** @throws {StateError} KV_STATE_DAMAGED */
export function decodeRoot(bytes: Uint8Array): RootRecord {
  if (bytes.length !== ROOT_BYTES) damaged('root record', bytes.length);
  const view = viewOf(bytes);
  return {
    stateRoot: bytes.slice(0, 32),
    keysRoot: bytes.slice(32, 64),
    rolesRoot: bytes.slice(64, 96),
    keyCount: readSafeU64(view, 96),
    roleCount: readSafeU64(view, 104),
  };
}

/** A row that an entry wrote. */
export interface ChangedRow {
  readonly table: Table;
  readonly stream: StreamId;
  readonly key: Uint8Array;
  /** The version it replaced; `undefined` if the key was new. */
  readonly before: number | undefined;
}

const CHANGE_HEAD_BYTES = 45;
/** Bytes of changes in one record; more of an entry go on in the next. */
const PART_BYTES = 1024 * 1024;

/** Changes of an entry in parts: table u8, stream 32, version before + 1 u64 (0: none), key length u32, key. */
export function encodeChanges(changes: readonly ChangedRow[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let first = 0; first < changes.length; ) {
    let end = first;
    let length = 0;
    while (end < changes.length && length < PART_BYTES) {
      length += CHANGE_HEAD_BYTES + (changes[end]?.key.length ?? 0);
      end += 1;
    }
    parts.push(encodePart(changes.slice(first, end), length));
    first = end;
  }
  return parts;
}

function encodePart(changes: readonly ChangedRow[], length: number): Uint8Array {
  const part = new Uint8Array(length);
  const view = viewOf(part);
  let known: { readonly stream: StreamId; readonly bytes: Uint8Array } | undefined;
  let at = 0;
  for (const { table, stream, key, before } of changes) {
    if (known?.stream !== stream) known = { stream, bytes: streamIdBytes(stream) };
    part[at] = table;
    part.set(known.bytes, at + 1);
    writeSafeU64(view, at + 33, before === undefined ? 0 : before + 1);
    view.setUint32(at + 41, key.length);
    part.set(key, at + CHANGE_HEAD_BYTES);
    at += CHANGE_HEAD_BYTES + key.length;
  }
  return part;
}

/** @throws {StateError} KV_STATE_DAMAGED */
export function decodeChanges(part: Uint8Array): ChangedRow[] {
  const changes: ChangedRow[] = [];
  const view = viewOf(part);
  for (let at = 0; at < part.length; ) {
    if (at + CHANGE_HEAD_BYTES > part.length) damaged('list of changes', part.length);
    const keyBytes = view.getUint32(at + 41);
    const start = at + CHANGE_HEAD_BYTES;
    const table = part[at];
    if (start + keyBytes > part.length || (table !== 0 && table !== 1)) {
      return damaged('list of changes', part.length);
    }
    const before = readSafeU64(view, at + 33);
    changes.push({
      table,
      stream: streamIdOf(part.subarray(at + 1, at + 33)),
      key: part.slice(start, start + keyBytes),
      before: before === 0 ? undefined : before - 1,
    });
    at = start + keyBytes;
  }
  return changes;
}
