import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRng } from '@cairn/primitives';
import { submissionCount } from '../support/chain.ts';
import { cairnJson, cairnProcess } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { runsOf, seedOf } from '../support/soak.ts';

const SEED = seedOf(815);
const KILLS = runsOf(200);
const FILE_BYTES = 6 * 1024 ** 2 + 5;
/** From before the process has read its arguments to after it is done. */
const LATEST_KILL_MS = 2_000;

describe('a client killed during uploads', () => {
  let network: Network;
  let folder: string;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-client-kill-'));
  });

  afterEach(async function () {
    if (this.currentTest?.isFailed() === true)
      process.stderr.write(`${await network.logTails()}\n`);
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it(`finishes with --resume and one payment, over ${KILLS} kills`, async () => {
    const rng = seededRng(SEED);
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const dir = ['--dir', network.directory];
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const where = `seed ${SEED}, kill ${kill}`;
      const content = contentOf(20_000 + kill, FILE_BYTES);
      const path = join(folder, `file-${kill}`);
      await writeFile(path, content);
      const before = await submissionCount(network.chainRpc, flow);
      const first = await cairnProcess(['file', 'put', path, ...dir], {
        onStart: (child) => setTimeout(() => child.kill('SIGKILL'), rng.below(LATEST_KILL_MS)),
      });
      if (first.signal === 'SIGKILL') killed += 1;
      const { root } = await cairnJson(['file', 'put', path, '--resume', ...dir]);
      const read = await fetch(`${network.fullNode}/v1/files/${String(root)}`);
      assert.ok(Buffer.from(await read.arrayBuffer()).equals(content), where);
      assert.equal(
        await submissionCount(network.chainRpc, flow),
        before + 1,
        `${where}: paid once`,
      );
      await rm(path);
    }
    assert.ok(killed > KILLS / 3, `only ${killed} of ${KILLS} kills came in time`);
  });
});
