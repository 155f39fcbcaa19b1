import assert from 'node:assert/strict';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { parseRoot, type Root, silentLogger } from '@cairn/primitives';
import { encodeManifest, type ManifestDirectory, problemOf } from '@cairn/wire-protocol';
import { fileRoutes } from '../../src/doors/files/file-routes.ts';
import type { FileLibrary } from '../../src/doors/files/readable-file.ts';

const rootOfByte = (byte: number): Root =>
  parseRoot(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`);
const FILE = rootOfByte(1);
const FRAGMENT = rootOfByte(2);
const DIRECTORY = rootOfByte(3);
const BROKEN = rootOfByte(4);
const LOST = rootOfByte(5);

const SEQUENCES: ReadonlyMap<number, Root> = new Map([
  [7, FILE],
  [8, DIRECTORY],
]);

const directory: ManifestDirectory = {
  kind: 'directory',
  name: '/',
  entries: [
    { kind: 'file', name: 'whole.txt', roots: [FILE], sizeBytes: 5 },
    { kind: 'file', name: 'empty.txt', roots: [], sizeBytes: 0 },
    {
      kind: 'directory',
      name: 'sub dir',
      entries: [
        { kind: 'file', name: 'joined.bin', roots: [FILE, FRAGMENT], sizeBytes: 8 },
        { kind: 'link', name: 'up', link: '../whole.txt' },
        { kind: 'link', name: 'out', link: '../../etc/passwd' },
        { kind: 'link', name: 'round', link: 'round' },
      ],
    },
  ],
};

/** A library over files in memory; one of them fails half-way, one at once, as lost holders do. */
function memoryLibrary(files: ReadonlyMap<Root, Uint8Array>): FileLibrary {
  return {
    openRoot: async (root) => {
      const bytes = files.get(root);
      if (bytes === undefined) return undefined;
      return {
        etag: root,
        sizeBytes: bytes.length,
        async *read(offset, length) {
          if (root === LOST) throw new Error('no holder answers');
          yield bytes.subarray(offset, offset + Math.min(length, 100_000));
          if (root === BROKEN) throw new Error('the holder is gone');
          if (length > 100_000) yield bytes.subarray(offset + 100_000, offset + length);
        },
      };
    },
    rootAt: async (sequence) => SEQUENCES.get(sequence),
  };
}

describe('the file door', () => {
  let host: HttpHost;

  before(async () => {
    const library = memoryLibrary(
      new Map([
        [FILE, Buffer.from('hello')],
        [FRAGMENT, Buffer.from('+++')],
        [DIRECTORY, encodeManifest(directory)],
        [BROKEN, new Uint8Array(300_000)],
        [LOST, new Uint8Array(300_000)],
      ]),
    );
    host = createHttpHost({
      name: 'files',
      version: '0',
      logger: silentLogger(),
      metrics: createMetrics(),
      routes: [fileRoutes({ library })],
      exposedHeaders: ['x-cairn-root'],
      describeProblem: problemOf,
    });
    await host.start();
  });

  after(() => host.stop());

  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${host.address.url}${path}`, init);

  it('serves a root and a sequence, whole and in part', async () => {
    const whole = await get(`/v1/files/${FILE}?name=greeting.txt`);
    assert.equal(whole.status, 200);
    assert.equal(await whole.text(), 'hello');
    assert.equal(whole.headers.get('etag'), `"${FILE}"`);
    assert.match(whole.headers.get('content-disposition') ?? '', /greeting\.txt/);
    assert.match(whole.headers.get('cache-control') ?? '', /immutable/);
    const numbered = await get('/v1/tx/7');
    assert.equal(await numbered.text(), 'hello');
    assert.equal(
      numbered.headers.get('cache-control'),
      'public, no-cache',
      'a reorg may change it',
    );
    const part = await get(`/v1/files/${FILE}`, { headers: { range: 'bytes=1-3' } });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), 'ell');
  });

  it('answers HEAD with the length alone', async () => {
    const head = await get(`/v1/files/${FILE}`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), '5');
    assert.equal(await head.text(), '');
  });

  it('lists a directory as links, and as JSON for who asks for it', async () => {
    const html = await get(`/v1/files/${DIRECTORY}/`);
    assert.match(html.headers.get('content-type') ?? '', /text\/html/);
    assert.match(await html.text(), /href="sub%20dir\/"/);
    const json = await get(`/v1/files/${DIRECTORY}/`, { headers: { accept: 'application/json' } });
    assert.deepEqual(
      ((await json.json()) as { name: string }[]).map(({ name }) => name),
      ['whole.txt', 'empty.txt', 'sub dir'],
    );
  });

  it('serves files inside it, fragments joined and links followed', async () => {
    assert.equal(await (await get(`/v1/files/${DIRECTORY}/whole.txt`)).text(), 'hello');
    assert.equal(
      await (await get(`/v1/files/${DIRECTORY}/sub%20dir/joined.bin`)).text(),
      'hello+++',
    );
    assert.equal(await (await get(`/v1/files/${DIRECTORY}/sub%20dir/up`)).text(), 'hello');
    const empty = await get(`/v1/files/${DIRECTORY}/empty.txt`);
    assert.equal(empty.status, 200);
    assert.equal(await empty.text(), '');
  });

  it('leads a directory without its slash to the one with it', async () => {
    const reply = await get(`/v1/files/${DIRECTORY}/sub%20dir`, { redirect: 'manual' });
    assert.equal(reply.status, 308);
    assert.equal(reply.headers.get('location'), 'sub%20dir/');
    assert.match(reply.headers.get('cache-control') ?? '', /immutable/);
    const numbered = await get('/v1/tx/8/sub%20dir', { redirect: 'manual' });
    assert.equal(numbered.status, 308);
    assert.equal(numbered.headers.get('cache-control'), 'public, no-cache');
  });

  it('says 404 for what is not there and 400 for what is no root', async () => {
    for (const path of [
      `/v1/files/${rootOfByte(9)}`,
      `/v1/files/${DIRECTORY}/nothing`,
      `/v1/files/${DIRECTORY}/whole.txt/deeper`,
      `/v1/files/${FILE}/`,
      '/v1/tx/9',
      `/v1/files/${DIRECTORY}/sub%20dir/out`,
      `/v1/files/${DIRECTORY}/sub%20dir/round`,
    ]) {
      const reply = await get(path);
      assert.equal(reply.status, 404, path);
      assert.match(reply.headers.get('content-type') ?? '', /problem\+json/);
    }
    assert.equal((await get('/v1/files/0x12')).status, 400);
    assert.equal((await get('/v1/tx/x')).status, 400);
  });

  it('cuts the connection when the rest cannot be had: never a short body that looks whole', async () => {
    await assert.rejects(async () => {
      const reply = await get(`/v1/files/${BROKEN}`);
      await reply.arrayBuffer();
    });
  });

  it('answers a problem that nobody keeps when not even the first byte can be had', async () => {
    const reply = await get(`/v1/files/${LOST}?name=a.bin`, { headers: { range: 'bytes=5-' } });
    assert.equal(reply.status, 500);
    assert.match(reply.headers.get('content-type') ?? '', /problem\+json/);
    assert.equal(reply.headers.get('cache-control'), 'no-store');
    for (const name of ['etag', 'accept-ranges', 'content-range', 'content-disposition']) {
      assert.equal(reply.headers.get(name), null, name);
    }
    assert.equal(reply.headers.get('x-cairn-root'), null);
    assert.equal(reply.headers.get('content-length'), String((await reply.text()).length));
  });
});
