import { deepEqual, equal, notDeepEqual, throws } from 'node:assert/strict';
import { promiseSlotOf } from '@cairn/attestation';
import { fromHex, isFault, toHex } from '@cairn/primitives';
import { TypedDataEncoder } from 'ethers';
import fc from 'fast-check';
import {
  encodePromiseTerms,
  type PromiseTerms,
  parsePromiseTerms,
  promiseDigest,
} from '../../src/da/blob-promise.ts';
import { ENTRANCE, promisedBlobs, SEED, submittedHeaders, terms } from './da-support.ts';

const TYPES = {
  Promise: [
    { name: 'commitment', type: 'bytes32' },
    { name: 'length', type: 'uint64' },
    { name: 'rowSize', type: 'uint32' },
    { name: 'suite', type: 'uint8' },
    { name: 'log2K', type: 'uint8' },
    { name: 'cosets', type: 'uint8' },
    { name: 'retentionEpochs', type: 'uint16' },
    { name: 'epoch', type: 'uint64' },
    { name: 'slot', type: 'uint16' },
    { name: 'signBy', type: 'uint64' },
    { name: 'maxFee', type: 'uint256' },
  ],
};

describe('a promise', () => {
  it('is signed as EIP-712 has it, by another implementation', () => {
    fc.assert(
      fc.property(promisedBlobs, ({ epoch, header, promise }) => {
        const domain = {
          name: 'Cairn',
          version: '1',
          chainId: ENTRANCE.chainId,
          verifyingContract: ENTRANCE.address,
        };
        const expected = TypedDataEncoder.hash(domain, TYPES, {
          commitment: toHex(header.commitment),
          length: header.sizeBytes,
          rowSize: header.rowSizeBytes,
          suite: header.suite,
          log2K: header.log2K,
          cosets: header.cosets,
          retentionEpochs: promise.retentionEpochs,
          epoch,
          slot: promiseSlotOf(header.submissionIndex)?.slot,
          signBy: promise.signBySeconds,
          maxFee: promise.maxFeeWei,
        });
        deepEqual(promiseDigest({ header, terms: promise }, ENTRANCE), fromHex(expected));
      }),
      { seed: SEED, numRuns: 30 },
    );
  });

  it('is another for another entrance, and none without bit 63', () => {
    const [blob] = fc.sample(promisedBlobs, { seed: SEED, numRuns: 1 });
    const [header] = fc.sample(submittedHeaders, { seed: SEED, numRuns: 1 });
    if (blob === undefined || header === undefined) throw new Error('nothing was drawn');
    const promised = { header: blob.header, terms: blob.promise };
    const elsewhere = { ...ENTRANCE, address: blob.header.submitter };
    notDeepEqual(promiseDigest(promised, elsewhere), promiseDigest(promised, ENTRANCE));
    throws(() => promiseDigest({ ...promised, header }, ENTRANCE), isWire('WIRE_FIELD'));
  });

  it('has terms of 107 bytes that come back, in one form only', () => {
    fc.assert(
      fc.property(terms, (given: PromiseTerms) => {
        const bytes = encodePromiseTerms(given);
        equal(bytes.length, 107);
        deepEqual(parsePromiseTerms(bytes), given);
        throws(() => parsePromiseTerms(bytes.subarray(1)), isWire('WIRE_LENGTH'));
        bytes.set([0, 0]);
        throws(() => parsePromiseTerms(bytes), isWire('WIRE_FIELD'));
        bytes.set([0, 1, 255]);
        throws(() => parsePromiseTerms(bytes), isWire('WIRE_FIELD'));
      }),
      { seed: SEED },
    );
  });
});

function isWire(code: string): (error: unknown) => boolean {
  return (error) => isFault(error, code);
}
