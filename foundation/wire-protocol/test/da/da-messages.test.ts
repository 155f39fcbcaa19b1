import { deepEqual, equal, throws } from 'node:assert/strict';
import { promisedIndex } from '@cairn/attestation';
import { isFault, MIB } from '@cairn/primitives';
import fc from 'fast-check';
import {
  type DeliveryHead,
  deliveryHeadBytes,
  encodeDelivery,
  encodeDeliveryHead,
  MAX_DELIVERY_HEAD_BYTES,
  parseDelivery,
  parseDeliveryHead,
} from '../../src/da/delivery.ts';
import { encodeRowReply, parseRowReply, rowsPerReply } from '../../src/da/row-reply.ts';
import { parseHeldBlob, parseRowQuery, parseSignerStatus } from '../../src/da/signer-shapes.ts';
import {
  encodeBatchVote,
  encodeVoteRequest,
  MAX_BATCH_BLOBS,
  MAX_PROMISED_BATCH_BLOBS,
  MAX_VOTE_REQUEST_BYTES,
  parseBatchVote,
  parseVoteRequest,
  VOTE_BYTES,
} from '../../src/da/votes.ts';
import { ENTRANCE, promisedBlobs, SEED, submittedHeaders } from './da-support.ts';

const isRefused = (error: unknown): boolean =>
  isFault(error) && /^(WIRE|MESSAGE)_/.test(error.code);

