import assert from 'node:assert/strict';
import { loadRowSuite } from '@cairn/commitments/rows';
import { isSoak, runsOf, seedOf } from '../../../../test/support/soak.ts';
import {
  type AgreementCase,
  assertAgree,
  chanceCases,
  chanceChunks,
  EDGES,
  largestMatrix,
  largestShape,
  SMALLEST,
  stripOf,
} from '../agreement-support.ts';
import { type CpuCodec, cpuCodecs } from '../cpu-codecs.ts';
import { assertSameBytes, signal } from '../support.ts';

const SEED = seedOf(31_415);
const CASES = runsOf(40);
const STRIPS = runsOf(40);
/** Many rows take the reference codec long: outside the soak they, and a mebibyte, come with one rate. */
const SMALL_CASES = isSoak
  ? SMALLEST
  : SMALLEST.filter(
      ({ payloadBytes, cosets, minLog2K }) =>
        minLog2K === 6 || 1 + ((minLog2K / 2 + payloadBytes) % 3) === cosets,
    );
const EDGE_CASES = isSoak
  ? EDGES
  : EDGES.filter(
      ({ payloadBytes, cosets }) =>
        payloadBytes < 2 ** 17 || (payloadBytes < 2 ** 21 && 1 + (payloadBytes % 3) === cosets),
    );

describe('the codecs of the CPU', () => {
  let codecs: readonly CpuCodec[];
  before(async () => {
    codecs = await cpuCodecs();
  });
  after(async () => {
    for (const { codec } of codecs ?? []) await codec.close();
  });

  const agree = (cases: readonly AgreementCase[], seed?: string): Promise<void> => {
    const [reference = assert.fail(), ...others] = codecs;
    return assertAgree(cases, reference, others, seed);
  };

  it('make the same of no byte and of one, in every network', () => agree(SMALL_CASES));

  it('make the same on both sides of every length where the layout changes', () =>
    agree(EDGE_CASES));

  it(`make the same of ${CASES} payloads of any length, in any network (seed ${SEED})`, () =>
    agree(chanceCases(CASES, SEED), `seed ${SEED}: `));

  for (const cosets of isSoak ? [1, 2, 3] : [1]) {
    it(`make the same of 128 MiB with ${cosets} cosets of parity (seed ${SEED})`, async () => {
      const [reference = assert.fail(), strict = assert.fail(), relaxed] = codecs;
      const suite = await loadRowSuite(0);
      const shape = largestShape(cosets);
      const data = largestMatrix();
      const parity = await strict.codec.encode(data, shape, { signal });
      for (const chunk of chanceChunks(STRIPS, shape, SEED)) {
        const narrow = { ...shape, rowBytes: 64 };
        const strip = await reference.codec.encode(stripOf(data, shape, chunk), narrow, { signal });
        const what = `seed ${SEED}: chunk ${chunk} of every row`;
        assertSameBytes(stripOf(parity, shape, chunk), strip, what);
      }
      if (relaxed === undefined) return;
      // Leaves stand for the rows: both builds' parity at once would take 384 MiB more.
      const leaves = suite.leaves(parity, shape.rowBytes);
      parity.fill(0);
      await relaxed.codec.encode(data, shape, { signal, into: parity });
      assertSameBytes(suite.leaves(parity, shape.rowBytes), leaves, 'leaves of the parity');
    });
  }
});
