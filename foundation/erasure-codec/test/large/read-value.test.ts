import assert from 'node:assert/strict';
import { equalBytes, seededRng } from '@cairn/primitives';
import { dataMatrix } from '../../src/blob-matrix.ts';
import { type CommittedBlob, commitMatrix } from '../../src/commitment.ts';
import { readValue } from '../../src/read-value.ts';
import type { MemberRow } from '../../src/verify-row.ts';
import {
  committed,
  inMemory,
  isSliceFault,
  membersOf,
  optionsOf,
  SUITES,
  smallLayout,
} from '../blob-support.ts';
import { cheats, subsetsOf } from '../cheats.ts';
import { bytesOf, shuffled } from '../support.ts';

for (const suite of SUITES) {
  describe(`the value of a commitment with ${suite.name}`, () => {
    const options = optionsOf(suite);
    const read = (rows: readonly MemberRow[], blob: CommittedBlob) =>
      readValue(rows, blob, options);

    it('is the payload for any four of eight rows', async () => {
      const layout = smallLayout(2, 1, 200);
      const payload = bytesOf(200, 8);
      const blob = inMemory(await commitMatrix(dataMatrix(payload, layout), layout, options));
      for (const rows of subsetsOf(membersOf(blob, suite), 4)) {
        const value = await read(rows, blob);
        assert.ok(value.kind === 'payload' && equalBytes(value.payload, payload));
      }
    });

    it('is null for any four of eight rows, however the maker cheated', async () => {
      const layout = smallLayout(2, 1, 200);
      for (const [how, blob] of await cheats(layout, suite)) {
        let subsets = 0;
        for (const rows of subsetsOf(membersOf(blob, suite), 4)) {
          const indexes = rows.map(({ index }) => index);
          assert.deepEqual(await read(rows, blob), { kind: 'null' }, `${how}: rows ${indexes}`);
          subsets += 1;
        }
        assert.equal(subsets, 70);
      }
    });

    it('is one for rows of chance of a larger blob, honest or not (seed 12)', async () => {
      const layout = smallLayout(4, 3, 1_000);
      const rng = seededRng(12);
      const payload = bytesOf(1_000, 8);
      const honest = inMemory(await commitMatrix(dataMatrix(payload, layout), layout, options));
      for (const [how, blob] of [['honest', honest] as const, ...(await cheats(layout, suite))]) {
        const all = membersOf(blob, suite);
        const choices = [
          all.slice(0, 16),
          ...[1, 2, 3].map((coset) => all.slice(16 * coset, 16 * (coset + 1))),
          ...Array.from({ length: 4 }, () =>
            shuffled(all, rng.below(2 ** 32)).slice(0, 16 + rng.below(8)),
          ),
        ];
        for (const rows of choices) {
          const value = await read(rows, blob);
          if (how !== 'honest') assert.deepEqual(value, { kind: 'null' }, how);
          else assert.ok(value.kind === 'payload' && equalBytes(value.payload, payload));
        }
      }
    });

    it('is the payload for a real layout, an empty payload included', async () => {
      for (const payloadBytes of [0, 3_000]) {
        const blob = await committed(payloadBytes, suite, { cosets: 1 });
        const rows = shuffled(membersOf(blob, suite), 4).slice(0, 64);
        const value = await read(rows, blob);
        assert.ok(value.kind === 'payload' && value.payload.length === payloadBytes);
      }
    });

    it('is unknown with too few rows, and never null then', async () => {
      const [[, blob] = assert.fail()] = await cheats(smallLayout(2, 1, 200), suite);
      const all = membersOf(blob, suite);
      const [first = assert.fail()] = all;
      assert.deepEqual(await read([], blob), { kind: 'unavailable', have: 0, need: 4 });
      assert.deepEqual(await read([first, first, first, first, ...all.slice(5, 7)], blob), {
        kind: 'unavailable',
        have: 3,
        need: 4,
      });
    });

    it('is not read from rows of another blob or layout', async () => {
      const layout = smallLayout(2, 1, 200);
      const [[, one] = assert.fail(), [, other] = assert.fail()] = await cheats(layout, suite);
      const rows = membersOf(one, suite);
      await assert.rejects(read(rows, other), isSliceFault({ code: 'SLICE_COMMITMENT' }));
      const longer = { commitment: one.commitment, layout: { ...layout, payloadBytes: 201 } };
      await assert.rejects(
        readValue(rows, longer, options),
        isSliceFault({ code: 'SLICE_HEADER', field: 'payloadBytes' }),
      );
    });
  });
}