/** Whatever bytes a parser takes, it takes in one form only: written again they are the same. */
function assertCanonical(
  bytes: Uint8Array,
  again: (bytes: Uint8Array) => Uint8Array,
  flips: readonly number[],
): void {
  deepEqual(again(bytes), bytes);
  throws(() => again(Uint8Array.of(...bytes, 0)), isRefused, 'a byte too many');
  for (const cut of flips) throws(() => again(bytes.subarray(0, cut % bytes.length)), isRefused);
  for (const flip of flips) {
    const bit = flip % (bytes.length * 8);
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      deepEqual(again(changed), changed);
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
}

const flips = fc.array(fc.nat(), { minLength: 20, maxLength: 20 });
const heads: fc.Arbitrary<DeliveryHead> = fc.oneof(
  promisedBlobs,
  fc.record(
    {
      epoch: fc.nat(),
      header: submittedHeaders,
      promise: fc.constant(undefined),
    },
    { noNullPrototype: true },
  ),
);

describe('a delivery', () => {
  it('comes back, its head alone too, and is taken in one form only', () => {
    fc.assert(
      fc.property(heads, fc.uint8Array({ minLength: 1 }), flips, (head, slice, positions) => {
        const bytes = encodeDelivery({ ...head, slice });
        deepEqual(parseDelivery(bytes), { ...head, slice });
        const headBytes = deliveryHeadBytes(bytes.subarray(0, 8));
        equal(headBytes, bytes.length - slice.length);
        equal(headBytes <= MAX_DELIVERY_HEAD_BYTES, true);
        assertCanonical(
          encodeDeliveryHead(head),
          (given) => encodeDeliveryHead(parseDeliveryHead(given)),
          positions,
        );
        throws(() => parseDelivery(bytes.subarray(0, headBytes)), isRefused, 'no slice');
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('is refused where bit 63, terms and epoch do not tell the same', () => {
    const [blob] = fc.sample(promisedBlobs, { seed: SEED, numRuns: 1 });
    if (blob === undefined) throw new Error('nothing was drawn');
    throws(() => encodeDeliveryHead({ ...blob, promise: undefined }), isRefused);
    throws(() => encodeDeliveryHead({ ...blob, epoch: blob.epoch + 1 }), isRefused);
    const submitted = { ...blob.header, submissionIndex: 7n };
    throws(() => encodeDeliveryHead({ ...blob, header: submitted }), isRefused);
    const later = promisedIndex({ epoch: blob.epoch + 1, slot: 0 });
    const bytes = encodeDeliveryHead({
      ...blob,
      epoch: blob.epoch + 1,
      header: { ...blob.header, submissionIndex: later },
    });
    bytes.set(encodeDeliveryHead(blob).subarray(8, 16), 8);
    throws(() => parseDeliveryHead(bytes), isRefused);
  });
});

describe('votes', () => {
  it('are asked for and given in one form each', () => {
    fc.assert(
      fc.property(
        fc.array(submittedHeaders, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1 as const, 5 as const),
        fc.nat(),
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        flips,
        (headers, kind, epoch, noise, positions) => {
          const place = { kind, epoch, quorumId: 3 };
          const request = encodeVoteRequest({ ...place, headers });
          deepEqual(parseVoteRequest(request), { ...place, headers });
          assertCanonical(
            request,
            (given) => encodeVoteRequest(parseVoteRequest(given)),
            positions,
          );
          const signer = ENTRANCE.address;
          const root = noise.subarray(0, 32);
          const vote = { ...place, count: 7, root, signer, signature: noise.subarray(32) };
          const bytes = encodeBatchVote(vote);
          equal(bytes.length, VOTE_BYTES);
          deepEqual(parseBatchVote(bytes), vote);
          assertCanonical(bytes, (given) => encodeBatchVote(parseBatchVote(given)), positions);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('are of 1 to 1,024 blobs, or 192 promised ones, which is checked before anything is made of them', () => {
    const [header] = fc.sample(submittedHeaders, { seed: SEED, numRuns: 1 });
    if (header === undefined) throw new Error('nothing was drawn');
    const request = (count: number, kind: 1 | 5 = 1) => ({
      kind,
      epoch: 1,
      quorumId: 0,
      headers: new Array<typeof header>(count).fill(header),
    });
    const most = encodeVoteRequest(request(MAX_BATCH_BLOBS));
    equal(most.length, MAX_VOTE_REQUEST_BYTES);
    throws(() => encodeVoteRequest(request(0)), isRefused);
    throws(() => encodeVoteRequest(request(MAX_BATCH_BLOBS + 1)), isRefused);
    const promised = encodeVoteRequest(request(MAX_PROMISED_BATCH_BLOBS, 5));
    equal(parseVoteRequest(promised).headers.length, MAX_PROMISED_BATCH_BLOBS);
    throws(() => encodeVoteRequest(request(MAX_PROMISED_BATCH_BLOBS + 1, 5)), isRefused);
    const asPromised = encodeVoteRequest(request(MAX_PROMISED_BATCH_BLOBS + 1));
    asPromised[5] = 5;
    throws(() => parseVoteRequest(asPromised), isRefused);
    const claimed = most.slice(0, 24);
    claimed.set([255, 255, 255, 255], 20);
    throws(() => parseVoteRequest(claimed), isRefused);
    const other = most.slice();
    other[5] = 3; // a handover is no batch
    throws(() => parseVoteRequest(other), isRefused);
  });
});

describe('rows in one reply', () => {
  it('come back in order and in one form only', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(messages, flips, (rows, positions) => {
        const bytes = encodeRowReply(rows);
        deepEqual(parseRowReply(bytes), rows);
        assertCanonical(bytes, (given) => encodeRowReply(parseRowReply(given)), positions);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('are at most 256 and a mebibyte', () => {
    throws(() => encodeRowReply([]), isRefused);
    throws(() => encodeRowReply(new Array<Uint8Array>(257).fill(new Uint8Array(1))), isRefused);
    throws(() => encodeRowReply([new Uint8Array(MIB)]), isRefused);
    for (const messageBytes of [100, 33_000, 164_392, MIB - 16]) {
      const count = rowsPerReply(messageBytes);
      const reply = encodeRowReply(new Array<Uint8Array>(count).fill(new Uint8Array(messageBytes)));
      equal(parseRowReply(reply).length, count);
      equal(count === 256 || reply.length + 4 + messageBytes > MIB, true);
    }
    equal(rowsPerReply(MIB), 0);
  });

  it('are asked for by different numbers', () => {
    deepEqual(parseRowQuery('3,0,16383', 'bare'), { indexes: [3, 0, 16_383], form: 'bare' });
    deepEqual(parseRowQuery('7'), { indexes: [7], form: 'full' });
    for (const index of ['', '1,', '1,1', '-1', '01', '1e3', '100000', 'x', ['1'], undefined]) {
      throws(() => parseRowQuery(index, 'full'), isRefused, String(index));
    }
    throws(() => parseRowQuery('1', 'data'), isRefused);
    const many = Array.from({ length: 257 }, (_, index) => index).join(',');
    throws(() => parseRowQuery(many, 'full'), isRefused);
  });
});

describe('what a signer says of itself', () => {
  it('is parsed field by field', () => {
    const status = {
      version: '0.1.0',
      address: ENTRANCE.address,
      blsPublicKey: `0x${'a1'.repeat(48)}`,
      chainId: 1,
      entrance: ENTRANCE.address,
      shardId: 0,
      others: [{ shardId: 1, chainId: 2, entrance: ENTRANCE.address }],
      heldBlobs: 1,
      heldBytes: 2,
      capacityBytes: 3,
    };
    equal(parseSignerStatus(status).blsPublicKey.length, 48);
    for (const field of Object.keys(status)) {
      throws(() => parseSignerStatus({ ...status, [field]: {} }), isRefused, field);
    }
    const slice = { epoch: 1, quorumId: 0, firstRow: 5, rows: 9, expirySeconds: 10 };
    const held = { commitment: `0x${'0c'.repeat(32)}`, sizeBytes: 1, suite: 0, slices: [slice] };
    deepEqual(parseHeldBlob(held), held);
    throws(() => parseHeldBlob({ ...held, slices: [{ ...slice, rows: 0 }] }), isRefused);
    const slices = new Array<unknown>(257).fill(slice);
    throws(() => parseHeldBlob({ ...held, slices }), isRefused);
  });
});
