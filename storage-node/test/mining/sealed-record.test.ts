import assert from 'node:assert/strict';
import {
  contextOfPiece,
  decodeSealed,
  encodeSealed,
  type SealedRecord,
} from '../../src/mining/sealed-record.ts';
import { SealedTable } from '../../src/mining/sealed-table.ts';

const record: SealedRecord = {
  minerId: new Uint8Array(32).fill(1),
  source: new Uint8Array(32).fill(2),
  wanted: new Uint8Array(8).fill(255),
  sealed: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  checksum: 0x89abcdef,
  runs: [
    { end: 5, context: new Uint8Array(32).fill(3) },
    { end: 64, context: new Uint8Array(32).fill(4) },
  ],
};

describe('the record of a sealed segment', () => {
  it('comes back from its bytes', () => {
    assert.deepEqual(decodeSealed(encodeSealed(record)), record);
  });

  it('counts as none once any bit of it is turned over', () => {
    const bytes = encodeSealed(record);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const spoilt = bytes.slice();
      spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(decodeSealed(spoilt), undefined);
    }
    assert.equal(decodeSealed(new Uint8Array(3)), undefined);
  });

  it('says which context a piece is sealed with', () => {
    assert.deepEqual(contextOfPiece(record, 4), record.runs[0]?.context);
    assert.deepEqual(contextOfPiece(record, 5), record.runs[1]?.context);
    assert.equal(contextOfPiece({ runs: [] }, 0), undefined);
  });
});

describe('the table of sealed pieces', () => {
  it('grows with the flow and counts segments that have any', () => {
    const table = new SealedTable({ id: 1, count: 4 });
    const bits = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
    const before = table.shared;
    table.set(1, bits);
    table.set(40_001, bits);
    table.set(40_001, bits);
    assert.notEqual(table.shared, before);
    assert.equal(table.segments, 2);
    assert.deepEqual(new Uint8Array(table.shared, 80_000, 8), bits);
    table.set(1, new Uint8Array(8));
    assert.equal(table.segments, 1);
  });
});
