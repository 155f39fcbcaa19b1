import { BodyReader } from './body-reader.ts';
import { assertBytes, packed } from './body-writer.ts';

/** Bytes of an encoded leaf. */
export const DA_LOG_LEAF_BYTES = 57;

/** What a leaf of a shard's DA log tells. */
export const DA_LOG_TYPES = { batch: 1, failedChallenge: 2 } as const;

/** What a shard's DA log keeps of a confirmed batch, or of a challenge that nobody answered. */
export interface DaLogLeaf {
  readonly type: (typeof DA_LOG_TYPES)[keyof typeof DA_LOG_TYPES];
  /** 32 bytes. */
  readonly batchRoot: Uint8Array;
  /** The epoch whose quorum signed the batch. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Blobs in the batch. */
  readonly count: number;
  /** Block time of the confirmation, unix seconds. */
  readonly timeSeconds: number;
}

/**
 * A leaf's 57 bytes, packed, big-endian: type u8, root 32, epoch u64, quorum u32, count u32, time u64.
 *
 * @throws {RangeError} if a number does not fit or the root is not 32 bytes
 */
export function encodeDaLogLeaf(leaf: DaLogLeaf): Uint8Array {
  assertBytes(leaf.batchRoot, 32, 'a batch root');
  const { type, batchRoot, epoch, quorumId, count, timeSeconds } = leaf;
  return packed([type, 1], batchRoot, [epoch, 8], [quorumId, 4], [count, 4], [timeSeconds, 8]);
}

/** @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER; MESSAGE_FIELD for another type */
export function parseDaLogLeaf(body: Uint8Array): DaLogLeaf {
  const reader = new BodyReader('DA log leaf', body);
  const value = reader.number(1, 'type');
  const type = Object.values(DA_LOG_TYPES).find((known) => known === value);
  if (type === undefined) throw reader.refuse('type', value);
  const leaf = {
    type,
    batchRoot: reader.bytes(32),
    epoch: reader.number(8, 'epoch'),
    quorumId: reader.number(4, 'quorum'),
    count: reader.number(4, 'count'),
    timeSeconds: reader.number(8, 'time'),
  };
  reader.end();
  return leaf;
}
