import assert from 'node:assert/strict';
import type { Committee } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  keccak256,
  parseAddress,
  seededRng,
  toHex,
} from '@cairn/primitives';
import fc from 'fast-check';
import { auditorsOf, auditRulesOf } from '../../src/signer/office/audit-rules.ts';
import { auditedRows } from '../../src/signer/office/audited-rows.ts';
import { countServed, isLower } from '../../src/signer/office/count-served.ts';
import type { DrawnRow } from '../../src/signer/office/draw-rows.ts';
import { isWinner, nextTarget } from '../../src/signer/office/lottery-target.ts';

const addressOf = (index: number): Address => parseAddress(toHex(bigEndianBytes(index + 1, 20)));
const membersOf = (seats: readonly number[]) =>
  seats.map((own, index) => ({ index, signer: addressOf(index), seats: own }));
const seatLists = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
const LARGE = { auditors: 8, receipts: 5 };

describe('auditors of a drawn row', () => {
  it('are different members, as many as there are, and never the holder', () => {
    fc.assert(
      fc.property(seatLists, fc.nat(), fc.nat(), (seats, seed, at) => {
        const members = membersOf(seats);
        const holder = addressOf(at % seats.length);
        const line = keccak256(bigEndianBytes(seed, 8));
        const { auditors, receipts } = auditorsOf(line, members, holder, LARGE);
        assert.equal(auditors.length, Math.min(8, seats.length - 1));
        assert.equal(new Set(auditors).size, auditors.length);
        assert.ok(!auditors.includes(holder));
        assert.ok(2 * receipts > auditors.length || auditors.length === 0);
        assert.deepEqual(auditorsOf(line, members, holder, LARGE).auditors, auditors);
      }),
      { seed: 20_261_122 },
    );
  });

  it('are drawn by their seats', () => {
    const members = membersOf([30, 10, 10, 10]);
    const rules = { auditors: 1, receipts: 1 };
    const counts = new Map<Address, number>();
    for (let index = 0; index < 5000; index += 1) {
      const line = keccak256(bigEndianBytes(index, 8));
      const [first] = auditorsOf(line, members, addressOf(3), rules).auditors;
      if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    const share = (counts.get(addressOf(0)) ?? 0) / 5000;
    assert.ok(Math.abs(share - 0.6) < 0.03, `${share}`);
  });

  it('are three on networks of small quorums and eight on others', () => {
    assert.deepEqual(auditRulesOf({ maxMembers: 32 }), { auditors: 3, receipts: 2 });
    assert.deepEqual(auditRulesOf({ maxMembers: 512 }), LARGE);
  });
});

describe('rows that a quorum audits', () => {
  const snapshotHashes = [0, 1, 2].map((byte) => new Uint8Array(32).fill(byte));
  const rows = Array.from(
    { length: 100 },
    (_, row) => ({ row, batch: { quorumId: 1 + (row % 2) } }) as unknown as DrawnRow,
  );
  const audited = (members: number, hashes: readonly Uint8Array[], quorumId: number) => {
    const committee = { members: membersOf(new Array<number>(members).fill(1)) };
    const office = { snapshotHashes: hashes };
    return auditedRows({ rows }, { office, quorumId, committee }).map(({ row }) => row);
  };

  it('are of its own batches, and the first ones: four for each member', () => {
    assert.deepEqual(audited(2, snapshotHashes, 1), [0, 2, 4, 6, 8, 10, 12, 14]);
    assert.deepEqual(audited(1, snapshotHashes, 2), [1, 3, 5, 7]);
    assert.equal(audited(20, snapshotHashes, 2).length, 50);
  });

  it('are of all batches where there is one quorum', () => {
    assert.deepEqual(audited(1, snapshotHashes.slice(0, 1), 0), [0, 1, 2, 3]);
  });
});

describe('a served report', () => {
  const rules = { auditors: 3, receipts: 2 };
  const members = membersOf([8, 8, 8, 8]);
  const committee = { members } as unknown as Committee;
  const rows = Array.from({ length: 40 }, (_, index) => {
    const leaf = keccak256(bigEndianBytes(index % 5, 4));
    const line = keccak256(bigEndianBytes(index, 4));
    const drawn = { period: 3 + (index % 2), leaf, row: index, line, holder: addressOf(index % 4) };
    return { ...drawn, batch: { quorumId: 0 } } as unknown as DrawnRow;
  });
  const place = { committee, rows };
  const sheetOf = (index: number, got: readonly DrawnRow[]) => ({
    auditor: addressOf(index),
    rows: got.map(({ period, leaf, row }) => ({ period, leaf, row })),
  });

  it('counts a row that enough of its auditors got, and no other', () => {
    const honest = rows.filter(({ holder }) => holder !== addressOf(2));
    const sheets = members.map((_, index) => sheetOf(index, honest));
    const entries = countServed(place, sheets, rules) ?? assert.fail();
    const [total, ...holders] = entries;
    assert.deepEqual(total, { holder: addressOf(-1), drawn: 40, served: 30 });
    assert.deepEqual(
      holders.map(({ drawn, served }) => [drawn, served]),
      [
        [10, 10],
        [10, 10],
        [10, 0],
        [10, 10],
      ],
    );
  });

  it('does not change for rows that were not drawn, or that others were to look at', () => {
    const [first] = rows;
    if (first === undefined) throw new Error('no rows');
    const own = rows.filter(({ holder }) => holder === addressOf(0));
    const boasts = sheetOf(0, [...own, { ...first, row: 9999 }]);
    const entries = countServed(place, [boasts], rules) ?? assert.fail();
    assert.equal(entries[0]?.served, 0, 'nobody looks at its own rows, and one receipt is too few');
    assert.equal(countServed({ ...place, rows: [] }, [boasts], rules), undefined);
  });

  it('can only gain by more sheets, so that one that was left out shows', () => {
    const rng = seededRng(5);
    const sheets = members.map((_, index) =>
      sheetOf(
        index,
        rows.filter(() => (rng.fill(new Uint8Array(1))[0] ?? 0) < 150),
      ),
    );
    const all = countServed(place, sheets, rules) ?? assert.fail();
    const fewer = countServed(place, sheets.slice(1), rules) ?? assert.fail();
    assert.equal(isLower(all, fewer), false);
    assert.equal(isLower(fewer, all), true);
  });
});

describe('the target of the held lottery', () => {
  const LARGEST = 2n ** 256n - 1n;

  it('follows the prizes, by a factor of four at most', () => {
    assert.equal(nextTarget({ target: 1000n, prizes: 8 }, 1, 8), 1000n);
    assert.equal(nextTarget({ target: 1000n, prizes: 4 }, 1, 8), 2000n);
    assert.equal(nextTarget({ target: 1000n, prizes: 0 }, 1, 8), 4000n);
    assert.equal(nextTarget({ target: 1000n, prizes: 33 }, 1, 8), 250n);
    assert.equal(nextTarget({ target: LARGEST, prizes: 0 }, 9, 8), LARGEST);
    assert.equal(nextTarget({ target: LARGEST, prizes: 3 }, 1, 8), LARGEST);
  });

  it('lets a row win whose hash is not above it', () => {
    const row = { line: new Uint8Array(32), holder: addressOf(4), row: Uint8Array.of(1, 2, 3) };
    assert.ok(isWinner(row, LARGEST));
    assert.ok(!isWinner(row, 0n));
  });
});
