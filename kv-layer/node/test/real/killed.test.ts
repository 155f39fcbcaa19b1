import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRng } from '@cairn/primitives';
import { isSoak, seedOf } from '../../../../test/support/soak.ts';
import { until } from '../../../../test/support/wait.ts';
import { WRITTEN_STREAMS, writtenWorld } from '../support/written-world.ts';

const SEED = seedOf(4_242);
const BATCHES = isSoak ? 400 : 60;
const KILLS = isSoak ? 60 : 1;
const PROGRAM = fileURLToPath(new URL('../support/killed-program.ts', import.meta.url));

describe(`a key-value node that is killed again and again, seed ${SEED}`, () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-killed-kv-'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  /** Starts the program and kills it `afterMs` after it has begun. @returns what it said */
  const runAndKill = (afterMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const args = [...process.execArgv, PROGRAM, directory, String(SEED), String(BATCHES)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
        said += text;
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (signal === 'SIGKILL') resolve(said);
        else reject(new Error(`the program ended with ${code ?? signal}`));
      });
    });

  it(`has after ${KILLS} of them what a node has that was never killed`, async () => {
    const rng = seededRng(SEED);
    const settings = { streams: { ids: WRITTEN_STREAMS } };
    for (let kill = 0; kill < KILLS; kill += 1) await runAndKill(rng.below(500));
    const world = await writtenWorld(SEED, BATCHES);
    try {
      const [survivor, fresh] = [
        await world.start(settings, directory),
        await world.start(settings),
      ];
      const count = world.chain.entries().length;
      for (const { node } of [survivor, fresh]) {
        await until('every entry to be decided', () => node.status.nextSequence === count);
      }
      assert.deepEqual(await survivor.roots(), await fresh.roots());
      for (let sequence = 0; sequence < count; sequence += 1) {
        const results = [survivor, fresh].map((one) =>
          one.rpc('kv_getTransactionResult', sequence),
        );
        const [after, never] = await Promise.all(results);
        assert.equal(after, never, `entry ${sequence}`);
      }
    } finally {
      await world.end();
    }
  });
});
