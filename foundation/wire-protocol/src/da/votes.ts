import {
  BLOB_HEADER_BYTES,
  type BlobHeader,
  encodeBlobHeader,
  parseBlobHeader,
  SIGNATURE_BYTES,
  STATEMENT_KINDS,
} from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  fromHex,
  parseAddress,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
  refuseLength,
} from '../wire-fields.ts';

/** Content type of a request for a vote. */
export const VOTE_REQUEST_TYPE = 'application/vnd.cairn.vote-request';
/** Content type of a vote. */
export const VOTE_TYPE = 'application/vnd.cairn.vote';
/** Blobs of a batch at most: ten levels of its tree. */
export const MAX_BATCH_BLOBS = 1024;
/**
 * Blobs of a promised batch at most. Its confirmation carries every promise, 512 bytes each with its
 * signature, and nodes relay no transaction above 131,072 bytes (geth's limit): 192 leave 32,768
 * bytes, enough for a third of 512 members who did not sign.
 */
export const MAX_PROMISED_BATCH_BLOBS = 192;

const REQUEST_FIXED_BYTES: number = PREAMBLE_BYTES + 16;
/** Bytes of the longest request. */
export const MAX_VOTE_REQUEST_BYTES: number =
  REQUEST_FIXED_BYTES + MAX_BATCH_BLOBS * BLOB_HEADER_BYTES;
/** Bytes of a vote. */
export const VOTE_BYTES: number = PREAMBLE_BYTES + 16 + 32 + 20 + SIGNATURE_BYTES;

/** A kind of statement about a batch: 1 of submitted blobs, 5 of promised ones. */
export type BatchKind = typeof STATEMENT_KINDS.batch | typeof STATEMENT_KINDS.promisedBatch;

/** Blobs that a batch of this kind has at most. */
export function maxBatchBlobs(kind: BatchKind): number {
  return kind === STATEMENT_KINDS.promisedBatch ? MAX_PROMISED_BATCH_BLOBS : MAX_BATCH_BLOBS;
}

/** Asks a signer to sign for a batch. Promises are not sent again: it has them from the deliveries. */
export interface VoteRequest {
  readonly kind: BatchKind;
  readonly epoch: number;
  readonly quorumId: number;
  /** The batch's leaves, in order; 1 … 1,024, or … 192 of promised blobs. */
  readonly headers: readonly BlobHeader[];
}

/** One signer's signature under the statement about a batch; nothing is proven. */
export interface BatchVote {
  readonly kind: BatchKind;
  readonly epoch: number;
  readonly quorumId: number;
  /** Blobs of the batch. */
  readonly count: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly signer: Address;
  /** 96 bytes, compressed. */
  readonly signature: Uint8Array;
}

const REQUEST = { what: 'vote request', magic: 'CVRQ', version: 1 } as const;
const VOTE = { what: 'vote', magic: 'CVOT', version: 1 } as const;

/**
 * A request as bytes, big-endian: "CVRQ", version u8 = 1, kind u8 (1 or 5), two zero bytes, epoch u64,
 * quorum u32, count u32, then the headers of 88 bytes each.
 *
 * @throws {WireError} WIRE_FIELD for no headers or more than `maxBatchBlobs`; {RangeError} if a number does not fit
 */
export function encodeVoteRequest({ kind, epoch, quorumId, headers }: VoteRequest): Uint8Array {
  assertCount(kind, headers.length, REQUEST.what);
  return concatBytes(
    encodePlace(REQUEST, { kind, epoch, quorumId, count: headers.length }),
    ...headers.map(encodeBlobHeader),
  );
}

/**
 * The request in these bytes, all of them; copies.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD; {MessageError} for a header
 *   that is none
 */
export function parseVoteRequest(bytes: Uint8Array): VoteRequest {
  const { count, ...place } = parsePlace(bytes, REQUEST);
  assertWireLength(bytes, REQUEST_FIXED_BYTES + count * BLOB_HEADER_BYTES, REQUEST.what);
  const headers = Array.from({ length: count }, (_, at) => {
    const start = REQUEST_FIXED_BYTES + at * BLOB_HEADER_BYTES;
    return parseBlobHeader(bytes.subarray(start, start + BLOB_HEADER_BYTES));
  });
  return { ...place, headers };
}

/**
 * A vote as 176 bytes, big-endian: "CVOT", version u8 = 1, kind u8, two zero bytes, epoch u64, quorum
 * u32, count u32, root 32, signer 20, signature 96.
 *
 * @throws {WireError} WIRE_FIELD, WIRE_LENGTH; {RangeError} if a number does not fit
 */
export function encodeBatchVote(vote: BatchVote): Uint8Array {
  assertCount(vote.kind, vote.count, VOTE.what);
  assertWireLength(vote.root, 32, 'root');
  assertWireLength(vote.signature, SIGNATURE_BYTES, 'signature');
  return concatBytes(encodePlace(VOTE, vote), vote.root, fromHex(vote.signer), vote.signature);
}

/**
 * The vote in these bytes; copies. `verifyVote` says whether it is its signer's.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD
 */
export function parseBatchVote(bytes: Uint8Array): BatchVote {
  const place = parsePlace(bytes, VOTE);
  assertWireLength(bytes, VOTE_BYTES, VOTE.what);
  const at = PREAMBLE_BYTES + 16;
  return {
    ...place,
    root: bytes.slice(at, at + 32),
    signer: parseAddress(toHex(bytes.subarray(at + 32, at + 52))),
    signature: bytes.slice(at + 52),
  };
}

interface Place {
  readonly kind: BatchKind;
  readonly epoch: number;
  readonly quorumId: number;
  readonly count: number;
}

function encodePlace(message: typeof REQUEST | typeof VOTE, place: Place): Uint8Array {
  const { kind, epoch, quorumId, count } = place;
  return concatBytes(
    encodePreamble({ ...message, form: kind }),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(quorumId, 4),
    bigEndianBytes(count, 4),
  );
}

function parsePlace(bytes: Uint8Array, message: typeof REQUEST | typeof VOTE): Place {
  const { what } = message;
  const kind = parsePreamble(bytes, message);
  if (kind !== STATEMENT_KINDS.batch && kind !== STATEMENT_KINDS.promisedBatch) {
    return refuseField(what, 'kind', '1 or 5', kind);
  }
  if (bytes.length < REQUEST_FIXED_BYTES) refuseLength(what, REQUEST_FIXED_BYTES, bytes.length);
  const view = viewOf(bytes);
  const count = view.getUint32(20);
  assertCount(kind, count, what);
  const epoch = readWireNumber(view, PREAMBLE_BYTES, what, 'epoch');
  return { kind, epoch, quorumId: view.getUint32(16), count };
}

function assertCount(kind: BatchKind, count: number, what: string): void {
  const most = maxBatchBlobs(kind);
  if (Number.isInteger(count) && count >= 1 && count <= most) return;
  refuseField(what, 'count', `1 to ${most}`, count);
}
