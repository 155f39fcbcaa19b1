import { type BlobHeader, type Domain, promiseSlotOf } from '@cairn/attestation';
import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  keccak256,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import { assertWireLength, readWireNumber } from '../wire-fields.ts';

/** Bytes of a payer's signature: r, s, v. */
export const PAYER_SIGNATURE_BYTES = 65;
/** Bytes of encoded terms. */
export const PROMISE_TERMS_BYTES: number = 2 + 8 + 32 + PAYER_SIGNATURE_BYTES;

/** What a payer promises beside the header of its blob, and its signature under both. */
export interface PromiseTerms {
  /** Epochs for which the rows are kept once the blob's own is over; 1 … 65,535. */
  readonly retentionEpochs: number;
  /** Unix seconds; signers refuse the promise later than that. */
  readonly signBySeconds: number;
  /** Above this fee the promise is void. */
  readonly maxFeeWei: bigint;
  /** 65 bytes over `promiseDigest`. */
  readonly payerSignature: Uint8Array;
}

const WHAT = 'promise';
const TYPE_HASH: Uint8Array = keccak256(
  utf8Bytes(
    'Promise(bytes32 commitment,uint64 length,uint32 rowSize,uint8 suite,uint8 log2K,uint8 cosets,' +
      'uint16 retentionEpochs,uint64 epoch,uint16 slot,uint64 signBy,uint256 maxFee)',
  ),
);
const DOMAIN_HASH: Uint8Array = keccak256(
  utf8Bytes('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
);
const TYPED_DATA_PREFIX = Uint8Array.of(0x19, 0x01);

/**
 * Terms as bytes, big-endian: retention u16, sign-by u64, fee 32, signature 65.
 *
 * @throws {RangeError} if a number does not fit; {WireError} WIRE_FIELD, WIRE_LENGTH
 */
export function encodePromiseTerms(terms: PromiseTerms): Uint8Array {
  const { retentionEpochs, signBySeconds, maxFeeWei, payerSignature } = terms;
  if (retentionEpochs < 1) refuseField(WHAT, 'retentionEpochs', 'at least 1', retentionEpochs);
  assertWireLength(payerSignature, PAYER_SIGNATURE_BYTES, "payer's signature");
  return concatBytes(
    bigEndianBytes(retentionEpochs, 2),
    bigEndianBytes(signBySeconds, 8),
    bigEndianBytes(maxFeeWei, 32),
    payerSignature,
  );
}

/**
 * The terms in 107 bytes; a copy. Whose the signature is, `promiseDigest` and recovery decide.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_FIELD
 */
export function parsePromiseTerms(bytes: Uint8Array): PromiseTerms {
  assertWireLength(bytes, PROMISE_TERMS_BYTES, WHAT);
  const view = viewOf(bytes);
  const retentionEpochs = view.getUint16(0);
  if (retentionEpochs < 1) refuseField(WHAT, 'retentionEpochs', 'at least 1', retentionEpochs);
  let maxFeeWei = 0n;
  for (const byte of bytes.subarray(10, 42)) maxFeeWei = (maxFeeWei << 8n) | BigInt(byte);
  return {
    retentionEpochs,
    signBySeconds: readWireNumber(view, 2, WHAT, 'signBy'),
    maxFeeWei,
    payerSignature: bytes.slice(42),
  };
}

/** What a payer signs: the blob's header says all but the terms. */
export interface PromisedBlob {
  /** Its index has bit 63. */
  readonly header: BlobHeader;
  readonly terms: Omit<PromiseTerms, 'payerSignature'>;
}

/**
 * The 32 bytes that a payer signs (EIP-712, domain "Cairn", version "1", the DA entrance). The header's
 * submitter, shard and expiry are not among them: they follow from who signed, where and when.
 *
 * @throws {WireError} WIRE_FIELD for a header that is not of a promised blob
 * @see contracts/src/da/Promises.sol
 */
export function promiseDigest({ header, terms }: PromisedBlob, entrance: Domain): Uint8Array {
  const place = promiseSlotOf(header.submissionIndex);
  if (place === undefined) {
    refuseField(WHAT, 'submissionIndex', 'one with bit 63', String(header.submissionIndex));
  }
  const shape = [header.sizeBytes, header.rowSizeBytes, header.suite, header.log2K, header.cosets];
  const time = [terms.retentionEpochs, place.epoch, place.slot, terms.signBySeconds];
  const promise = words(TYPE_HASH, header.commitment, ...shape, ...time, terms.maxFeeWei);
  const contract = concatBytes(new Uint8Array(12), fromHex(entrance.address));
  const name = keccak256(utf8Bytes('Cairn'));
  const domain = words(DOMAIN_HASH, name, keccak256(utf8Bytes('1')), entrance.chainId, contract);
  return keccak256(TYPED_DATA_PREFIX, keccak256(domain), keccak256(promise));
}

/** Numbers and hashes as words of the EVM. */
function words(...values: readonly (number | bigint | Uint8Array)[]): Uint8Array {
  return concatBytes(
    ...values.map((value) => (value instanceof Uint8Array ? value : bigEndianBytes(value, 32))),
  );
}
