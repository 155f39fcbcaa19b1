import { loadRowSuite } from '@cairn/commitments/rows';
import { concatBytes, seededRng } from '@cairn/primitives';
import { type CommitOptions, checkParity, commitBlob } from '../src/commitment.ts';
import { layoutOf } from '../src/layout.ts';
import { HEADER_BYTES, LAYOUT_CLASSES, MAX_PAYLOAD_BYTES } from '../src/params.ts';
import type { MatrixShape, RowCodec } from '../src/row-codec.ts';
import { assertSameBytes, bytesOf, NO_TURNS, signal } from './support.ts';

const MIB = 2 ** 20;
/** Blobs up to this size are compared whole. */
const LARGEST_WHOLE_BYTES = 4 * MIB;

/** A payload, by its length, and the network that it is committed in. */
export interface AgreementCase {
  readonly payloadBytes: number;
  readonly cosets: number;
  readonly minLog2K: number;
}

/** A payload of none and of one byte, in every number of rows that a network may ask for. */
export const SMALLEST: readonly AgreementCase[] = [0, 1].flatMap((payloadBytes) =>
  [1, 2, 3].flatMap((cosets) =>
    [6, 8, 10, 12].map((minLog2K) => ({ payloadBytes, cosets, minLog2K })),
  ),
);

/** The last byte of each class of length, one less and one more; 4 MiB, though no class ends there. */
export const EDGES: readonly AgreementCase[] = [
  ...LAYOUT_CLASSES.map(({ maxBytes }) => maxBytes - HEADER_BYTES),
  LARGEST_WHOLE_BYTES,
]
  .filter((edge) => edge <= LARGEST_WHOLE_BYTES)
  .flatMap((edge) =>
    [edge - 1, edge, edge + 1].flatMap((payloadBytes) =>
      [1, 2, 3].map((cosets) => ({ payloadBytes, cosets, minLog2K: 6 })),
    ),
  );

/** Payloads of any length in networks of any kind; short ones as often as long ones. */
export function chanceCases(count: number, seed: number): readonly AgreementCase[] {
  const rng = seededRng(seed);
  return Array.from({ length: count }, (_, at) => ({
    payloadBytes: rng.below([LARGEST_WHOLE_BYTES, 4096, MIB, 65_536][at % 4] ?? 1),
    cosets: 1 + rng.below(3),
    minLog2K: 6 + rng.below(at % 4 === 0 ? 5 : 7),
  }));
}

/** In a sentence. */
function nameOf({ payloadBytes, cosets, minLog2K }: AgreementCase): string {
  return `${payloadBytes} bytes, ${cosets} cosets, at least 2^${minLog2K} rows`;
}

/** All that comes of a payload. */
interface Made {
  readonly parity: Uint8Array;
  readonly leaves: Uint8Array;
  readonly roots: Uint8Array;
  readonly combinations: Uint8Array;
  readonly commitment: Uint8Array;
}

/** A codec, and the combiner that goes with it: the scalar one unless named. */
type Contender = Pick<CommitOptions, 'combiner'> & {
  readonly codec: CommitOptions['codec'] & Pick<RowCodec, 'name'>;
};

/** What a codec and a combiner make of a case's payload, which is the same bytes each time. */
async function madeOf(
  { payloadBytes, cosets, minLog2K }: AgreementCase,
  { codec, combiner }: Contender,
): Promise<Made> {
  const suite = await loadRowSuite(0);
  const options = { codec, combiner, suite, clock: NO_TURNS, signal };
  const payload = bytesOf(payloadBytes, payloadBytes + 7);
  const blob = await commitBlob(payload, { cosets, minLog2K }, options);
  try {
    await checkParity(blob, { suite, signal, ...(combiner === undefined ? {} : { combiner }) });
    const { dataRows, rows } = blob.layout;
    const indexes = Array.from({ length: rows - dataRows }, (_, at) => dataRows + at);
    return {
      parity: concatBytes(...(await blob.held.read(indexes, { signal }))),
      leaves: blob.held.leaves,
      roots: concatBytes(...blob.cosetRoots, blob.combinationTree.root),
      combinations: blob.combinations,
      commitment: blob.commitment,
    };
  } finally {
    blob.held.release();
  }
}

/**
 * Fails, naming the case and the part, unless all make the same of every payload.
 *
 * @param seed - where the cases come from, in words; empty for those that are always the same
 */
export async function assertAgree(
  cases: readonly AgreementCase[],
  reference: Contender,
  others: readonly Contender[],
  seed = '',
): Promise<void> {
  for (const one of cases) {
    const expected = await madeOf(one, reference);
    for (const other of others) {
      const actual = await madeOf(one, other);
      for (const part of ['parity', 'leaves', 'roots', 'combinations', 'commitment'] as const) {
        const what = `${seed}${nameOf(one)}: ${part} of ${other.codec.name}`;
        assertSameBytes(actual[part], expected[part], what);
      }
    }
  }
}

/** The shape of the longest payload. */
export function largestShape(cosets: number): MatrixShape {
  return layoutOf(MAX_PAYLOAD_BYTES, { cosets });
}

/** Data rows of 128 MiB, no two alike: a mebibyte of chance and 13 bytes, again and again. */
export function largestMatrix(): Uint8Array {
  const data = new Uint8Array(128 * MIB);
  const chance = bytesOf(MIB + 13, 128);
  for (let at = 0; at < data.length; at += chance.length) {
    data.set(chance.subarray(0, data.length - at), at);
  }
  return data;
}

/** A chunk of 64 bytes out of every row, as a matrix of its own: columns do not touch each other. */
export function stripOf(matrix: Uint8Array, { rowBytes }: MatrixShape, chunk: number): Uint8Array {
  const strip = new Uint8Array((matrix.length / rowBytes) * 64);
  for (let row = 0; row * rowBytes < matrix.length; row += 1) {
    const at = row * rowBytes + chunk * 64;
    strip.set(matrix.subarray(at, at + 64), row * 64);
  }
  return strip;
}

/** Chunks of a row that a seed determines. */
export function chanceChunks(count: number, { rowBytes }: MatrixShape, seed: number): number[] {
  const rng = seededRng(seed);
  return Array.from({ length: count }, () => rng.below(rowBytes / 64));
}
