import assert from 'node:assert/strict';
import { chainIdOf, concatBytes, parseRoot, utf8Bytes } from '@cairn/primitives';
import { type ContentReference, partOfContent } from '@cairn/wire-protocol';
import { referTensors, resolveReference } from '../../src/references/resolve-reference.ts';
import { sourceOf } from '../../src/sources.ts';
import { aperiodicBytes, FakeNetwork } from '../support/fake-network.ts';

const read = async (
  network: FakeNetwork,
  content: ContentReference,
  path?: string,
): Promise<Uint8Array> => {
  const files = network.client();
  const options = path === undefined ? {} : { path };
  const parts: Uint8Array[] = [];
  for await (const part of resolveReference({ files }, content, options)) parts.push(part);
  return concatBytes(...parts);
};

describe('what a reference cites', () => {
  let network: FakeNetwork;
  beforeEach(async () => {
    network = await FakeNetwork.create({});
  });
  afterEach(() => network.stop());

  const stored = async (bytes: Uint8Array): Promise<ContentReference> => {
    const { root } = await network.client().put(bytes);
    const place = { chainId: chainIdOf(1), globalIndex: 0, root };
    return { ...place, sizeBytes: bytes.length, offset: 0, length: bytes.length };
  };

  it('is read from whoever keeps it, whole or in part', async () => {
    const bytes = aperiodicBytes(700_000);
    const whole = await stored(bytes);
    assert.deepEqual(await read(network, whole), bytes);
    const part = partOfContent(whole, { offset: 262_100, length: 300 });
    assert.deepEqual(await read(network, part), bytes.subarray(262_100, 262_400));
  });

  it('is not given where the file is shorter than the reference says', async () => {
    const whole = await stored(aperiodicBytes(300));
    const longer = { ...whole, sizeBytes: 400, length: 400 };
    await assert.rejects(read(network, longer), { code: 'SDK_REFERENCE' });
    const unknown = { ...whole, root: parseRoot(`0x${'ee'.repeat(32)}`) };
    await assert.rejects(read(network, unknown), { code: 'SDK_FILE_NOT_FOUND' });
  });

  it('is a file of the directory that it names, by its path', async () => {
    const bytes = aperiodicBytes(5000);
    const items = [
      { kind: 'file' as const, path: 'train/part-0', open: async () => sourceOf(bytes) },
    ];
    const { root, manifest } = await network.client().putDirectory(items);
    const { sizeBytes } = manifest;
    const place = { chainId: chainIdOf(1), globalIndex: 0, root, sizeBytes };
    const dataset = { ...place, offset: 0, length: sizeBytes };
    assert.deepEqual(await read(network, dataset, 'train/part-0'), bytes);
    const part = partOfContent(dataset, { offset: 1, length: 1 });
    await assert.rejects(read(network, part, 'train/part-0'), { code: 'SDK_REFERENCE' });
  });

  it('is a tensor of a model, by its name', async () => {
    const header = utf8Bytes(
      JSON.stringify({
        a: { dtype: 'U8', shape: [1000], data_offsets: [0, 1000] },
        b: { dtype: 'F16', shape: [10, 50], data_offsets: [1000, 2000] },
      }),
    );
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setUint32(0, header.length, true);
    const data = aperiodicBytes(2000);
    const model = await stored(concatBytes(prefix, header, data));
    const tensors = await referTensors({ files: network.client() }, model);
    const b = tensors.find(({ name }) => name === 'b')?.reference;
    assert.ok(b !== undefined);
    assert.deepEqual(await read(network, b), data.subarray(1000));
    await assert.rejects(referTensors({ files: network.client() }, b), { code: 'SDK_REFERENCE' });
    const other = await stored(data);
    const reading = referTensors({ files: network.client() }, other);
    await assert.rejects(reading, { code: 'SDK_SAFETENSORS' });
  });
});
