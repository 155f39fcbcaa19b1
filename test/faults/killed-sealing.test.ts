import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRng, sequenceOf, silentLogger } from '@cairn/primitives';
import { type OfflineStores, openOffline, scrubDatabase } from '@cairn/storage-node/db';
import { type TestFile, TestNode, testFile } from '../../storage-node/test/harness.ts';
import { type BundledProgram, bundleProgram } from '../support/bundle-program.ts';
import { canTrace, runAndKill } from '../support/kill-at-call.ts';
import { openedPieces, openSealing } from '../support/sealing.ts';
import { isSoak, seedOf } from '../support/soak.ts';

const SEED = seedOf(31_847);
const SEGMENT = 262_144;
/** 18 segments: two syncs of the disk. */
const SIZES = [2, 1, 15].map((count) => count * SEGMENT - 77);
const { signal } = new AbortController();
/** In the soak every call up to where sealing ends; else as many by chance. */
const KILLS_EACH = 1;

describe('sealing that is killed', () => {
  let folder: string;
  let original: string;
  let program: BundledProgram;
  let files: TestFile[];
  /** What the flow holds, zeros where it holds nothing. */
  let flow: Uint8Array;
  let flowSectors: number;
  const isTraced = canTrace();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-sealing-'));
    program = await bundleProgram(join(import.meta.dirname, '..', 'support', 'seal-program.ts'));
    const node = await TestNode.start();
    files = await Promise.all(SIZES.map((size, at) => testFile(size, at + 1)));
    const sequences = await node.announce(...files);
    for (const [at, file] of files.entries()) {
      const { segments } = file.commitment.shape;
      for (let index = 0; index < segments; index += 1) await node.put(file, index, sequences[at]);
    }
    await node.stop();
    original = node.directory;
    await withStores(original, async ({ log }) => {
      flowSectors = log.flowLength;
      flow = new Uint8Array(flowSectors * 256 + SEGMENT);
      for (const [at, file] of files.entries()) {
        const entry = await log.entryAt(sequenceOf(at));
        flow.set(file.bytes, (entry?.startSector ?? Number.NaN) * 256);
      }
    });
  });
  after(async () => {
    await program?.remove();
    for (const path of [folder, original]) {
      if (path !== undefined) await rm(path, { recursive: true, force: true });
    }
  });

  const withStores = async (data: string, work: (stores: OfflineStores) => Promise<void>) => {
    const stores = await openOffline(data, { logger: silentLogger(), signal });
    try {
      await work(stores);
    } finally {
      await stores.close();
    }
  };

  /** Everything that was acknowledged is there and right. */
  const assertHeld = async ({ log, segments }: OfflineStores, where: string): Promise<void> => {
    for (const [at, file] of files.entries()) {
      const entry = await log.entryAt(sequenceOf(at));
      assert.ok(entry !== undefined, where);
      assert.ok((await log.stateOf(entry.sequence)).finalized, `${where}: file ${at} is final`);
      for (let index = 0; index < file.commitment.shape.segments; index += 1) {
        const held = await segments.get(entry, index, { signal });
        const wanted = file.bytes.subarray(index * SEGMENT, (index + 1) * SEGMENT);
        assert.ok(held !== undefined, `${where}: segment ${index} of file ${at} is gone`);
        assert.equal(Buffer.compare(held.data.subarray(0, wanted.length), wanted), 0, where);
      }
    }
  };

  /** Pieces that are not zeros, and not the flow's first. */
  const withData = (): number[] => {
    const positions: number[] = [];
    for (let position = 16; position < flowSectors; position += 16) {
      const piece = flow.subarray(position * 256, position * 256 + 4096);
      if (piece.some((byte) => byte !== 0)) positions.push(position);
    }
    return positions;
  };

  const plain = (offset: number, length: number): Uint8Array =>
    flow.subarray(offset, offset + length);

  /** Whatever is recorded opens; the rest, and no more than that, is sealed now. */
  const check = async (
    data: string,
    where: string,
    histories: readonly string[],
  ): Promise<void> => {
    await withStores(data, async (stores) => {
      await assertHeld(stores, where);
      assert.equal((await scrubDatabase(stores, { signal })).damaged, 0, `${where}: it is clean`);
      const [history = ''] = histories;
      const sealing = await openSealing(stores, history);
      try {
        const options = { flowSectors, plain };
        const done = await openedPieces(sealing.store, { ...options, histories });
        const { segments } = sealing.store.table;
        const sealed = await sealing.seal();
        const all = await openedPieces(sealing.store, { ...options, histories: [history] });
        assert.deepEqual([...all], withData(), `${where}: all is sealed in the end`);
        for (const position of done) assert.ok(all.has(position), where);
        const total = sealing.store.table.segments;
        if (histories.length === 1) assert.equal(sealed, total - segments, `${where}: no more`);
        assert.equal(await sealing.seal(), 0, `${where}: nothing is left to do`);
      } finally {
        await sealing.close();
      }
    });
  };

  for (const { name, isAnew } of [
    { name: 'what was never sealed', isAnew: false },
    { name: 'what is sealed with contexts that the chain took back', isAnew: true },
  ]) {
    const how = isTraced ? 'at its write calls' : 'at moments by chance (strace does not run here)';
    it(`claims no seal that is not there, ${how}: of ${name}`, async () => {
      const rng = seededRng(SEED + name.length);
      const histories = isAnew ? ['now', 'before'] : ['now'];
      const from = isAnew ? join(folder, 'sealed-before') : original;
      if (isAnew) {
        await cp(original, from, { recursive: true });
        await withStores(from, async (stores) => {
          const sealing = await openSealing(stores, 'before');
          await sealing.seal();
          await sealing.close();
        });
      }
      let killed = 0;
      let reach = 80;
      for (let round = 0; isSoak || killed < KILLS_EACH; round += 1) {
        const nth = isSoak ? round + 1 : 1 + rng.below(reach);
        const data = join(folder, `${isAnew}-${round}`);
        await cp(from, data, { recursive: true });
        const wasKilled = await runAndKill([program.path, data, 'now'], nth, { isTraced });
        await check(data, `seed ${SEED}, killed at call ${nth}`, histories);
        await rm(data, { recursive: true, force: true });
        if (wasKilled) killed += 1;
        else if (isSoak)
          break; // there are no more calls
        else reach = nth; // calls after the end tell nothing
      }
      assert.ok(killed > 0);
      if (isSoak) process.stderr.write(`      sealing: killed at ${killed} calls\n`);
    });
  }
});
