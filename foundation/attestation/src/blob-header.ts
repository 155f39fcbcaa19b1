import { type Address, PROMISED_INDEX_BIT } from '@cairn/primitives';
import { BodyReader } from './body-reader.ts';
import { assertBytes, packed } from './body-writer.ts';

/** Bytes of an encoded header. */
export const BLOB_HEADER_BYTES = 88;
/** The only version there is. */
export const BLOB_HEADER_VERSION = 1;

const PROMISED: bigint = 1n << PROMISED_INDEX_BIT;
const SLOT_BITS = 16n;

/** What a quorum certifies about one blob: the leaf of a batch. */
export interface BlobHeader {
  /** Hash suite of its rows: 0 BLAKE3, 1 SHA-256. */
  readonly suite: number;
  /** log2 of its data rows. */
  readonly log2K: number;
  /** Cosets of parity. */
  readonly cosets: number;
  /** Bytes of a row. */
  readonly rowSizeBytes: number;
  /** Bytes of its payload. */
  readonly sizeBytes: number;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  /** Who submitted or promised it. */
  readonly submitter: Address;
  /** The consensus shard where it was. */
  readonly shardId: number;
  /** The contract's count, or `promisedIndex` of an epoch and slot: 64 bits. */
  readonly submissionIndex: bigint;
  /** Unix seconds until when its signers keep it. */
  readonly expirySeconds: number;
}

/**
 * A header's 88 bytes, packed, big-endian: version u8, suite u8, log2K u8, cosets u8, row size u32,
 * length u64, commitment 32, submitter 20, shard u32, index u64, expiry u64.
 *
 * @throws {RangeError} if a number does not fit or the commitment is not 32 bytes
 */
export function encodeBlobHeader(header: BlobHeader): Uint8Array {
  assertBytes(header.commitment, 32, 'a commitment');
  return packed(
    [BLOB_HEADER_VERSION, 1],
    [header.suite, 1],
    [header.log2K, 1],
    [header.cosets, 1],
    [header.rowSizeBytes, 4],
    [header.sizeBytes, 8],
    header.commitment,
    header.submitter,
    [header.shardId, 4],
    [header.submissionIndex, 8],
    [header.expirySeconds, 8],
  );
}

/**
 * The header in 88 bytes. Whether its layout follows from its length is for whoever knows the codec.
 *
 * @throws {MessageError} MESSAGE_LENGTH; MESSAGE_FIELD for another version; MESSAGE_NUMBER for a
 *   length or expiry beyond 2^53 − 1
 */
export function parseBlobHeader(body: Uint8Array): BlobHeader {
  const reader = new BodyReader('blob header', body);
  const version = reader.number(1, 'version');
  if (version !== BLOB_HEADER_VERSION) throw reader.refuse('version', version);
  const header = {
    suite: reader.number(1, 'suite'),
    log2K: reader.number(1, 'log2K'),
    cosets: reader.number(1, 'cosets'),
    rowSizeBytes: reader.number(4, 'row size'),
    sizeBytes: reader.number(8, 'length'),
    commitment: reader.bytes(32),
    submitter: reader.address(),
    shardId: reader.number(4, 'shard'),
    submissionIndex: reader.wide(8),
    expirySeconds: reader.number(8, 'expiry'),
  };
  reader.end();
  return header;
}

/** An epoch's promises of one payer are told apart by these. */
export interface PromiseSlot {
  /** Below 2^47, so that it fits beside slot and bit. */
  readonly epoch: number;
  /** 0 … 65,535. */
  readonly slot: number;
}

/**
 * The submission index of a promised blob: bit 63, the epoch, the slot.
 *
 * @throws {RangeError} unless epoch and slot are within their bounds
 */
export function promisedIndex({ epoch, slot }: PromiseSlot): bigint {
  if (!Number.isInteger(slot) || slot < 0 || slot >= 2 ** 16) {
    throw new RangeError(`a promise slot is 0 to 65535, not ${slot}`);
  }
  if (!Number.isInteger(epoch) || epoch < 0 || epoch >= 2 ** 47) {
    throw new RangeError(`a promise's epoch is below 2^47, not ${epoch}`);
  }
  return PROMISED | (BigInt(epoch) << SLOT_BITS) | BigInt(slot);
}

/** Epoch and slot of a promised blob; `undefined` for one that was submitted on chain. */
export function promiseSlotOf(submissionIndex: bigint): PromiseSlot | undefined {
  if ((submissionIndex & PROMISED) === 0n) return undefined;
  const rest = submissionIndex ^ PROMISED;
  return { epoch: Number(rest >> SLOT_BITS), slot: Number(rest & 0xffffn) };
}
