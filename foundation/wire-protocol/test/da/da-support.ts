import { type BlobHeader, promisedIndex } from '@cairn/attestation';
import { chainIdOf, parseAddress } from '@cairn/primitives';
import fc from 'fast-check';
import type { PromiseTerms } from '../../src/da/blob-promise.ts';

export const SEED = 20_261_122;

/** Objects as parsers make them. */
const PLAIN = { noNullPrototype: true } as const;

export const ENTRANCE = {
  chainId: chainIdOf(31_337),
  address: parseAddress(`0x${'e1'.repeat(20)}`),
};

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const natural = (max = 2 ** 48): fc.Arbitrary<number> => fc.integer({ min: 0, max });

/** Headers of submitted blobs, of any numbers. */
export const submittedHeaders: fc.Arbitrary<BlobHeader> = fc.record(
  {
    suite: natural(1),
    log2K: natural(255),
    cosets: natural(255),
    rowSizeBytes: natural(2 ** 32 - 1),
    sizeBytes: natural(),
    commitment: bytes(32),
    submitter: bytes(20).map((account) =>
      parseAddress(`0x${Buffer.from(account).toString('hex')}`),
    ),
    shardId: natural(2 ** 32 - 1),
    submissionIndex: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    expirySeconds: natural(),
  },
  PLAIN,
);

export const terms: fc.Arbitrary<PromiseTerms> = fc.record(
  {
    retentionEpochs: fc.integer({ min: 1, max: 65_535 }),
    signBySeconds: natural(),
    maxFeeWei: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    payerSignature: bytes(65),
  },
  PLAIN,
);

export interface PromisedCase {
  readonly epoch: number;
  readonly header: BlobHeader;
  readonly promise: PromiseTerms;
}

/** Promised blobs with their epoch. */
export const promisedBlobs: fc.Arbitrary<PromisedCase> = fc
  .tuple(submittedHeaders, natural(2 ** 40), natural(65_535), terms)
  .map(([header, epoch, slot, promise]) => ({
    epoch,
    header: { ...header, submissionIndex: promisedIndex({ epoch, slot }) },
    promise,
  }));
