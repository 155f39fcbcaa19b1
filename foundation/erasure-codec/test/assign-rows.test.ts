import assert from 'node:assert/strict';
import { plainBlake3Suite, sha256Suite } from '@cairn/commitments/rows';
import { type Rng, seededRng } from '@cairn/primitives';
import { arcRows, assignRows, minLog2KFor, type RowArc } from '../src/assign-rows.ts';
import { bytesOf, isCodecFault, shapeOf, shuffled } from './support.ts';

const placement = { suite: sha256Suite, commitment: bytesOf(32, 1), seed: bytesOf(32, 2) };

interface Seated {
  readonly id: number;
  readonly seats: number;
}

/** Members with seats of chance; now and then the first has three fifths of them. */
function membersOf(rng: Rng, count: number): Seated[] {
  const spread = [1, 3, 1_000, 2 ** 22][rng.below(4)] ?? 1;
  const members = Array.from({ length: count }, (_, id) => ({ id, seats: 1 + rng.below(spread) }));
  if (rng.below(2) === 0) return members;
  const others = members.slice(1).reduce((sum, { seats }) => sum + seats, 0);
  return [{ id: 0, seats: Math.ceil(1.5 * others) }, ...members.slice(1)];
}

/** Members in the given order until they have K / (n − N) of the seats. */
function takeShare(
  ordered: readonly Seated[],
  shape: { readonly dataRows: number; readonly rows: number },
): Seated[] {
  const total = ordered.reduce((sum, { seats }) => sum + BigInt(seats), 0n);
  const taken: Seated[] = [];
  let have = 0n;
  for (const member of ordered) {
    if (have * BigInt(shape.rows - ordered.length) >= total * BigInt(shape.dataRows)) break;
    taken.push(member);
    have += BigInt(member.seats);
  }
  return taken;
}

describe('the rows of a quorum', () => {
  const seed = 20_261;

  it(`are disjoint arcs of which any K / (n − N) of the seats hold K (seed ${seed})`, () => {
    const rng = seededRng(seed);
    const sizes = [4, 5, 31, 32, 33, 128, 129, 511, 512];
    for (let run = 0; run < 120; run += 1) {
      const count = sizes[run] ?? 4 + rng.below(509);
      const shape = shapeOf(minLog2KFor(count), 1 + (run % 3));
      const members = membersOf(rng, count);
      const suite = run % 2 === 0 ? plainBlake3Suite : sha256Suite;
      const arcs = assignRows(members, shape, {
        suite,
        commitment: rng.fill(new Uint8Array(32)),
        seed: placement.seed,
      });
      const rowsOf = arcs.map((arc) => arcRows(arc, shape));
      const all = rowsOf.flat();
      assert.equal(new Set(all).size, all.length, 'nobody holds a row of another');
      assert.ok(all.length <= shape.rows && all.length >= shape.rows - count);
      assert.ok(all.every((row) => row >= 0 && row < shape.rows));
      assert.ok(arcs.every((arc, at) => arc.count >= 1 && arc.id === members[at]?.id));

      const perSeat = ({ id, seats }: Seated): number => (rowsOf[id]?.length ?? 0) / seats;
      const orders = [
        [...members].sort((left, right) => perSeat(left) - perSeat(right)),
        [...members].sort((left, right) => left.seats - right.seats),
        [...members].sort((left, right) => right.seats - left.seats),
        ...Array.from({ length: 8 }, () => shuffled(members, rng.below(2 ** 32))),
      ];
      for (const order of orders) {
        const held = new Set(takeShare(order, shape).flatMap(({ id }) => rowsOf[id] ?? []));
        assert.ok(
          held.size >= shape.dataRows,
          `${held.size} of ${shape.dataRows} rows, run ${run}`,
        );
      }
    }
  });

  it('are these, for seats of 1, 2 and 5 and 64 rows of data', () => {
    const members = [1, 2, 5].map((seats, at) => ({ id: 'abc'[at], seats }));
    const arcs = assignRows(members, shapeOf(6, 1), placement);
    const offset = Number(
      BigInt(`0x${hex(sha256Suite.digest('placement', [placement.commitment, placement.seed]))}`) %
        128n,
    );
    const expected: RowArc<string | undefined>[] = [
      { id: 'a', start: offset, count: 16 }, // 125 / 8, rounded up
      { id: 'b', start: (offset + 16) % 128, count: 32 },
      { id: 'c', start: (offset + 48) % 128, count: 79 },
    ];
    assert.deepEqual(arcs, expected);
    assert.deepEqual(arcRows({ start: 126, count: 3 }, { rows: 128 }), [126, 127, 0]);
  });

  it('move with the commitment and with the seed', () => {
    const members = [{ id: 0, seats: 1 }];
    const starts = [1, 2, 3, 4, 5].flatMap((at) => [
      assignRows(members, shapeOf(12, 3), { ...placement, commitment: bytesOf(32, at) }),
      assignRows(members, shapeOf(12, 3), { ...placement, seed: bytesOf(32, 100 + at) }),
    ]);
    assert.ok(new Set(starts.map(([arc]) => arc?.start)).size > 7);
  });

  it('are refused to quorums that are too large for them, and to members without seats', () => {
    const quorum = (count: number): Seated[] =>
      Array.from({ length: count }, (_, id) => ({ id, seats: 1 }));
    for (const [log2K, members, maxMembers] of [
      [6, 33, 32],
      [8, 129, 128],
      [10, 513, 512],
      [12, 513, 512],
      [6, 0, 32],
    ] as const) {
      assert.throws(
        () => assignRows(quorum(members), shapeOf(log2K, 3), placement),
        isCodecFault({ code: 'QUORUM_TOO_LARGE', members, maxMembers }),
      );
    }
    for (const seats of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
      assert.throws(
        () =>
          assignRows(
            [
              { id: 1, seats: 1 },
              { id: 2, seats },
            ],
            shapeOf(6, 3),
            placement,
          ),
        isCodecFault({ code: 'SEATS', member: 1, seats }),
      );
    }
  });
});

describe('the least rows for a quorum', () => {
  it('are 64, 256 and 1,024 for up to 32, 128 and 512 members', () => {
    for (const [members, log2K] of [
      [1, 6],
      [32, 6],
      [33, 8],
      [128, 8],
      [129, 10],
      [512, 10],
    ] as const) {
      assert.equal(minLog2KFor(members), log2K);
      assert.ok(2 ** log2K >= 2 * members);
    }
    for (const members of [0, 513, 1.5]) {
      assert.throws(
        () => minLog2KFor(members),
        isCodecFault({ code: 'QUORUM_TOO_LARGE', members, maxMembers: 512 }),
      );
    }
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
