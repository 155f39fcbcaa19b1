import assert from 'node:assert/strict';
import { plainBlake3Suite } from '@cairn/commitments/rows';
import { concatBytes, equalBytes, type Rng, seededRng } from '@cairn/primitives';
import { headerOf } from '../../src/commitment.ts';
import { CodecError, SliceError } from '../../src/errors.ts';
import { encodeBadRow, parseBadRow, verifyBadRow } from '../../src/evidence.ts';
import { encodeRow, parseRow } from '../../src/row-message.ts';
import { verifySlice } from '../../src/slice.ts';
import { encodeSlice, parseSlice } from '../../src/slice-message.ts';
import { verifyDataRow } from '../../src/verify-row.ts';
import { committed, rowAt, sliceAt } from '../blob-support.ts';

const SEED = 4_096;
const RUNS = 20_000;
/** Mutants that also go through the slow checks. */
const CHECKED = 400;

/** Changed bytes, cut or longer ones, a piece elsewhere, a number that tempts. */
function mutate(bytes: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.below(bytes.length);
  switch (rng.below(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return concatBytes(bytes, rng.fill(new Uint8Array(1 + rng.below(64))));
    case 2: {
      const copy = bytes.slice();
      copy.copyWithin(rng.below(bytes.length), at, at + rng.below(200));
      return copy;
    }
    case 3: {
      const copy = bytes.slice();
      const value = [0, 1, 0x7fffffff, 0xffffffff, 2 ** rng.below(32)][rng.below(5)] ?? 0;
      new DataView(copy.buffer).setUint32(Math.min(at, bytes.length - 4), value, true);
      return copy;
    }
    case 4: {
      const copy = bytes.slice();
      copy[rng.below(40)] = rng.below(256); // magic to parameters
      return copy;
    }
    default: {
      const copy = bytes.slice();
      for (let change = rng.below(8); change >= 0; change -= 1) {
        copy[rng.below(bytes.length)] = rng.below(256);
      }
      return copy;
    }
  }
}

describe('messages from outside', () => {
  it(`are read or refused, ${RUNS} mutants (seed ${SEED})`, async () => {
    const suite = plainBlake3Suite;
    const blob = await committed(3_000, suite, { cosets: 1 });
    const { layout, commitment, cosetRoots } = blob;
    const header = headerOf(blob);
    const rows = [127, 0, 1];
    const kinds = [
      {
        bytes: encodeSlice(sliceAt(blob, rows)),
        again: (bytes: Uint8Array) => encodeSlice(parseSlice(bytes)),
        verify: (bytes: Uint8Array): unknown =>
          verifySlice(parseSlice(bytes), { layout, commitment, rows }, { suite }),
      },
      {
        bytes: encodeRow({ kind: 'full', header, row: rowAt(blob, 9) }),
        again: (bytes: Uint8Array) => encodeRow(parseRow(bytes)),
      },
      {
        bytes: encodeRow({
          kind: 'data',
          suite: blob.suite,
          layout,
          cosetRoots,
          combination: blob.combinations.subarray(9 * 32, 10 * 32),
          combinationPath: concatBytes(...blob.combinationTree.pathAt(9)),
          row: rowAt(blob, 9),
        }),
        again: (bytes: Uint8Array) => encodeRow(parseRow(bytes)),
        verify: (bytes: Uint8Array): unknown => {
          const message = parseRow(bytes);
          assert.ok(message.kind === 'data');
          return verifyDataRow(message, { layout, commitment }, { suite });
        },
      },
      {
        bytes: encodeBadRow({ header, row: rowAt(blob, 9) }),
        again: (bytes: Uint8Array) => encodeBadRow(parseBadRow(bytes)),
        verify: (bytes: Uint8Array): unknown =>
          verifyBadRow(parseBadRow(bytes), commitment, { suite }),
      },
    ];
    const rng = seededRng(SEED);
    let read = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const { bytes, again, verify } = kinds[run % kinds.length] ?? assert.fail();
      const mutant = mutate(bytes, rng);
      try {
        const copy = again(mutant);
        assert.ok(equalBytes(copy, mutant), `run ${run}: one form only`);
        read += 1;
        if (verify === undefined || read > CHECKED || equalBytes(mutant, bytes)) continue;
        verify(mutant);
        assert.fail(`run ${run}: accepted`);
      } catch (error) {
        const isRefusal = error instanceof SliceError || error instanceof CodecError;
        if (!isRefusal) throw new Error(`run ${run}`, { cause: error });
      }
    }
    assert.ok(read > 1_000, `${read} mutants had the form of a message`);
  }).timeout(60_000);
});
