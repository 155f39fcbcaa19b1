import { concatBytes, keccak256, MAX_QUORUMS } from '@cairn/primitives';
import { abiWords, WORD_BYTES } from './abi-words.ts';
import { BodyReader } from './body-reader.ts';
import { assertBytes } from './body-writer.ts';

/** Words before the list: the struct's offset, its eight fields (the last an offset), the count. */
const FIXED_WORDS = 10;
const STRUCT_OFFSET: number = WORD_BYTES;
const LIST_OFFSET: number = 8 * WORD_BYTES;
/** The committee and up to 16 DA quorums. */
const MAX_GROUPS: number = MAX_QUORUMS + 1;

/** What the committee of one epoch signs of the next, and every shard accepts. */
export interface EpochHeader {
  readonly epoch: number;
  /** Hash of the header before, 32 bytes. */
  readonly previous: Uint8Array;
  /** Unix seconds. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** By which its quorums and rows are drawn, 32 bytes. */
  readonly seed: Uint8Array;
  /** Root over the checkpoints ordered so far, 32 bytes. */
  readonly orderRoot: Uint8Array;
  readonly orderCount: number;
  /** 32 bytes each: the committee's, then one for each DA quorum unless the committee is the only one. */
  readonly snapshotHashes: readonly Uint8Array[];
}

/** Bytes of an encoded header, most and least. */
export const EPOCH_HEADER_BYTES: { readonly min: number; readonly max: number } = {
  min: (FIXED_WORDS + 1) * WORD_BYTES,
  max: (FIXED_WORDS + MAX_GROUPS) * WORD_BYTES,
};

/**
 * `abi.encode` of a header.
 *
 * @throws {RangeError} for hashes that are not 32 bytes, a number that does not fit, no snapshot, two
 *   (a lone DA quorum is the committee itself), or more than 17
 */
export function encodeEpochHeader(header: EpochHeader): Uint8Array {
  const { snapshotHashes } = header;
  if (!isGroupCount(snapshotHashes.length)) {
    throw new RangeError(`an epoch has 1 or 3 to 17 snapshots, not ${snapshotHashes.length}`);
  }
  for (const hash of [header.previous, header.seed, header.orderRoot, ...snapshotHashes]) {
    assertBytes(hash, 32, 'a hash in an epoch header');
  }
  const head = [header.epoch, header.previous, header.startSeconds, header.endSeconds];
  const rest = [header.seed, header.orderRoot, header.orderCount, LIST_OFFSET];
  const fixed = abiWords(STRUCT_OFFSET, ...head, ...rest, snapshotHashes.length);
  return concatBytes(fixed, ...snapshotHashes);
}

/**
 * The header in the one form that `abi.encode` gives.
 *
 * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER; MESSAGE_FIELD for other offsets, a number
 *   of snapshots that cannot be, or an end that is not after the start
 */
export function parseEpochHeader(body: Uint8Array): EpochHeader {
  const reader = new BodyReader('epoch header', body);
  const structOffset = reader.word('offset');
  if (structOffset !== STRUCT_OFFSET) throw reader.refuse('offset', structOffset);
  const fields = {
    epoch: reader.word('epoch'),
    previous: reader.bytes(32),
    startSeconds: reader.word('start'),
    endSeconds: reader.word('end'),
    seed: reader.bytes(32),
    orderRoot: reader.bytes(32),
    orderCount: reader.word('order count'),
  };
  if (fields.endSeconds <= fields.startSeconds) throw reader.refuse('end', fields.endSeconds);
  const listOffset = reader.word('list offset');
  if (listOffset !== LIST_OFFSET) throw reader.refuse('list offset', listOffset);
  const count = reader.word('snapshots');
  if (!isGroupCount(count)) throw reader.refuse('snapshots', count);
  const snapshotHashes = Array.from({ length: count }, () => reader.bytes(32));
  reader.end();
  return { ...fields, snapshotHashes };
}

/** The root that a handover states, and the next header's `previous`: keccak-256 of its encoding. */
export function epochHeaderHash(header: EpochHeader): Uint8Array {
  return keccak256(encodeEpochHeader(header));
}

/** DA quorums of an epoch. With one, the committee is it. */
export function quorumsOf({ snapshotHashes }: Pick<EpochHeader, 'snapshotHashes'>): number {
  return snapshotHashes.length === 1 ? 1 : snapshotHashes.length - 1;
}

function isGroupCount(count: number): boolean {
  return count === 1 || (count >= 3 && count <= MAX_GROUPS);
}
