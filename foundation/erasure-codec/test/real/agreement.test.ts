import { isSoak, runsOf, seedOf } from '../../../../test/support/soak.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
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
import { assertSameBytes, NO_TURNS, signal } from '../support.ts';
import { gpuOfSuite } from './gpu-support.ts';

const SEED = seedOf(31_415);
/** Strips of the largest matrix: a GPU in software takes seconds for each. */
const STRIPS = runsOf(3);
/** What a GPU in software does in seconds. */
const SHORT_BYTES = 65_536;
/** 64 rows of two kibibytes; of sixteen in the soak. */
const LONG_ROWS_BYTES = isSoak ? 2 ** 20 : 2 ** 17;

/** All cases in the soak, else those that are kept. */
function some(
  cases: readonly AgreementCase[],
  isKept: (one: AgreementCase) => boolean,
): readonly AgreementCase[] {
  return isSoak ? cases : cases.filter(isKept);
}

const CHANCE = some(
  chanceCases(runsOf(40), SEED),
  ({ payloadBytes }) => payloadBytes <= SHORT_BYTES,
);

describe('the codec on a GPU, compared with the reference', () => {
  const gpu = gpuOfSuite();
  const reference = referenceCodec(NO_TURNS);

  const agree = (cases: readonly AgreementCase[], seed?: string): Promise<void> =>
    assertAgree(cases, { codec: reference }, [{ codec: gpu() }], seed);

  it('makes the same of no byte and of one', () =>
    agree(some(SMALLEST, ({ minLog2K }) => minLog2K === 6)));

  it('makes the same on both sides of lengths where the layout changes', () =>
    agree(some(EDGES, ({ payloadBytes, cosets }) => payloadBytes <= SHORT_BYTES && cosets === 2)));

  it('makes the same of rows of more than a kibibyte', () =>
    agree([{ payloadBytes: LONG_ROWS_BYTES - 7, cosets: 1, minLog2K: 6 }]));

  it(`makes the same of ${CHANCE.length} payloads of any length, in any network (seed ${SEED})`, () =>
    agree(CHANCE, `seed ${SEED}: `));

  for (const cosets of isSoak ? [1, 2, 3] : [1]) {
    it(`makes the same of strips of 128 MiB with ${cosets} cosets of parity (seed ${SEED})`, async () => {
      const shape = largestShape(cosets);
      const narrow = { ...shape, rowBytes: 64 };
      const data = largestMatrix();
      for (const chunk of chanceChunks(STRIPS, shape, SEED)) {
        const strip = stripOf(data, shape, chunk);
        const expected = await reference.encode(strip, narrow, { signal });
        const actual = await gpu().encode(strip, narrow, { signal });
        assertSameBytes(actual, expected, `seed ${SEED}: chunk ${chunk} of every row`);
      }
    });
  }
});
