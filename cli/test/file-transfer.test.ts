import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitBytes, loadHasher } from '@cairn/commitments';
import { rootOf } from '@cairn/primitives';
import { encodeManifest } from '@cairn/wire-protocol';
import { type TestFile, TestNode } from '../../storage-node/test/harness.ts';
import { run } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';

/** What `commitBytes` and a node need to keep `bytes`. */
async function storedOn(node: TestNode, bytes: Uint8Array): Promise<string> {
  const commitment = commitBytes(await loadHasher(), bytes);
  const file: TestFile = { bytes, commitment, root: rootOf(commitment.root) };
  const [sequence] = await node.announce(file);
  for (let index = 0; index < commitment.shape.segments; index += 1) {
    await node.put(file, index, sequence);
  }
  return file.root;
}

describe('files between here and the network', () => {
  let folder: string;
  let silent: Server;
  let stop: AbortController;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-transfer-'));
    silent = createServer(() => stop.abort(new Error('stopped by the test')));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    stop = new AbortController();
  });
  after(async () => {
    silent.closeAllConnections();
    silent.close();
    await rm(folder, { recursive: true });
  });

  const cairn = async (args: readonly string[], stdin?: Uint8Array) => {
    const io = fakeIo({ cwd: folder, ...(stdin === undefined ? {} : { stdin }) });
    const exit = await run(args, { io, signal: stop.signal });
    return { exit, out: io.out(), err: io.err() };
  };
  const silentUrl = (): string => `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;

  it('bring a directory to a new or an empty one only, and never resume it', async () => {
    const node = await TestNode.start();
    try {
      const entries = [{ kind: 'directory', name: 'empty', entries: [] } as const];
      const root = await storedOn(node, encodeManifest({ kind: 'directory', name: '/', entries }));
      const get = ['file', 'get', root, '--node', node.url];
      const resumed = await cairn([...get, '-o', 'new', '--resume']);
      assert.equal(resumed.exit, 2, resumed.err);
      assert.match(resumed.err, /leave --resume out/);
      assert.equal((await cairn([...get, '-o', 'new'])).exit, 0);
      const again = await cairn([...get, '-o', 'new', '--force']);
      assert.equal(again.exit, 1);
      assert.doesNotMatch(again.err, /--force|--resume/);
    } finally {
      await node.remove();
    }
  });

  it('say how to go on only where that can be done', async () => {
    const key = join(folder, 'key.hex');
    await writeFile(key, '07'.repeat(32), { mode: 0o600 });
    const url = silentUrl();
    const network = ['--node', url, '--rpc', url, '--key-file', key];
    await writeFile(join(folder, 'seven'), 'hello');
    assert.match((await cairn(['file', 'put', 'seven', ...network])).err, /continue with/);
    stop = new AbortController();
    const piped = await cairn(['file', 'put', '-', ...network], new TextEncoder().encode('hello'));
    assert.match(piped.err, /stopped by the test/);
    assert.doesNotMatch(piped.err, /continue with/);
  });
});
