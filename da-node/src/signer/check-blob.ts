import {
  type BlobHeader,
  type EpochHeader,
  encodeBlobHeader,
  promiseSlotOf,
  quorumOfBlob,
  quorumsOf,
} from '@cairn/attestation';
import { type BlobLayout, layoutOf } from '@cairn/erasure-codec';
import { equalBytes } from '@cairn/primitives';
import { SignerError, type SignerFault } from '../errors.ts';
import type { SignerNetwork, SubmittedBlob } from './ports.ts';

/** Where and when a blob is looked at. */
export interface BlobContext {
  readonly network: SignerNetwork;
  /** Of the epoch whose quorum is asked. */
  readonly office: EpochHeader;
  readonly nowSeconds: number;
}

/**
 * The layout of a blob that belongs here: shard, layout and suite are the network's, bit 63 tells this
 * epoch, and its time is not over.
 *
 * @throws {SignerError} BLOB_MISPLACED, BLOB_LAYOUT, BLOB_EXPIRED; {CodecError} PAYLOAD_TOO_LARGE
 */
export function requireLayout(header: BlobHeader, context: BlobContext): BlobLayout {
  const { network, office, nowSeconds } = context;
  if (header.shardId !== network.shardId) {
    throw misplaced(header, 'shard', network.shardId, header.shardId);
  }
  const promisedFor = promiseSlotOf(header.submissionIndex)?.epoch ?? office.epoch;
  if (promisedFor !== office.epoch) throw misplaced(header, 'epoch', office.epoch, promisedFor);
  if (header.expirySeconds <= nowSeconds) {
    const { expirySeconds } = header;
    throw new SignerError(
      { code: 'BLOB_EXPIRED', expirySeconds, nowSeconds },
      `the blob was to be kept until ${expirySeconds}, it is ${nowSeconds} now`,
    );
  }
  const layout = layoutOf(header.sizeBytes, network.layout);
  assertField('log2K', layout.log2K, header.log2K);
  assertField('cosets', layout.cosets, header.cosets);
  assertField('rowSize', layout.rowBytes, header.rowSizeBytes);
  if (header.suite > 1) assertField('suite', 1, header.suite);
  return layout;
}

/** The quorum of an epoch that holds the blob: its sender does not choose. */
export function quorumOfHeader(header: BlobHeader, office: EpochHeader): number {
  const { submissionIndex, submitter } = header;
  const promised = promiseSlotOf(submissionIndex);
  const place =
    promised === undefined ? { submissionIndex } : { payer: submitter, slot: promised.slot };
  return quorumOfBlob(office.seed, place, quorumsOf(office));
}

/**
 * The header has to be the one that was submitted, in the epoch that is asked for.
 *
 * @throws {SignerError} BLOB_UNKNOWN, BLOB_MISMATCH naming the first field, BLOB_MISPLACED
 */
export function assertSubmitted(
  header: BlobHeader,
  submitted: SubmittedBlob | undefined,
  { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
): asserts submitted is SubmittedBlob {
  const { submissionIndex } = header;
  if (submitted === undefined) {
    throw new SignerError(
      { code: 'BLOB_UNKNOWN', submissionIndex },
      `no submission ${submissionIndex} is known here yet`,
    );
  }
  if (!equalBytes(encodeBlobHeader(header), encodeBlobHeader(submitted.header))) {
    const field = firstDifference(header, submitted.header);
    throw new SignerError(
      { code: 'BLOB_MISMATCH', field, submissionIndex },
      `the header is not that of submission ${submissionIndex}: its ${field} differs`,
    );
  }
  if (submitted.epoch !== epoch) throw misplaced(header, 'epoch', epoch, submitted.epoch);
  if (submitted.quorumId !== quorumId) {
    throw misplaced(header, 'quorum', quorumId, submitted.quorumId);
  }
}

/** A blob of another place than it is asked for. */
export function misplaced(
  { submissionIndex }: Pick<BlobHeader, 'submissionIndex'>,
  field: Extract<SignerFault, { code: 'BLOB_MISPLACED' }>['field'],
  expected: number,
  actual: number,
): SignerError {
  return new SignerError(
    { code: 'BLOB_MISPLACED', field, expected, actual },
    `blob ${submissionIndex} is of ${field} ${actual}, not ${expected}`,
  );
}

function assertField(field: string, expected: number, actual: number): void {
  if (expected === actual) return;
  throw new SignerError(
    { code: 'BLOB_LAYOUT', field, expected, actual },
    `a blob of this length has ${field} ${expected} here, not ${actual}`,
  );
}

function firstDifference(header: BlobHeader, submitted: BlobHeader): string {
  const fields = Object.keys(submitted) as (keyof BlobHeader)[];
  const differs = fields.find((field) => {
    const [left, right] = [header[field], submitted[field]];
    if (left instanceof Uint8Array && right instanceof Uint8Array) return !equalBytes(left, right);
    return left !== right;
  });
  return differs ?? 'encoding';
}
