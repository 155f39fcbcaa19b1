import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cairn, cairnJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';

/** Bytes of the tensor `head`, which ends the model. */
const HEAD_BYTES = 600_000;

describe('content that programs cite', () => {
  let network: Network;
  let folder: string;
  let model: Buffer;
  let root: string;

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-refs-'));
    const end = 64 + HEAD_BYTES;
    const header = JSON.stringify({
      embed: { dtype: 'F32', shape: [4, 4], data_offsets: [0, 64] },
      head: { dtype: 'U8', shape: [HEAD_BYTES], data_offsets: [64, end] },
    });
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(header.length));
    model = Buffer.concat([prefix, Buffer.from(header), contentOf(7_701, end)]);
    const path = join(folder, 'model.safetensors');
    await writeFile(path, model);
    root = String((await cairnJson(['file', 'put', path, ...dir()]))['root']);
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const dir = (): string[] => ['--dir', network.directory];
  const made = async (...extra: readonly string[]): Promise<string> => {
    const args = ['ref', 'make', root, '--global-index', '3', ...extra, ...dir()];
    const result = await cairn(args);
    assert.equal(result.status, 0, result.stderr);
    const path = join(folder, `ref-${extra.length}.json`);
    await writeFile(path, result.stdout);
    return path;
  };

  it('is a tensor, and its bytes come from whoever keeps them', async () => {
    const reference = await made('--tensor', 'head');
    const fields = JSON.parse(await readFile(reference, 'utf8'));
    assert.equal(fields.chainId, 31_337);
    assert.equal(fields.offset, model.length - HEAD_BYTES);
    const out = join(folder, 'head.bin');
    const read = await cairn(['ref', 'resolve', reference, '-o', out, ...dir()]);
    assert.equal(read.status, 0, read.stderr);
    assert.ok((await readFile(out)).equals(model.subarray(fields.offset)));
    const again = await cairn(['ref', 'resolve', reference, '-o', out, ...dir()]);
    assert.equal(again.status, 1, 'nothing is overwritten unasked');
  });

  it('is a model, whose tensors are listed and read by name', async () => {
    const reference = await made();
    const { tensors } = await cairnJson(['ref', 'tensors', reference, '--json', ...dir()]);
    const names = (tensors as { readonly name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, ['embed', 'head']);
    const one = ['ref', 'resolve', reference, '--tensor', 'embed', '-o', '-', ...dir()];
    const { status, stdout } = await cairn(one);
    assert.equal(status, 0);
    assert.ok(stdout.equals(model.subarray(-HEAD_BYTES - 64, -HEAD_BYTES)));
  });

  it('is refused in a sentence where it means nothing', async () => {
    const reference = join(folder, 'bad.json');
    await writeFile(reference, '{"version":1}');
    assert.equal((await cairn(['ref', 'resolve', reference, ...dir()])).status, 2);
    const none = ['ref', 'make', root, '--global-index', '3', '--tensor', 'tail', ...dir()];
    const { status, stderr } = await cairn(none);
    assert.equal(status, 2);
    assert.match(stderr, /no tensor "tail" among 2, which begin with embed, head/);
    const nowhere = await cairn(['ref', 'make', root, ...dir()]);
    assert.equal(nowhere.status, 2, 'this network has no order');
    assert.match(nowhere.stderr, /endpoints.json names no hub; or give it with --global-index/);
  });
});
