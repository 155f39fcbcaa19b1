import {
  type Address,
  assertNatural,
  MAX_BATCH_ITEMS,
  MAX_KEY_BYTES,
  SECTOR_BYTES,
} from '@cairn/primitives';
import { BatchError } from '../errors.ts';
import type { StreamId } from '../stream-id.ts';
import { type AccessOp, accessOpShape } from './access-op.ts';

/** A key of a stream: 1 to 16,777,215 bytes. */
export interface StreamKey {
  readonly stream: StreamId;
  readonly key: Uint8Array;
}

/** A write; a value of no byte deletes the key. */
export interface StreamWrite extends StreamKey {
  readonly value: Uint8Array;
}

/** One change of who may do what in a stream. */
export interface AccessControl {
  readonly op: AccessOp;
  readonly stream: StreamId;
  /** There exactly if the op is about a key. */
  readonly key?: Uint8Array;
  /** There exactly if the op is about somebody else than the sender. */
  readonly account?: Address;
}

/** The content of a key-value log entry: applied whole or not at all. */
export interface StreamBatch {
  /**
   * The writer's snapshot, 0 … 2^64 − 1: a conflict if any key read or written has a newer version.
   */
  readonly version: bigint;
  readonly reads: readonly StreamKey[];
  readonly writes: readonly StreamWrite[];
  readonly controls: readonly AccessControl[];
}

/** Where a batch is read from: the file of a log entry. */
export interface BatchSource {
  /** The file's length as the chain states it. */
  readonly sizeBytes: number;
  /** Bytes that parsing may read: with those after the file's end in its last sector. */
  readonly readableBytes: number;
  /**
   * Exactly `length` bytes from `offset`, within `readableBytes`.
   *
   * @throws what the medium throws; the signal's reason
   */
  read(
    offset: number,
    length: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /** The file's bytes, if they are in memory already. */
  readonly bytes?: Uint8Array;
}

/**
 * Bytes of a file that count as readable: up to the end of its last sector of 256 bytes, where zeros
 * follow. What others committed depends on it, so it stays.
 */
export function readableBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/** A batch whose file is in memory. */
export function memoryBatchSource(bytes: Uint8Array): BatchSource {
  return fileBatchSource(
    bytes.length,
    async (offset, length, { signal }) => {
      signal.throwIfAborted();
      return bytes.subarray(offset, offset + length);
    },
    bytes,
  );
}

/**
 * A batch over a file's own bytes: adds the zeros of the last sector.
 *
 * @param read - exactly `length` bytes from `offset`, within the file
 * @param bytes - the whole file, if it is in memory
 */
export function fileBatchSource(
  sizeBytes: number,
  read: BatchSource['read'],
  bytes?: Uint8Array,
): BatchSource {
  assertNatural(sizeBytes, 'file size');
  return {
    sizeBytes,
    readableBytes: readableBytes(sizeBytes),
    ...(bytes === undefined ? {} : { bytes }),
    async read(offset, length, options) {
      const real = Math.max(0, Math.min(length, sizeBytes - offset));
      const found = real === 0 ? new Uint8Array(0) : await read(offset, real, options);
      if (real === length) return found;
      const padded = new Uint8Array(length);
      padded.set(found);
      return padded;
    },
  };
}

/** @throws {BatchError} KV_KEY_LENGTH unless a key has 1 to 16,777,215 bytes */
export function assertKey(key: Uint8Array): void {
  if (key.length >= 1 && key.length <= MAX_KEY_BYTES) return;
  throw new BatchError(
    { code: 'KV_KEY_LENGTH', keyBytes: key.length, maxBytes: MAX_KEY_BYTES },
    `a key has 1 to ${MAX_KEY_BYTES} bytes, not ${key.length}`,
  );
}

/** @throws {BatchError} KV_BATCH_TOO_LONG beyond 65,536 items of a list */
export function assertCount(list: 'reads' | 'writes' | 'controls', count: number): void {
  if (count <= MAX_BATCH_ITEMS) return;
  throw new BatchError(
    { code: 'KV_BATCH_TOO_LONG', list, count, max: MAX_BATCH_ITEMS },
    `a batch has at most ${MAX_BATCH_ITEMS} ${list}, not ${count}`,
  );
}

/** @throws {BatchError} KV_CONTROL_SHAPE, KV_KEY_LENGTH unless a control has exactly what its op needs */
export function assertControl({ op, key, account }: AccessControl): void {
  const { name, hasKey, hasAccount } = accessOpShape(op);
  const refuse = (field: 'key' | 'account', needs: boolean): never => {
    throw new BatchError(
      { code: 'KV_CONTROL_SHAPE', op, field },
      `${name} ${needs ? 'needs' : 'takes no'} ${field}`,
    );
  };
  if ((key !== undefined) !== hasKey) refuse('key', hasKey);
  if ((account !== undefined) !== hasAccount) refuse('account', hasAccount);
  if (key !== undefined) assertKey(key);
}
