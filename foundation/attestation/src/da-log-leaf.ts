import { BodyReader } from './body-reader.ts';
import { assertBytes, packed } from './body-writer.ts';

/** Bytes of an encoded leaf that names no void words. */
export const DA_LOG_LEAF_BYTES = 57;
/** Bytes of an encoded leaf that does. */
export const DA_LOG_LEAF_WITH_VOIDS_BYTES: number = DA_LOG_LEAF_BYTES + 32;

/** What a leaf of a shard's DA log tells. */
export const DA_LOG_TYPES = {
  /** A confirmed batch, all of whose leaves count. */
  batch: 1,
  /** A challenge that nobody answered. */
  failedChallenge: 2,
  /** A confirmed batch of which some leaves count for nothing: they were not paid for. */
  batchWithVoids: 3,
} as const;

/** What a shard's DA log keeps of a confirmed batch, or of a challenge that nobody answered. */
export type DaLogLeaf = {
  /** 32 bytes. */
  readonly batchRoot: Uint8Array;
  /** The epoch whose quorum signed the batch. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Blobs in the batch. */
  readonly count: number;
  /** Block time of the confirmation, unix seconds. */
  readonly timeSeconds: number;
} & (
  | { readonly type: typeof DA_LOG_TYPES.batch | typeof DA_LOG_TYPES.failedChallenge }
  | {
      readonly type: typeof DA_LOG_TYPES.batchWithVoids;
      /** Of the words of void bits, see `voidWordsOf`: keccak-256, 32 bytes. */
      readonly voidsHash: Uint8Array;
    }
);

/**
 * A leaf's bytes, packed, big-endian: type u8, root 32, epoch u64, quorum u32, count u32, time u64, and
 * the hash of the void words where there are any.
 *
 * @throws {RangeError} if a number does not fit, or root or hash is not 32 bytes
 */
export function encodeDaLogLeaf(leaf: DaLogLeaf): Uint8Array {
  assertBytes(leaf.batchRoot, 32, 'a batch root');
  const { type, batchRoot, epoch, quorumId, count, timeSeconds } = leaf;
  const place = [[epoch, 8] as const, [quorumId, 4] as const, [count, 4] as const];
  const body = packed([type, 1], batchRoot, ...place, [timeSeconds, 8]);
  if (leaf.type !== DA_LOG_TYPES.batchWithVoids) return body;
  assertBytes(leaf.voidsHash, 32, 'a hash of void words');
  return packed(body, leaf.voidsHash);
}

/** @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER; MESSAGE_FIELD for another type */
export function parseDaLogLeaf(body: Uint8Array): DaLogLeaf {
  const reader = new BodyReader('DA log leaf', body);
  const value = reader.number(1, 'type');
  const type = Object.values(DA_LOG_TYPES).find((known) => known === value);
  if (type === undefined) throw reader.refuse('type', value);
  const batch = {
    batchRoot: reader.bytes(32),
    epoch: reader.number(8, 'epoch'),
    quorumId: reader.number(4, 'quorum'),
    count: reader.number(4, 'count'),
    timeSeconds: reader.number(8, 'time'),
  };
  const hasVoids = type === DA_LOG_TYPES.batchWithVoids;
  const leaf = hasVoids ? { type, ...batch, voidsHash: reader.bytes(32) } : { type, ...batch };
  reader.end();
  return leaf;
}
