import { type BlobHeader, type Domain, encodeBlobHeader, promisedIndex } from '@cairn/attestation';
import { bigEndianBytes, chainIdOf, keccak256, parseAddress } from '@cairn/primitives';

/** Seed of all chance in these tests. */
export const SEED = 20_261_122;

export const ENTRANCE: Domain = {
  chainId: chainIdOf(31_337),
  address: parseAddress(`0x${'da'.repeat(20)}`),
};

/** An account made of a number. */
export function accountOf(index: number): ReturnType<typeof parseAddress> {
  return parseAddress(`0x${(0xa11ce000 + index).toString(16).padStart(40, '0')}`);
}

/** A header made of a number; what is signed for it is up to `variant`. */
export function headerOf(index: number, variant = 0, fields: Partial<BlobHeader> = {}): BlobHeader {
  return {
    suite: 0,
    log2K: 6,
    cosets: 3,
    rowSizeBytes: 64,
    sizeBytes: 1000,
    commitment: keccak256(bigEndianBytes(index, 4), bigEndianBytes(variant, 4)),
    submitter: accountOf(1),
    shardId: 7,
    submissionIndex: BigInt(index),
    expirySeconds: 1_900_000_000,
    ...fields,
  };
}

/** Bodies of a batch. */
export function bodiesOf(...headers: readonly BlobHeader[]): Uint8Array[] {
  return headers.map(encodeBlobHeader);
}

/** The index of a promise. */
export function promised(epoch: number, slot: number): { readonly submissionIndex: bigint } {
  return { submissionIndex: promisedIndex({ epoch, slot }) };
}
