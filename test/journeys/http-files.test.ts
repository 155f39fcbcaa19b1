import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nobleHasher, verifySegment } from '@cairn/commitments';
import {
  MAX_SEGMENTS_PER_REPLY,
  parseSegmentMessage,
  splitSegmentMessages,
} from '@cairn/wire-protocol';
import { repositoryRoot } from '../architecture/house.ts';
import { cairnJson, run } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import type { Network } from '../support/network.ts';
import { hasProgram } from '../support/programs.ts';
import { sharedNetwork } from '../support/shared-network.ts';

/** Tools that people already have, reading stored files over plain HTTP. */
describe('files over plain HTTP', () => {
  let network: Network;
  let folder: string;
  let directory: string;
  const big = contentOf(321, 700_000);
  const header = JSON.stringify({ weight: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } });
  const safetensors = Buffer.concat([
    new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer),
    Buffer.from(header),
    Buffer.alloc(16),
  ]);

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-http-'));
    const tree = join(folder, 'tree');
    await mkdir(join(tree, 'sub'), { recursive: true });
    await writeFile(join(tree, 'big.bin'), big);
    await writeFile(join(tree, 'sub', 'note.txt'), 'a note');
    directory = String(
      (await cairnJson(['file', 'put', tree, '--dir', network.directory]))['root'],
    );
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  for (const where of ['a full storage node', 'the indexer'] as const) {
    const base = (): string =>
      `${where === 'the indexer' ? network.endpoints.indexer : network.fullNode}/v1/files/${directory}`;

    it(`${where} serves ranges, tags and listings`, async () => {
      const part = await fetch(`${base()}/big.bin`, { headers: { range: 'bytes=262140-262149' } });
      assert.equal(part.status, 206);
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(big.subarray(262_140, 262_150)));
      const tag = part.headers.get('etag') ?? '';
      const again = await fetch(`${base()}/big.bin`, { headers: { 'if-none-match': tag } });
      assert.equal(again.status, 304);
      const past = await fetch(`${base()}/big.bin`, { headers: { range: 'bytes=700000-' } });
      assert.equal(past.status, 416);
      const whole = await fetch(`${base()}/big.bin`);
      assert.ok(Buffer.from(await whole.arrayBuffer()).equals(big));
      assert.match(await (await fetch(`${base()}/`)).text(), /href="sub\/"/);
      const head = await fetch(`${base()}/big.bin`, { method: 'HEAD' });
      assert.equal(head.headers.get('content-length'), String(big.length));
    });
  }

  it('a storage node sends several segments with their proofs in one reply', async () => {
    const path = join(folder, 'segments.bin');
    await writeFile(path, contentOf(654, 5 * 262_144 + 1));
    const stored = await cairnJson(['file', 'put', path, '--dir', network.directory]);
    const base = `${network.fullNode}/v1/segments/${String(stored['root'])}`;
    const several = await fetch(`${base}/2?count=4`);
    const messages = splitSegmentMessages(new Uint8Array(await several.arrayBuffer()), 4);
    for (const [at, message] of messages.entries()) {
      const { segment } = parseSegmentMessage(message);
      assert.equal(verifySegment(segment, nobleHasher).index, 2 + at);
    }
    assert.equal(messages.length, 4);
    const tooMany = MAX_SEGMENTS_PER_REPLY + 1;
    assert.equal((await fetch(`${base}/2?count=${tooMany}`)).status, 400);
    assert.equal((await fetch(`${base}/6`)).status, 404);
  });

  it('the gateway of the indexer serves whole files and paths, and lists directories', async () => {
    const gateway = network.endpoints.indexer;
    const inside = await fetch(`${gateway}/file/${directory}/big.bin`);
    assert.ok(Buffer.from(await inside.arrayBuffer()).equals(big));
    const listing = (await (await fetch(`${gateway}/file/${directory}/sub`)).json()) as {
      code: number;
      data: unknown;
    };
    assert.deepEqual(listing.data, [{ name: 'note.txt', type: 'file', size: 6 }]);
    const manifest = await fetch(`${gateway}/file?root=${directory}&name=tree`);
    assert.match(manifest.headers.get('content-disposition') ?? '', /tree/);
    const status = (await (await fetch(`${gateway}/node/status`)).json()) as { code: number };
    assert.equal(status.code, 0);
  });

  it('the example reads a safetensors header with one Range request', async function () {
    if (!hasProgram('python3')) this.skip();
    const path = join(folder, 'model.safetensors');
    await writeFile(path, safetensors);
    const { root } = await cairnJson(['file', 'put', path, '--dir', network.directory]);
    const result = await run('python3', [
      join(repositoryRoot, 'examples', 'safetensors_header.py'),
      `${network.endpoints.indexer}/v1/files/${String(root)}`,
    ]);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout.toString(), /weight/);
  });

  it('rclone lists and reads a directory', async function () {
    if (!hasProgram('rclone')) this.skip();
    const url = `${network.fullNode}/v1/files/${directory}/`;
    const list = await run('rclone', ['lsf', '-R', '--http-url', url, ':http:']);
    assert.equal(list.status, 0, list.stderr);
    assert.deepEqual(list.stdout.toString().trim().split('\n').sort(), [
      'big.bin',
      'sub/',
      'sub/note.txt',
    ]);
    const cat = await run('rclone', ['cat', '--http-url', url, ':http:big.bin']);
    assert.ok(cat.stdout.equals(big));
  });

  it('fsspec lists, globs and reads parts', async function () {
    // Debian's own interpreter has the package where another stands first on the path.
    const python = ['python3', '/usr/bin/python3'].find((command) =>
      hasProgram(command, ['-c', 'import fsspec, aiohttp, requests']),
    );
    if (python === undefined) this.skip();
    const script = `
import fsspec, sys
base = sys.argv[1]
fs = fsspec.filesystem("http")
names = sorted(entry["name"] for entry in fs.ls(base))
assert names == [base + "big.bin", base + "sub/"], names
assert fs.glob(base + "sub/*.txt") == [base + "sub/note.txt"]
with fs.open(base + "big.bin") as file:
    file.seek(300000)
    sys.stdout.buffer.write(file.read(10))
`;
    const result = await run(python, ['-c', script, `${network.fullNode}/v1/files/${directory}/`]);
    assert.equal(result.status, 0, result.stderr);
    assert.ok(result.stdout.equals(big.subarray(300_000, 300_010)));
  });
});
