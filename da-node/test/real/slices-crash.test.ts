import { equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Root, seededRng, silentLogger } from '@cairn/primitives';
import { type BundledProgram, bundleProgram } from '../../../test/support/bundle-program.ts';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { SliceStore } from '../../src/signer/slice-store.ts';

const SEED = seedOf(52_103);
const KILLS = runsOf(100);
/** The kill comes so long after the first slice of a run. */
const LATEST_KILL_MS = 250;
const PROGRAM = fileURLToPath(new URL('store-forever.ts', import.meta.url));

describe('a signer killed while it stores', () => {
  let folder: string;
  let program: BundledProgram;
  before(async () => {
    program = await bundleProgram(PROGRAM);
    folder = await mkdtemp(join(tmpdir(), 'cairn-slices-'));
  });
  after(async () => {
    await program?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it(`has every slice that it acknowledged, whole, over ${KILLS} kills (seed ${SEED})`, async () => {
    const rng = seededRng(SEED);
    const { signal } = new AbortController();
    const acknowledged = new Map<number, Root>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const lines = await storeUntilKilled(
        [program.path, folder, `${kill * 1000}`],
        rng.below(LATEST_KILL_MS),
      );
      for (const { index, leaf } of lines) acknowledged.set(index, leaf);
      const options = { directory: folder, capacityBytes: 2 ** 40, reserveBytes: 0 };
      const store = await SliceStore.open({ ...options, logger: silentLogger() }, { signal });
      for (const [index, leaf] of acknowledged) {
        const held = store.get(leaf);
        equal(held !== undefined, index % 5 !== 4, `slice ${index} after ${kill + 1} kills`);
      }
      for (const slice of store.all()) {
        const all = Array.from({ length: slice.rows }, (_, place) => place);
        ok((await store.read(slice, all)) !== undefined, 'every row of every slice is whole');
      }
    }
    ok(acknowledged.size > KILLS, `only ${acknowledged.size} slices were stored`);
  });
});

async function storeUntilKilled(
  args: readonly string[],
  afterMs: number,
): Promise<{ readonly index: number; readonly leaf: Root }[]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const lines: { index: number; leaf: Root }[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
    if (line.endsWith('}')) lines.push(JSON.parse(line) as { index: number; leaf: Root });
  }
  clearTimeout(timer);
  await gone;
  return lines;
}
