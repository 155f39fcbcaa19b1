import {
  type Address,
  concatBytes,
  fromHex,
  type Hex,
  isHexOf,
  keccak256,
  STREAM_ID_BYTES,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { BatchError } from './errors.ts';

declare const brand: unique symbol;

/** A stream's id: 32 bytes as lower-case hex. Nobody registers it; its first writer owns it. */
export type StreamId = Hex & { readonly [brand]: 'StreamId' };

/** @throws {BatchError} KV_STREAM_ID unless `text` is `0x` and 64 hex digits, either case */
export function parseStreamId(text: string): StreamId {
  if (isHexOf(text, STREAM_ID_BYTES)) return text.toLowerCase() as StreamId;
  const shown = String(text).slice(0, 80);
  throw new BatchError(
    { code: 'KV_STREAM_ID', text: shown },
    `a stream id is 0x and ${STREAM_ID_BYTES * 2} hex digits, not "${shown}"`,
  );
}

/** The stream id of 32 bytes. @throws {BatchError} KV_STREAM_ID for another length */
export function streamIdOf(bytes: Uint8Array): StreamId {
  return parseStreamId(toHex(bytes));
}

/** The 32 bytes of a stream id. */
export function streamIdBytes(stream: StreamId): Uint8Array {
  return fromHex(stream);
}

/**
 * A stream id that nobody meets by chance: keccak-256 of abi.encode("zgkv", owner, salt).
 *
 * Ids are first come, first served, and public before they are mined, so short ones are squatted;
 * one of these still goes to whoever writes first.
 *
 * @param salt - 32 bytes
 * @throws {RangeError} if the salt has another length
 */
export function deriveStreamId(owner: Address, salt: Uint8Array): StreamId {
  if (salt.length !== 32) throw new RangeError(`a salt has 32 bytes, not ${salt.length}`);
  const word = (value: number): Uint8Array => {
    const bytes = new Uint8Array(32);
    bytes[31] = value;
    return bytes;
  };
  const name = new Uint8Array(32);
  name.set(utf8Bytes('zgkv'));
  const account = new Uint8Array(32);
  account.set(fromHex(owner), 12);
  // Head: offset of the string, owner, salt; tail: the string's length and its padded bytes.
  return streamIdOf(keccak256(concatBytes(word(96), account, salt, word(4), name)));
}
