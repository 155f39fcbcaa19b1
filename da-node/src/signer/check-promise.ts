import type { BlobHeader, EpochHeader } from '@cairn/attestation';
import { recoverAddress } from '@cairn/chain-access';
import type { BlobLayout } from '@cairn/erasure-codec';
import { type Address, compareBytes, fromHex } from '@cairn/primitives';
import { type PromiseTerms, promiseDigest } from '@cairn/wire-protocol/da';
import { SignerError, type SignerFault } from '../errors.ts';
import type { EpochPrices, SignerNetwork } from './ports.ts';
import type { HeldPromise } from './slice-file.ts';

/** What a promise is judged by. */
export interface PromiseContext {
  readonly network: SignerNetwork;
  readonly office: EpochHeader;
  readonly prices: EpochPrices;
  readonly nowSeconds: number;
}

/** Half the order of secp256k1: contracts take no signature whose s is above. */
const LARGEST_S: Uint8Array = fromHex(
  '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0',
);

/** Wei for a blob that is kept for so many epochs after its own. */
export function blobFee(
  { rowBytes, rows }: Pick<BlobLayout, 'rowBytes' | 'rows'>,
  retentionEpochs: number,
  { basePerBlobWei, pricePerByteEpochWei }: EpochPrices,
): bigint {
  const keptBytes = BigInt(rowBytes) * BigInt(rows) * BigInt(retentionEpochs);
  return basePerBlobWei + keptBytes * pricePerByteEpochWei;
}

/**
 * A promise that the contract would charge, if the deposit lasts: its terms make this header, its fee
 * is within its limit, it may still be signed for, and its submitter signed it.
 *
 * @throws {SignerError} PROMISE_TERMS, PROMISE_LATE, PROMISE_NOT_SIGNED
 */
export function verifyPromise(
  { header, terms }: { readonly header: BlobHeader; readonly terms: PromiseTerms },
  layout: BlobLayout,
  { network, office, prices, nowSeconds }: PromiseContext,
): HeldPromise {
  const { retentionEpochs, maxFeeWei, payerSignature } = terms;
  if (retentionEpochs > network.maxRetentionEpochs) {
    throw badTerms('retention', network.maxRetentionEpochs, retentionEpochs);
  }
  const expiry = office.endSeconds + retentionEpochs * network.epochSeconds;
  if (header.expirySeconds !== expiry) throw badTerms('expiry', expiry, header.expirySeconds);
  const feeWei = blobFee(layout, retentionEpochs, prices);
  if (feeWei > maxFeeWei) throw badTerms('fee', maxFeeWei, feeWei);
  assertInTime(terms, nowSeconds);
  const payer = recoverPayer(promiseDigest({ header, terms }, network.entrance), payerSignature);
  if (payer !== header.submitter) {
    throw new SignerError(
      { code: 'PROMISE_NOT_SIGNED', payer: header.submitter },
      `the promise is not signed by ${header.submitter}`,
    );
  }
  return { terms, feeWei };
}

/** @throws {SignerError} PROMISE_LATE */
export function assertInTime({ signBySeconds }: PromiseTerms, nowSeconds: number): void {
  if (nowSeconds <= signBySeconds) return;
  throw new SignerError(
    { code: 'PROMISE_LATE', signBySeconds, nowSeconds },
    `the promise was to be signed for by ${signBySeconds}, it is ${nowSeconds} now`,
  );
}

/**
 * Who signed, where the entrance would find the same: it takes v 27 and 28 and an s of the lower half
 * only, and one signature that it does not take reverts the whole batch.
 */
export function recoverPayer(digest: Uint8Array, signature: Uint8Array): Address | undefined {
  const v = signature[64];
  const isLow = compareBytes(signature.subarray(32, 64), LARGEST_S) <= 0;
  return isLow && (v === 27 || v === 28) ? recoverAddress(digest, signature) : undefined;
}

function badTerms(
  field: Extract<SignerFault, { code: 'PROMISE_TERMS' }>['field'],
  allowed: number | bigint,
  actual: number | bigint,
): SignerError {
  return new SignerError(
    { code: 'PROMISE_TERMS', field, allowed: BigInt(allowed), actual: BigInt(actual) },
    `the promise's ${field} is ${actual}, where ${allowed} is right or the most`,
  );
}
