import { BodyReader } from './body-reader.ts';
import { assertBytes, packed } from './body-writer.ts';
import { leafHash } from './merkle-tree.ts';

/** Bytes of an encoded checkpoint. */
export const CHECKPOINT_BYTES = 212;

/** What the chain of a consensus shard held at the end of one of its final blocks. */
export interface Checkpoint {
  /** The shard; 0 is the hub. */
  readonly shardId: number;
  /** From 1, without gaps: number k is of the highest final block of height k · period or less. */
  readonly number: number;
  /** Hash of the checkpoint before, 32 bytes; zeros for the first. */
  readonly previous: Uint8Array;
  /** Root of the flow tree, 32 bytes. */
  readonly flowRoot: Uint8Array;
  /** Sectors in the flow. */
  readonly flowLength: number;
  /** Root over the submission records, on the hub over the order of checkpoints; 32 bytes. */
  readonly logRoot: Uint8Array;
  /** Leaves under it. */
  readonly logCount: number;
  /** Root over the confirmed batches, 32 bytes. */
  readonly daRoot: Uint8Array;
  /** Leaves under it. */
  readonly daCount: number;
  readonly blockNumber: number;
  /** 32 bytes. */
  readonly blockHash: Uint8Array;
  /** Block time, unix seconds. */
  readonly timeSeconds: number;
}

/**
 * A checkpoint's bytes, packed, big-endian: shard u32, number u64, previous 32, flow root 32, flow length
 * u64, log root 32, log count u64, DA root 32, DA count u64, block number u64, block hash 32, time u64.
 *
 * @throws {RangeError} if a number does not fit, or a hash is not 32 bytes
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { shardId, number, previous, flowRoot, flowLength, logRoot, logCount } = checkpoint;
  const { daRoot, daCount, blockNumber, blockHash, timeSeconds } = checkpoint;
  for (const hash of [previous, flowRoot, logRoot, daRoot, blockHash]) {
    assertBytes(hash, 32, 'a hash in a checkpoint');
  }
  return packed(
    ...[[shardId, 4] as const, [number, 8] as const, previous],
    ...[flowRoot, [flowLength, 8] as const, logRoot, [logCount, 8] as const],
    ...[daRoot, [daCount, 8] as const],
    ...[[blockNumber, 8] as const, blockHash, [timeSeconds, 8] as const],
  );
}

/**
 * The checkpoint in 212 bytes.
 *
 * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER; MESSAGE_FIELD for number 0
 */
export function parseCheckpoint(body: Uint8Array): Checkpoint {
  const reader = new BodyReader('checkpoint', body);
  const shardId = reader.number(4, 'shard');
  const number = reader.number(8, 'number');
  if (number === 0) throw reader.refuse('number', number);
  const checkpoint = {
    shardId,
    number,
    previous: reader.bytes(32),
    flowRoot: reader.bytes(32),
    flowLength: reader.number(8, 'flow length'),
    logRoot: reader.bytes(32),
    logCount: reader.number(8, 'log count'),
    daRoot: reader.bytes(32),
    daCount: reader.number(8, 'DA count'),
    blockNumber: reader.number(8, 'block number'),
    blockHash: reader.bytes(32),
    timeSeconds: reader.number(8, 'time'),
  };
  reader.end();
  return checkpoint;
}

/** The leaf of a checkpoint in a bundle and in the order of all, and the next one's `previous`. */
export function checkpointHash(checkpoint: Checkpoint): Uint8Array {
  return leafHash(encodeCheckpoint(checkpoint));
}
