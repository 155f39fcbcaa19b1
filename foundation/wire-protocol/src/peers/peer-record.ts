import { concatBytes, utf8Bytes, viewOf, writeSafeU64 } from '@cairn/primitives';
import { assertBound, refuseField, urlOf } from '../check.ts';
import { isPeerId, peerOfAddress } from '../peer-address.ts';
import type { ShardConfig } from '../shard.ts';
import {
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
  refuseLength,
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

/** Addresses of a record at most. */
export const MAX_RECORD_ADDRESSES = 4;
/** Characters of a record's URL and of each of its addresses at most. */
const MAX_TEXT_BYTES = 255;
/** Bytes of a signature, Ed25519. */
const SIGNATURE_BYTES = 64;
/** Bytes of the longest signed record. */
export const MAX_RECORD_BYTES: number =
  PREAMBLE_BYTES +
  LOG_BYTES +
  SHARD_BYTES +
  8 +
  (2 + MAX_RECORD_ADDRESSES) * 256 +
  1 +
  SIGNATURE_BYTES;

const RECORD = { what: 'peer record', magic: 'CPEE', version: 1 } as const;

/** What a storage node says of itself. */
export interface PeerRecord extends PeerLog {
  /** Its peer id: the key that signs. */
  readonly peer: string;
  /** The segments it keeps. */
  readonly shard: ShardConfig;
  /** When it was signed, milliseconds since the Unix epoch; of two records the later counts. */
  readonly signedAtMs: number;
  /** Where its segments are had over HTTP, without a slash at the end; `undefined`: over libp2p. */
  readonly url: string | undefined;
  /** Where it can be dialled, each ending in its peer id; none for a node without an inbound path. */
  readonly addresses: readonly string[];
}

/** A record with a signature that nobody has checked yet. */
export interface SignedPeerRecord {
  readonly record: PeerRecord;
  /** What the signature is over. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * What is signed, big-endian: "CPEE", version u8 = 1, three zero bytes, chain id u64, log contract 20,
 * shard id u32, binary logarithm of the shard count u8, time u64, then texts with their length as u8:
 * peer, URL (empty for none), a count u8 of addresses and those.
 *
 * @throws {WireError} WIRE_TOO_LONG, WIRE_FIELD if it could not be parsed back
 */
export function encodePeerRecord(record: PeerRecord): Uint8Array {
  requireRecord(record);
  const fixed = new Uint8Array(LOG_BYTES + SHARD_BYTES + 8);
  writeLog(fixed, 0, record);
  writeShard(fixed, LOG_BYTES, record.shard);
  writeSafeU64(viewOf(fixed), LOG_BYTES + SHARD_BYTES, record.signedAtMs);
  return concatBytes(
    encodePreamble({ ...RECORD, form: 0 }),
    fixed,
    encodeText(record.peer),
    encodeText(record.url ?? ''),
    Uint8Array.of(record.addresses.length),
    ...record.addresses.map(encodeText),
  );
}

/** A body and its signature as they travel. @throws {WireError} WIRE_LENGTH for another signature */
export function encodeSignedRecord(body: Uint8Array, signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) {
    refuseLength('record signature', SIGNATURE_BYTES, signature.length);
  }
  return concatBytes(body, signature);
}

/**
 * The record in these bytes: every field checked, nothing left over. The signature is not: whoever
 * has the peer's key does that.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD, WIRE_TOO_LONG, SHARD_INVALID
 */
export function parseSignedRecord(bytes: Uint8Array): SignedPeerRecord {
  assertBound(bytes.length, MAX_RECORD_BYTES, RECORD.what);
  const form = parsePreamble(bytes, RECORD);
  if (form !== 0) refuseField(RECORD.what, 'form', '0', form);
  const texts = PREAMBLE_BYTES + LOG_BYTES + SHARD_BYTES + 8;
  const end = bytes.length - SIGNATURE_BYTES;
  if (end < texts) refuseLength(RECORD.what, texts + SIGNATURE_BYTES, bytes.length);
  const reader = new TextReader(bytes.subarray(0, end), texts);
  const [peer, url] = [reader.text(), reader.text()];
  const count = reader.byte();
  assertBound(count, MAX_RECORD_ADDRESSES, `${RECORD.what}.addresses`);
  const addresses = Array.from({ length: count }, () => reader.text());
  reader.end();
  const { chainId, flow } = readLog(bytes, PREAMBLE_BYTES, RECORD.what);
  const record: PeerRecord = {
    chainId,
    flow,
    shard: readShard(bytes, PREAMBLE_BYTES + LOG_BYTES),
    signedAtMs: readWireNumber(viewOf(bytes), texts - 8, RECORD.what, 'signedAtMs'),
    peer,
    url: url === '' ? undefined : url,
    addresses,
  };
  requireRecord(record);
  return { record, body: bytes.subarray(0, end), signature: bytes.subarray(end) };
}

/** What holds for every record, sent or received. */
function requireRecord({ peer, url, addresses }: PeerRecord): void {
  if (!isPeerId(peer)) refuseField(RECORD.what, 'peer', 'a peer id', peer);
  if (url !== undefined && urlOf(url, RECORD.what, 'url') !== url) {
    refuseField(RECORD.what, 'url', 'a URL without a slash at its end', url);
  }
  assertBound(addresses.length, MAX_RECORD_ADDRESSES, `${RECORD.what}.addresses`);
  for (const address of addresses) {
    if (peerOfAddress(address) !== peer) {
      refuseField(RECORD.what, 'addresses', `multiaddresses that end in /p2p/${peer}`, address);
    }
  }
}

function encodeText(text: string): Uint8Array {
  const bytes = utf8Bytes(text);
  assertBound(bytes.length, MAX_TEXT_BYTES, `${RECORD.what} text`);
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

/** Every text here is ASCII without spaces: URLs, multiaddresses and peer ids. */
function asciiText(bytes: Uint8Array): string | undefined {
  for (const byte of bytes) if (byte < 0x21 || byte > 0x7e) return undefined;
  return String.fromCharCode(...bytes); // at most 255
}

/** Reads texts with their length before them. */
class TextReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) refuseLength(RECORD.what, this.#at + 1, this.#bytes.length);
    this.#at += 1;
    return value;
  }

  text(): string {
    const length = this.byte();
    const end = this.#at + length;
    if (end > this.#bytes.length) refuseLength(RECORD.what, end, this.#bytes.length);
    const bytes = this.#bytes.subarray(this.#at, end);
    const text = asciiText(bytes);
    if (text === undefined) {
      refuseField(RECORD.what, 'text', 'ASCII without spaces', `${length} bytes`);
    }
    this.#at = end;
    return text;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) refuseLength(RECORD.what, this.#at, this.#bytes.length);
  }
}
