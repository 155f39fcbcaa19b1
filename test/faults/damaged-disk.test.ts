import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRng } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { submissionCount } from '../support/chain.ts';
import { cairn, cairnJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { runsOf, seedOf } from '../support/soak.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(1_984);
const SEGMENT = 262_144;
const DAMAGES = runsOf(60);

/** Where `needle` lies on the disk below `folder`. @throws if it is nowhere */
function findOnDisk(
  folder: string,
  needle: Uint8Array,
): { readonly path: string; readonly offset: number } {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const offset = offsetIn(path, needle);
    if (offset >= 0) return { path, offset };
  }
  throw new Error('the segment is not on the disk in the clear');
}

/** -1 also where the node has just replaced the file, as it does with those of its index. */
function offsetIn(path: string, needle: Uint8Array): number {
  try {
    return readFileSync(path).indexOf(needle);
  } catch {
    return -1;
  }
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

/** A file over plain HTTP; `undefined` unless its last byte came. */
async function readWhole(node: string, root: string): Promise<Buffer | undefined> {
  try {
    const reply = await fetch(`${node}/v1/files/${root}`);
    return reply.ok ? Buffer.from(await reply.arrayBuffer()) : undefined;
  } catch {
    return undefined; // broken off where the damage is
  }
}

describe('a damaged disk', () => {
  let network: Network;
  let folder: string;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-disk-'));
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const endpoints = (): string => join(network.directory, 'endpoints.json');

  it(`never serves a flipped bit or a torn block, over ${DAMAGES} damages, and is repaired by storing again`, async () => {
    const rng = seededRng(SEED);
    const home = join(folder, 'rot');
    await mkdir(home);
    const node = await StorageProcess.start(network, { folder: home });
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    // Random bytes: each segment is found on the disk in one place only.
    const content = seededRng(SEED + 1).fill(new Uint8Array(5 * SEGMENT + 999));
    const path = join(folder, 'rotting');
    await writeFile(path, content);
    const put = ['file', 'put', path, '--node', node.url, '--endpoints', endpoints()];
    try {
      const { root } = await cairnJson(put);
      const paid = await submissionCount(network.chainRpc, flow);
      for (let damage = 0; damage < DAMAGES; damage += 1) {
        const where = `seed ${SEED}, damage ${damage}`;
        const index = rng.below(6);
        const start = index * SEGMENT;
        const data = content.subarray(start, Math.min(start + SEGMENT, content.length));
        const place = findOnDisk(join(home, 'data'), data);
        if (rng.below(2) === 0) {
          const at = rng.below(data.length);
          overwrite(
            place.path,
            place.offset + at,
            Uint8Array.of((data[at] ?? 0) ^ (1 << rng.below(8))),
          );
        } else {
          const at = Math.floor(rng.below(data.length) / 512) * 512; // a block that never reached the disk
          overwrite(place.path, place.offset + at, new Uint8Array(Math.min(512, data.length - at)));
        }
        const served = await fetch(`${node.url}/v1/segments/${root}/${index}`);
        if (served.status === 200) {
          // Read before the damage and still in memory: the right bytes, or none.
          const { segment } = parseSegmentMessage(new Uint8Array(await served.arrayBuffer()));
          assert.ok(Buffer.from(segment.data).subarray(0, data.length).equals(data), where);
          await node.restart();
        } else if (rng.below(2) === 0) {
          await node.restart();
        }
        const segment = await fetch(`${node.url}/v1/segments/${root}/${index}`);
        assert.notEqual(segment.status, 200, `${where}: segment ${index} was served damaged`);
        const whole = await readWhole(node.url, String(root));
        assert.ok(whole === undefined, `${where}: the file was read though a part is damaged`);
        await until(
          `${where}: the node to ask for it again`,
          async () =>
            !((await rpc(node.url, 'zgs_getFileInfo', [root, true])) as { finalized: boolean })
              .finalized,
        );
        await cairnJson(put);
        const repaired = await readWhole(node.url, String(root));
        assert.ok(repaired?.equals(content), `${where}: it reads back`);
      }
      assert.equal(await submissionCount(network.chainRpc, flow), paid, 'repairs cost nothing');
    } finally {
      await node.kill();
    }
  });

  it('turns uploads away while the disk is full, and goes on when there is room', async function () {
    const home = join(folder, 'full');
    await mkdir(join(home, 'data'), { recursive: true });
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', join(home, 'data')], {
        stdio: 'ignore',
      }).status === 0;
    if (!mount('size=24m')) this.skip(); // needs the right to mount
    let node: StorageProcess | undefined;
    try {
      node = await StorageProcess.start(network, { folder: home });
      const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
      const small = join(folder, 'small');
      const large = join(folder, 'large');
      await writeFile(small, contentOf(31_000, 2 * SEGMENT));
      await writeFile(large, contentOf(31_001, 40 * 1024 ** 2));
      const to = ['--node', node.url, '--endpoints', endpoints()];
      const first = await cairnJson(['file', 'put', small, ...to]);
      const before = await submissionCount(network.chainRpc, flow);

      const refused = await cairn(['file', 'put', large, ...to]);
      assert.equal(refused.status, 7, `no space is exit code 7: ${refused.stderr}`);
      const still = await cairn([
        'file',
        'get',
        String(first['root']),
        '--output',
        '-',
        '--node',
        node.url,
      ]);
      assert.ok(still.stdout.equals(contentOf(31_000, 2 * SEGMENT)), still.stderr);

      assert.ok(mount('remount,size=200m'));
      // The node measures its disk now and then, and refuses until it has.
      const resume = ['file', 'put', large, '--resume', '--json', ...to];
      let put = refused;
      await until('the node to see the room', async () => {
        put = await cairn(resume);
        return put.status !== 7;
      });
      assert.equal(put.status, 0, put.stderr);
      const done = JSON.parse(put.stdout.toString()) as { readonly root: string };
      const read = await cairn(['file', 'get', done.root, '--output', '-', '--node', node.url]);
      assert.ok(read.stdout.equals(contentOf(31_001, 40 * 1024 ** 2)), read.stderr);
      assert.equal(await submissionCount(network.chainRpc, flow), before + 1, 'paid once');
    } finally {
      await node?.kill();
      spawnSync('umount', ['-l', join(home, 'data')]);
    }
  });
});
