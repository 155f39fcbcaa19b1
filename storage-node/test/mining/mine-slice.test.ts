import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadPoraKernel,
  numberOf,
  pieceHash,
  prepareAttempt,
  rangeDigest,
  rangeOfShard,
  recalledSegment,
} from '@cairn/pora';
import { SEGMENT_BYTES, SEGMENT_SECTORS, seededRng } from '@cairn/primitives';
import { mineSlice } from '../../src/mining/mine-slice.ts';
import { SealedTable } from '../../src/mining/sealed-table.ts';
import { type MineTask, SEALED_FILE_BYTES } from '../../src/mining/worker-tasks.ts';

const SEGMENTS = 8;
/** The shard 1/2 of eight segments, of which the third owned one is not sealed. */
const SHARD = { id: 1, count: 2 };
const HELD: readonly number[] = [1, 3, 7];

describe('a slice of mining', () => {
  let directory: string;
  let task: MineTask;
  let copies: Uint8Array;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-mine-'));
    copies = seededRng(77).fill(new Uint8Array(SEGMENTS * SEGMENT_BYTES));
    const file = await open(join(directory, '00000000.flat'), 'w');
    await file.write(copies);
    await file.close();
    const table = new SealedTable(SHARD);
    for (const segment of HELD) table.set(segment, new Uint8Array(8).fill(0xff));
    const range = rangeOfShard(SHARD, SEGMENTS * SEGMENT_SECTORS);
    const digest = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
    task = {
      kind: 'mine',
      directory,
      fileBytes: SEALED_FILE_BYTES,
      digests: { minerId: digest(1), subtask: digest(2), range: rangeDigest(range) },
      range,
      limit: digest(0),
      shard: SHARD,
      table: table.shared,
      control: new SharedArrayBuffer(4),
      generation: 0,
      noncePrefix: new Uint8Array(24).fill(9),
      sliceMs: 0,
      duty: 1,
    };
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** What nonces of the task recall, in order. */
  function recalled(count: number): (number | undefined)[] {
    return Array.from({ length: count }, (_, index) => {
      const nonce = new Uint8Array(32).fill(9, 0, 24);
      nonce[31] = index; // fewer than 256
      return recalledSegment(prepareAttempt(nonce, task.digests).recall, task.range);
    });
  }

  it('reads exactly the segments that nonces recall, the shard holds and are sealed', async () => {
    const kernel = await loadPoraKernel();
    const { pads, attempts, hits } = mineSlice(task, kernel);
    assert.deepEqual(hits, []);
    assert.equal(pads, kernel.batch); // no slice is too short for one
    const expected = recalled(pads).filter((segment) => HELD.includes(segment ?? -1));
    assert.equal(attempts, expected.length);
    assert.ok(expected.length > 0 && expected.length < pads);
  });

  it('finds what the reference finds', async () => {
    const limit = new Uint8Array(32).fill(255).fill(3, 0, 1);
    const { hits } = mineSlice({ ...task, limit, sliceMs: 10_000 }, await loadPoraKernel());
    assert.ok(hits.length >= 8);
    for (const { nonce, segment, piece, hash, sealed } of hits) {
      assert.ok(HELD.includes(segment));
      const attempt = prepareAttempt(nonce, task.digests);
      assert.equal(recalledSegment(attempt.recall, task.range), segment);
      const at = segment * SEGMENT_BYTES + piece * 4096;
      assert.deepEqual(sealed, copies.slice(at, at + 4096));
      assert.deepEqual(hash, pieceHash(sealed, piece, attempt));
      assert.ok(numberOf(hash) <= numberOf(limit));
    }
  });

  it('ends at once where another puzzle counts', async () => {
    const stale = { ...task, generation: 5, sliceMs: 60_000 };
    assert.equal(mineSlice(stale, await loadPoraKernel()).pads, 0);
  });

  it('takes segments whose copy cannot be read for not sealed', async () => {
    const elsewhere = { ...task, directory: join(directory, 'nothing') };
    assert.equal(mineSlice(elsewhere, await loadPoraKernel()).attempts, 0);
  });
});
