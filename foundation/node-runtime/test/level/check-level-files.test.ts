import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueWrite, type Rng, seededRng, utf8Bytes } from '@cairn/primitives';
import { checkLevelFiles, openLevelStore } from '../../src/level/index.ts';
import { unpackSnappy } from '../../src/level/level-table.ts';

const SEED = Number(process.env['CAIRN_SEED'] ?? 4242);
const isSoak = process.env['CAIRN_SOAK'] === '1';
const WRITES = 120;
const DAMAGES = isSoak ? 3000 : 40;
const { signal } = new AbortController();

/** What the index holds after each write: one number that every write counts up, and rows beside it. */
const writeOf = (number: number, rng: Rng): KeyValueWrite[] => [
  { type: 'put', key: utf8Bytes('number'), value: utf8Bytes(String(number)) },
  {
    type: 'put',
    key: utf8Bytes(`row ${String(number).padStart(6, '0')}`),
    value: randomValue(rng),
  },
];
/** Half of it can be packed, and sometimes it goes through several blocks of the log. */
const randomValue = (rng: Rng): Uint8Array => {
  const value = new Uint8Array(1 + rng.below(rng.below(10) === 0 ? 80_000 : 4000));
  rng.fill(value.subarray(0, value.length / 2));
  return value;
};

describe('checkLevelFiles', () => {
  let home: string;
  let whole: string;
  let count = 0;

  /** As a stop and `kill -9` alike leave an index: tables, more than one of them, and a log. */
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cairn-check-level-'));
    const live = join(home, 'live');
    whole = join(home, 'whole');
    const rng = seededRng(SEED);
    const store = await openLevelStore({ directory: live, writeBufferBytes: 64 * 1024 });
    for (let number = 1; number <= WRITES; number += 1) {
      await store.write(writeOf(number, rng), { sync: number % 10 === 0 });
    }
    await store.close();
    await cp(live, whole, { recursive: true });
  });

  after(() => rm(home, { recursive: true, force: true }));

  const copied = async (): Promise<string> => {
    count += 1;
    const directory = join(home, String(count));
    await cp(whole, directory, { recursive: true });
    return directory;
  };

  /** The number of the last write that an index holds. @throws if one before it is missing or there is another row */
  const newestOf = async (directory: string): Promise<number> => {
    const store = await openLevelStore({ directory });
    try {
      const rng = seededRng(SEED);
      const number = Number(
        Buffer.from((await store.get(utf8Bytes('number'))) ?? utf8Bytes('0')).toString(),
      );
      let rows = 0;
      for (let before = 1; before <= number; before += 1) {
        const [, row] = writeOf(before, rng);
        if (row?.type !== 'put') throw new Error('unreachable');
        assert.deepEqual(await store.get(row.key), row.value, `row of write ${before}`);
      }
      for await (const _ of store.entries({}, { signal })) rows += 1;
      assert.equal(rows, number === 0 ? 0 : number + 1);
      return number;
    } finally {
      await store.close();
    }
  };

  it('finds nothing in an index that a crash left, nor where none is', async () => {
    assert.equal(await checkLevelFiles(join(home, 'nowhere'), { signal }), undefined);
    assert.equal(await checkLevelFiles(whole, { signal }), undefined);
    const tables = (await readdir(whole)).filter((name) => name.endsWith('.ldb'));
    assert.ok(tables.length > 1, `${tables.length} tables`);
    assert.equal(await newestOf(await copied()), WRITES);
  });

  it(`finds ${DAMAGES} damages, or the index lacks the newest writes alone, seed ${SEED}`, async () => {
    const rng = seededRng(SEED + 1);
    const kinds = { damaged: 0, cut: 0, whole: 0 };
    for (let damage = 0; damage < DAMAGES; damage += 1) {
      const directory = await copied();
      const names = (await readdir(directory)).filter((name) => !/^(LOCK|LOG)/.test(name)).sort();
      const file = names[rng.below(names.length)] ?? '';
      const path = join(directory, file);
      const bytes = await readFile(path);
      const at = rng.below(bytes.length);
      const where = `seed ${SEED}, damage ${damage} of ${file} at ${at}`;
      const way = rng.below(4);
      if (way === 0) await truncate(path, at);
      else if (way === 1) await rm(path);
      else {
        if (way === 2) bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
        else bytes.fill(0, at, Math.min(at + 512, bytes.length));
        await writeFile(path, bytes);
      }
      const found = await checkLevelFiles(directory, { signal });
      kinds[found?.kind ?? 'whole'] += 1;
      if (found?.kind !== 'damaged') {
        const newest = await newestOf(directory).catch((error: unknown) => {
          throw new Error(`${where}: ${found?.reason ?? 'nothing found'}`, { cause: error });
        });
        // What is no log is changed in vain only if nothing reads it: a table that was merged.
        if (found === undefined && !file.endsWith('.log')) assert.equal(newest, WRITES, where);
      }
      await rm(directory, { recursive: true });
    }
    assert.ok(kinds.damaged > 0 && kinds.cut > 0, JSON.stringify(kinds));
  });

  it('unpacks what Snappy packed, and refuses what it did not', () => {
    const packed = Uint8Array.of(10, 8, 97, 98, 99, 17, 3, 0); // "abc", then seven bytes from three back
    packed[5] = ((7 - 4) << 2) | 1;
    assert.equal(Buffer.from(unpackSnappy(packed.subarray(0, 7))).toString(), 'abcabcabca');
    for (const bad of [
      [10, 8, 97],
      [3, 8, 97, 98, 99, 13, 3],
      [200, 1, 0, 97],
      [10, 13, 3],
    ]) {
      assert.throws(() => unpackSnappy(Uint8Array.from(bad)), RangeError);
    }
  });
});
