import {
  concatBytes,
  type Root,
  rootBytes,
  rootOf,
  type Sequence,
  sequenceOf,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import type { ShardConfig } from '../shard.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
} from '../wire-fields.ts';
import {
  LOG_BYTES,
  type PeerLog,
  readLog,
  readShard,
  SHARD_BYTES,
  writeLog,
  writeShard,
} from './place.ts';

/** A file that a node holds now, as far as its shard goes. Whoever publishes it signs it. */
export interface FileAnnouncement extends PeerLog {
  readonly sequence: Sequence;
  readonly root: Root;
  /** What the node keeps of it. */
  readonly shard: ShardConfig;
  /** When it was said, milliseconds since the Unix epoch. */
  readonly saidAtMs: number;
}

/** Bytes of an announcement. */
export const FILE_ANNOUNCEMENT_BYTES: number =
  PREAMBLE_BYTES + LOG_BYTES + SHARD_BYTES + 8 + 32 + 8;

const NEWS = { what: 'file announcement', magic: 'CFIL', version: 1 } as const;

/** The topic on which the files of a log are announced. */
export function filesTopic({ chainId, flow }: PeerLog): string {
  return `/cairn/storage/files/1/${chainId}/${flow}`;
}

/**
 * 89 bytes, big-endian: "CFIL", version u8 = 1, three zero bytes, chain id u64, log contract 20,
 * shard id u32, binary logarithm of the shard count u8, sequence u64, root 32, time u64.
 */
export function encodeFileAnnouncement(news: FileAnnouncement): Uint8Array {
  const fixed = new Uint8Array(FILE_ANNOUNCEMENT_BYTES - PREAMBLE_BYTES);
  const view = viewOf(fixed);
  writeLog(fixed, 0, news);
  writeShard(fixed, LOG_BYTES, news.shard);
  const at = LOG_BYTES + SHARD_BYTES;
  writeSafeU64(view, at, news.sequence);
  fixed.set(rootBytes(news.root), at + 8);
  writeSafeU64(view, at + 40, news.saidAtMs);
  return concatBytes(encodePreamble({ ...NEWS, form: 0 }), fixed);
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD, SHARD_INVALID */
export function parseFileAnnouncement(bytes: Uint8Array): FileAnnouncement {
  const form = parsePreamble(bytes, NEWS);
  if (form !== 0) refuseField(NEWS.what, 'form', '0', form);
  assertWireLength(bytes, FILE_ANNOUNCEMENT_BYTES, NEWS.what);
  const view = viewOf(bytes);
  const at = PREAMBLE_BYTES + LOG_BYTES + SHARD_BYTES;
  const { chainId, flow } = readLog(bytes, PREAMBLE_BYTES, NEWS.what);
  // Each field by its name: objects that begin as another's copy are slow to make, and this is heard often.
  return {
    chainId,
    flow,
    shard: readShard(bytes, PREAMBLE_BYTES + LOG_BYTES),
    sequence: sequenceOf(readWireNumber(view, at, NEWS.what, 'sequence')),
    root: rootOf(bytes.subarray(at + 8, at + 40)),
    saidAtMs: readWireNumber(view, at + 40, NEWS.what, 'saidAtMs'),
  };
}
