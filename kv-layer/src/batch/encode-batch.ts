import {
  BATCH_VERSION_BYTES,
  BLIND_VERSION,
  fromHex,
  STREAM_ID_BYTES,
  viewOf,
} from '@cairn/primitives';
import { BatchError } from '../errors.ts';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { accessOpShape } from './access-op.ts';
import {
  type AccessControl,
  assertControl,
  assertCount,
  assertKey,
  type StreamBatch,
  type StreamKey,
} from './stream-batch.ts';

const COUNT_BYTES = 4;
const KEY_LENGTH_BYTES = 3;
const VALUE_LENGTH_BYTES = 8;
const ADDRESS_BYTES = 20;

/** Bytes a batch takes: 20, and what its reads, writes and controls take. */
export function encodedBatchBytes(batch: StreamBatch): number {
  let bytes = BATCH_VERSION_BYTES + 3 * COUNT_BYTES;
  for (const { key } of batch.reads) bytes += STREAM_ID_BYTES + KEY_LENGTH_BYTES + key.length;
  for (const { key, value } of batch.writes) {
    bytes += STREAM_ID_BYTES + KEY_LENGTH_BYTES + key.length + VALUE_LENGTH_BYTES + value.length;
  }
  for (const control of batch.controls) bytes += controlBytes(control);
  return bytes;
}

/**
 * The bytes of a batch: version, reads, write headers, values, access controls; big-endian, packed.
 *
 * @throws {BatchError} KV_KEY_LENGTH, KV_BATCH_TOO_LONG, KV_BATCH_VERSION, KV_CONTROL_SHAPE
 */
export function encodeBatch(batch: StreamBatch): Uint8Array {
  const { version, reads, writes, controls } = batch;
  assertVersion(version);
  assertCount('reads', reads.length);
  assertCount('writes', writes.length);
  assertCount('controls', controls.length);
  for (const { key } of reads) assertKey(key);
  for (const { key } of writes) assertKey(key);
  for (const control of controls) assertControl(control);
  const writer = new Writer(encodedBatchBytes(batch));
  writer.u64(version);
  writer.u32(reads.length);
  for (const read of reads) writer.streamKey(read);
  writer.u32(writes.length);
  for (const write of writes) {
    writer.streamKey(write);
    writer.u64(BigInt(write.value.length));
  }
  for (const { value } of writes) writer.raw(value);
  writer.u32(controls.length);
  for (const control of controls) writer.control(control);
  return writer.bytes;
}

function assertVersion(version: bigint): void {
  if (version >= 0n && version <= BLIND_VERSION) return;
  throw new BatchError(
    { code: 'KV_BATCH_VERSION', version: String(version) },
    `a batch's version is from 0 to 2^64 - 1, not ${version}`,
  );
}

function controlBytes({ op, key }: AccessControl): number {
  const { hasAccount } = accessOpShape(op);
  const ofKey = key === undefined ? 0 : KEY_LENGTH_BYTES + key.length;
  return 1 + STREAM_ID_BYTES + ofKey + (hasAccount ? ADDRESS_BYTES : 0);
}

/** Fills bytes of a known length from front to back. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #stream: StreamId | undefined;
  #streamBytes: Uint8Array = new Uint8Array(STREAM_ID_BYTES);

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = viewOf(this.bytes);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  key(key: Uint8Array): void {
    this.bytes[this.#at] = key.length >> 16;
    this.#view.setUint16(this.#at + 1, key.length & 0xffff);
    this.#at += KEY_LENGTH_BYTES;
    this.raw(key);
  }

  stream(stream: StreamId): void {
    if (stream !== this.#stream) {
      this.#stream = stream;
      this.#streamBytes = streamIdBytes(stream);
    }
    this.raw(this.#streamBytes);
  }

  streamKey({ stream, key }: StreamKey): void {
    this.stream(stream);
    this.key(key);
  }

  control({ op, stream, key, account }: AccessControl): void {
    this.bytes[this.#at] = op;
    this.#at += 1;
    this.stream(stream);
    if (key !== undefined) this.key(key);
    if (account !== undefined) this.raw(fromHex(account));
  }
}
