import type { BlobHeader, VerifiedBlobCertificate } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import {
  type ExpectedBlob,
  type LayoutNetwork,
  layoutOf,
  type VerifiedHeader,
} from '@cairn/erasure-codec';
import { SampleError } from '../errors.ts';

declare const sampled: unique symbol;

/**
 * A blob that a quorum certified, or whose header is proven: worth asking for. Only `certifiedBlob`
 * and `provenBlob` make one.
 */
export type SampledBlob = ExpectedBlob & {
  readonly suite: RowSuite['id'];
  /** Who certified it, where a certificate was given. */
  readonly quorum?: { readonly epoch: number; readonly quorumId: number };
  /** What proves its rows, where it is known beforehand. */
  readonly header?: VerifiedHeader;
  readonly [sampled]: true;
};

/**
 * The blob of a certificate, laid out as the network lays out its length: a header that says
 * otherwise was signed against the rules.
 *
 * @throws {SampleError} SAMPLE_LAYOUT; {CodecError} PAYLOAD_TOO_LARGE
 */
export function certifiedBlob(
  { header, statement }: VerifiedBlobCertificate,
  network: LayoutNetwork,
): SampledBlob {
  const layout = layoutOf(header.sizeBytes, network);
  assertField('log2K', layout.log2K, header.log2K);
  assertField('cosets', layout.cosets, header.cosets);
  assertField('rowSizeBytes', layout.rowBytes, header.rowSizeBytes);
  const { commitment } = header;
  const quorum = { epoch: statement.epoch, quorumId: statement.quorumId };
  return { commitment, layout, suite: suiteOf(header), quorum } as SampledBlob;
}

/** The blob of a header that was proven before, as by an earlier sample. */
export function provenBlob(header: VerifiedHeader): SampledBlob {
  const { commitment, layout, suite } = header;
  return { commitment, layout, suite, header } as SampledBlob;
}

function suiteOf({ suite }: Pick<BlobHeader, 'suite'>): RowSuite['id'] {
  if (suite === 0 || suite === 1) return suite;
  throw wrongField('suite', 0, suite);
}

function assertField(field: string, expected: number, actual: number): void {
  if (actual !== expected) throw wrongField(field, expected, actual);
}

function wrongField(field: string, expected: number, actual: number): SampleError {
  return new SampleError(
    { code: 'SAMPLE_LAYOUT', field, expected, actual },
    `the certified header says ${field} ${actual}, where its length gives ${expected}`,
  );
}
