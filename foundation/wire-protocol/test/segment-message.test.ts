import assert from 'node:assert/strict';
import {
  chainIdOf,
  concatBytes,
  equalBytes,
  Fault,
  isFault,
  SEGMENT_BYTES,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import fc from 'fast-check';
import {
  encodeSegmentMessage,
  MAX_SEGMENT_MESSAGE_BYTES,
  parseSegmentMessage,
  type SegmentMessage,
  segmentWireBytes,
  splitSegmentMessages,
} from '../src/segment-message.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message: fc.Arbitrary<SegmentMessage> = fc
  .record({
    chainId: fc.maxSafeNat().map((id) => chainIdOf(Math.max(1, id))),
    sequence: fc.option(fc.maxSafeNat().map(sequenceOf), { nil: undefined }),
    root: hash,
    sizeBytes: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2 ** 50 })),
    siblings: fc.array(hash, { maxLength: 40 }),
    fill: fc.nat(255),
  })
  .map(({ chainId, sequence, root, sizeBytes, siblings, fill }) => {
    const index = Math.ceil(sizeBytes / SEGMENT_BYTES) - 1;
    const data = new Uint8Array(segmentWireBytes(sizeBytes, index)).fill(fill);
    return { chainId, sequence, segment: { root, sizeBytes, index, data, proof: { siblings } } };
  });

const known = (): SegmentMessage => ({
  chainId: chainIdOf(31_337),
  sequence: sequenceOf(7),
  segment: {
    root: new Uint8Array(32).fill(0x11),
    sizeBytes: 300,
    index: 0,
    data: new Uint8Array(512).fill(0x22),
    proof: { siblings: [] },
  },
});

describe('several segment messages', () => {
  it('are taken apart where each ends, and refused when one is cut or one too many', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), fc.nat(), (sent, cut) => {
        const parts = sent.map(encodeSegmentMessage);
        const whole = concatBytes(...parts);
        assert.deepEqual(splitSegmentMessages(whole, 4), parts);
        assert.throws(() => splitSegmentMessages(whole, parts.length - 1), Fault);
        const length = cut % whole.length;
        const ends = parts.map((_, at) => concatBytes(...parts.slice(0, at + 1)).length);
        if (length === 0 || ends.includes(length)) return;
        assert.throws(
          () => splitSegmentMessages(whole.subarray(0, length), 4),
          (error) => isFault(error, 'WIRE_LENGTH'),
        );
      }),
      { seed: 41, numRuns: 30 },
    );
  });
});

describe('segment message', () => {
  it('has the documented bytes', () => {
    const bytes = encodeSegmentMessage(known());
    assert.equal(
      toHex(bytes.subarray(0, 80)),
      `0x43534547${'01000000'}${'0000000000007a69'}${'0000000000000007'}${'11'.repeat(32)}` +
        `${'000000000000012c'}${'0000000000000000'}${'00000200'}${'00000000'}`,
    );
    assert.equal(bytes.length, 592);
    const byRoot = encodeSegmentMessage({ ...known(), sequence: undefined });
    assert.equal(toHex(byRoot.subarray(16, 24)), '0xffffffffffffffff');
  });

  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const bytes = encodeSegmentMessage(sent);
        assert.ok(bytes.length <= MAX_SEGMENT_MESSAGE_BYTES);
        const got = parseSegmentMessage(bytes);
        assert.equal(got.chainId, sent.chainId);
        assert.equal(got.sequence, sent.sequence);
        assert.equal(got.segment.sizeBytes, sent.segment.sizeBytes);
        assert.equal(got.segment.index, sent.segment.index);
        assert.ok(equalBytes(got.segment.data, sent.segment.data));
        assert.ok(equalBytes(got.segment.root, sent.segment.root));
        assert.deepEqual(
          got.segment.proof.siblings.map(toHex),
          sent.segment.proof.siblings.map(toHex),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('is refused with a named fault or has exactly one form', () => {
    const valid = encodeSegmentMessage({
      ...known(),
      segment: { ...known().segment, proof: { siblings: [new Uint8Array(32).fill(3)] } },
    });
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(valid.length).map((length) => valid.subarray(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => {
        const longer = new Uint8Array(valid.length + more.length);
        longer.set(valid);
        longer.set(more, valid.length);
        return longer;
      }),
      fc
        .array(fc.tuple(fc.nat(111), fc.nat(255)), { minLength: 1, maxLength: 6 })
        .map((changes) => {
          const changed = valid.slice();
          for (const [at, value] of changes) changed[at] = value;
          return changed;
        }),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        let parsed: SegmentMessage;
        try {
          parsed = parseSegmentMessage(bytes);
        } catch (error) {
          assert.ok(error instanceof Fault && error.code.startsWith('WIRE_'), String(error));
          return;
        }
        assert.ok(equalBytes(encodeSegmentMessage(parsed), bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('names what is wrong', () => {
    const edit = (at: number, value: number): Uint8Array => {
      const bytes = encodeSegmentMessage(known());
      bytes[at] = value;
      return bytes;
    };
    const cases: [string, Uint8Array][] = [
      ['WIRE_MAGIC', edit(0, 0)],
      ['WIRE_VERSION', edit(4, 2)],
      ['WIRE_TOO_LONG', edit(5, 41)],
      ['WIRE_LENGTH', edit(5, 1)],
      ['WIRE_FIELD', edit(6, 1)],
      ['WIRE_FIELD', edit(79, 1)],
      ['WIRE_FIELD', edit(8, 0x20)], // chain id of 2^61
      ['WIRE_FIELD', edit(71, 1)], // index 1 of a file of one segment
      ['WIRE_FIELD', edit(63, 0)], // a file of 256 bytes has less data
      ['WIRE_LENGTH', new Uint8Array(79)],
      ['WIRE_TOO_LONG', new Uint8Array(MAX_SEGMENT_MESSAGE_BYTES + 1)],
    ];
    for (const [code, bytes] of cases) {
      assert.throws(
        () => parseSegmentMessage(bytes),
        (error) => isFault(error, code),
        code,
      );
    }
  });

  it('is not encoded when it could not be parsed', () => {
    const { segment } = known();
    const wrong = { ...known(), segment: { ...segment, data: segment.data.subarray(0, 300) } };
    assert.throws(
      () => encodeSegmentMessage(wrong),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
  });
});
