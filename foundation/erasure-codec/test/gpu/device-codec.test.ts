import assert from 'node:assert/strict';
import { DeviceCodec } from '../../src/gpu/device-codec.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import { bytesOf, isCodecFault, shapeOf, signal } from '../support.ts';
import { assertHolds } from './expected.ts';
import { MemoryDevice } from './memory-device.ts';

const SHAPE = shapeOf(3, 2, 128);
const DATA = bytesOf(8 * 128, 7);

describe('the codec over a device', () => {
  let device: MemoryDevice;
  let codec: DeviceCodec;
  beforeEach(() => {
    device = new MemoryDevice(256);
    codec = new DeviceCodec(device, referenceCodec());
  });

  it('gives what a codec, a hash and a combiner give, in pieces of two rows', async () => {
    for (const [log2K, cosets, rowBytes] of [
      [1, 1, 64],
      [3, 3, 128],
      [4, 2, 192],
    ] as const) {
      await assertHolds(codec, shapeOf(log2K, cosets, rowBytes), referenceCodec(), log2K);
    }
    assert.equal(device.held, 0);
  });

  it('refuses data, shapes, indexes and coefficients that do not fit', async () => {
    const short = DATA.subarray(1);
    await assert.rejects(
      codec.hold(short, SHAPE, { signal }),
      isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 1024, actualBytes: 1023 }),
    );
    await assert.rejects(
      codec.encode(DATA, { ...SHAPE, cosets: 4 }, { signal }),
      isCodecFault({ code: 'LAYOUT', field: 'cosets', actual: 4 }),
    );
    await assert.rejects(
      codec.encode(DATA, shapeOf(3, 2, 32_832), { signal }),
      isCodecFault({ code: 'LAYOUT', field: 'rowBytes', actual: 32_832 }),
    );
    const held = await codec.hold(DATA, SHAPE, { signal });
    for (const index of [24, -1, 0.5]) {
      await assert.rejects(
        held.read([0, index], { signal }),
        isCodecFault({ code: 'ROW_INDEX', index, rows: 24 }),
      );
    }
    await assert.rejects(async () => held.combine(DATA, 'data', { signal }), RangeError);
    held.release();
    assert.equal(device.held, 0);
  });

  it('gives a matrix back that it could not finish', async () => {
    device.beforeEncode = () => Promise.reject(new Error('no luck'));
    await assert.rejects(codec.hold(DATA, SHAPE, { signal }), /no luck/);
    await assert.rejects(codec.encode(DATA, SHAPE, { signal }), /no luck/);
    assert.equal(device.held, 0);
  });

  it('makes one matrix at a time, and lets who waits go', async () => {
    const gate = gateOf();
    device.beforeEncode = () => gate.promise;
    const first = codec.hold(DATA, SHAPE, { signal });
    const stopped = new AbortController();
    const second = codec.hold(DATA, SHAPE, { signal: stopped.signal });
    stopped.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
    assert.equal(device.held, 1);
    gate.resolve();
    (await first).release();
    assert.equal(device.held, 0);
  });

  it('closes its device', async () => {
    await codec.close();
    assert.equal(device.isClosed, true);
  });
});

function gateOf(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
