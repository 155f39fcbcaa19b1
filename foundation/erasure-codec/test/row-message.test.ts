import assert from 'node:assert/strict';
import { concatBytes, equalBytes, seededRng } from '@cairn/primitives';
import { headerOf } from '../src/commitment.ts';
import {
  badRowBytes,
  badRowEvidence,
  encodeBadRow,
  parseBadRow,
  verifyBadRow,
} from '../src/evidence.ts';
import { encodeRow, parseRow, type RowMessage, rowMessageBytes } from '../src/row-message.ts';
import { verifyHeader } from '../src/verified-header.ts';
import { verifyDataRow, verifyMembership, verifyRow } from '../src/verify-row.ts';
import {
  committed,
  flipped,
  forge,
  isSliceFault,
  type MemoryBlob,
  refusalOf,
  rowAt,
  SUITES,
  verifiedHeader,
} from './blob-support.ts';

/** A data row of a blob as a reader asks for it. */
function dataRowOf(blob: MemoryBlob, index: number): Extract<RowMessage, { kind: 'data' }> {
  const { suite, layout, cosetRoots } = blob;
  return {
    kind: 'data',
    suite,
    layout,
    cosetRoots,
    combination: blob.combinations.slice(index * 32, index * 32 + 32),
    combinationPath: concatBytes(...blob.combinationTree.pathAt(index)),
    row: rowAt(blob, index),
  };
}

for (const suite of SUITES) {
  describe(`a row with ${suite.name}`, () => {
    let blob: MemoryBlob;
    before(async () => {
      blob = await committed(5_000, suite, { cosets: 2 });
    });
    const messagesOf = (): RowMessage[] => [
      { kind: 'bare', suite: suite.id, layout: blob.layout, row: rowAt(blob, 191) },
      { kind: 'full', header: headerOf(blob), row: rowAt(blob, 64) },
      dataRowOf(blob, 63),
    ];
    /** What a reader does with a message. */
    const verify = (bytes: Uint8Array, commitment = blob.commitment): void => {
      const expected = { commitment, layout: blob.layout };
      const message = parseRow(bytes);
      if (message.kind === 'data') verifyDataRow(message, expected, { suite });
      else {
        const header = message.kind === 'full' ? message.header : headerOf(blob);
        verifyRow(message.row, verifyHeader(header, expected, { suite }), { suite });
      }
    };

    it('travels in three forms, and is accepted', () => {
      for (const message of messagesOf()) {
        const bytes = encodeRow(message);
        assert.equal(bytes.length, rowMessageBytes(blob.layout, message.kind));
        assert.deepEqual(parseRow(bytes), message);
        assert.ok(equalBytes(encodeRow(parseRow(bytes)), bytes));
        verify(bytes);
      }
    });

    it('is refused with any bit changed', () => {
      const rng = seededRng(5);
      for (const message of messagesOf()) {
        const bytes = encodeRow(message);
        const bits = [
          ...Array.from({ length: 8 * 8 }, (_, bit) => bit),
          ...Array.from({ length: 48 }, () => 64 + rng.below(8 * bytes.length - 64)),
        ];
        for (const bit of bits) {
          // A bare row says which blob it means in its parameters only, and they are the reader's.
          if (message.kind === 'bare' && bit >= 64 && bit < 256) continue;
          refusalOf(() => verify(flipped(bytes, bit)), `${message.kind}, bit ${bit}`);
        }
        refusalOf(() => verify(bytes, flipped(blob.commitment, 7)), 'another commitment');
      }
    });

    it('is refused under the index of another, and past the last', () => {
      const header = verifiedHeader(blob, suite);
      const row = rowAt(blob, 20);
      assert.throws(
        () => verifyRow({ ...row, index: 84 }, header, { suite }),
        isSliceFault({ code: 'ROW_PATH', index: 84 }),
      );
      for (const index of [192, -1, 1.5, Number.NaN]) {
        assert.throws(
          () => verifyMembership({ ...row, index }, header, { suite }),
          isSliceFault({ code: 'SLICE_FORM', field: 'index', actual: index }),
        );
      }
    });

    it('does not pass for a data row when it is parity', () => {
      const message = { ...dataRowOf(blob, 0), row: rowAt(blob, 64) };
      const refusal = isSliceFault({ code: 'SLICE_FORM', field: 'index', actual: 64 });
      assert.throws(() => verifyDataRow(message, blob, { suite }), refusal);
      assert.throws(() => encodeRow(message), refusal);
      const bytes = encodeRow(dataRowOf(blob, 0));
      new DataView(bytes.buffer).setUint32(bytes.length - 4 - 128 - 6 * 32, 64, true);
      assert.throws(() => parseRow(bytes), refusal);
    });
  });

  describe(`evidence with ${suite.name}`, () => {
    let blob: MemoryBlob;
    before(async () => {
      const { held, layout } = await committed(2_000, suite, { cosets: 1 });
      blob = await forge(
        { data: held.data, parity: flipped(held.parity, 8 * (9 * 64) + 3) },
        layout,
        suite,
      );
    });

    it('convinces whoever has the commitment, and nobody of another one', () => {
      const header = verifiedHeader(blob, suite);
      assert.throws(
        () => verifyRow(rowAt(blob, 73), header, { suite }),
        isSliceFault({ code: 'ROW_COMBINATION', index: 73 }),
      );
      const bytes = encodeBadRow(badRowEvidence(rowAt(blob, 73), header, { suite }));
      assert.equal(bytes.length, badRowBytes(blob.layout));
      const evidence = parseBadRow(bytes);
      assert.deepEqual(verifyBadRow(evidence, blob.commitment, { suite }), evidence);
      assert.ok(equalBytes(encodeBadRow(evidence), bytes));
      assert.throws(
        () => verifyBadRow(evidence, flipped(blob.commitment, 0), { suite }),
        isSliceFault({ code: 'SLICE_COMMITMENT' }),
      );
    });

    it('is not made and not accepted about a good row, or a row that was not committed to', () => {
      const header = verifiedHeader(blob, suite);
      for (const index of [0, 63, 64, 127]) {
        const good = isSliceFault({ code: 'EVIDENCE_GOOD_ROW', index });
        const row = rowAt(blob, index);
        assert.throws(() => badRowEvidence(row, header, { suite }), good);
        const bytes = encodeBadRow({ header: headerOf(blob), row });
        assert.throws(() => verifyBadRow(parseBadRow(bytes), blob.commitment, { suite }), good);
      }
      const row = rowAt(blob, 73);
      assert.throws(
        () => badRowEvidence({ ...row, bytes: flipped(row.bytes, 1) }, header, { suite }),
        isSliceFault({ code: 'ROW_PATH', index: 73 }),
      );
    });

    it('is refused with any bit changed', () => {
      const bytes = encodeBadRow({ header: headerOf(blob), row: rowAt(blob, 73) });
      const rng = seededRng(6);
      for (let run = 0; run < 290; run += 1) {
        const bit = run < 256 ? run : rng.below(8 * bytes.length);
        refusalOf(
          () => verifyBadRow(parseBadRow(flipped(bytes, bit)), blob.commitment, { suite }),
          `bit ${bit}`,
        );
      }
    });
  });
}
