import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors.ts';
import { DeviceCodec } from '../../src/gpu/device-codec.ts';
import {
  MAX_UNDER_WAY,
  PIECE_BYTES,
  type Reply,
  type Request,
} from '../../src/gpu-process/messages.ts';
import { RemoteDevice } from '../../src/gpu-process/remote-device.ts';
import { serveDevice } from '../../src/gpu-process/serve-device.ts';
import { loadWasmCodec } from '../../src/wasm/wasm-codec.ts';
import { assertHolds } from '../gpu/expected.ts';
import { MemoryDevice } from '../gpu/memory-device.ts';
import { bytesOf, isCodecFault, shapeOf, signal } from '../support.ts';

const SHAPE = shapeOf(3, 1, 64);
const DATA = bytesOf(8 * 64, 3);

/** Both sides in this process: messages are copied, and counted, as between two. */
class Link {
  readonly served = new MemoryDevice(2 ** 26);
  readonly device: RemoteDevice;
  readonly busy: boolean[] = [];
  ended = 0;
  underWay = 0;
  mostUnderWay = 0;
  mostBytes = 0;
  /** Whether messages still arrive. */
  isCut = false;

  constructor() {
    const receive = serveDevice({
      open: () => Promise.resolve(this.served),
      send: (reply) => this.#carry(reply, (copy) => this.device.receive(copy)),
    });
    this.device = new RemoteDevice({
      send: (request) => this.#carry(request, receive),
      setBusy: (isBusy) => this.busy.push(isBusy),
      end: () => {
        this.ended += 1;
        return Promise.resolve();
      },
    });
  }

  #carry<Message extends Request | Reply>(message: Message, take: (copy: Message) => void): void {
    if (this.isCut) return;
    if ('task' in message) this.underWay += 1;
    else if ('id' in message) this.underWay -= 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    this.mostBytes = Math.max(this.mostBytes, bytesIn(message));
    const copy = structuredClone(message);
    setImmediate(() => take(copy));
  }
}

/** Waits until messages on their way have arrived, and what they bring about has happened. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function bytesIn(message: Request | Reply): number {
  if ('bytes' in message) return message.bytes.length;
  return 'task' in message && message.task.call === 'write' ? message.task.piece.length : 0;
}

describe('a device in another process', () => {
  let link: Link;
  beforeEach(async () => {
    link = new Link();
    await link.device.open(undefined, { signal });
  });

  it('gives what the device gives, in pieces that have a bound', async () => {
    const wasm = await loadWasmCodec();
    const codec = new DeviceCodec(link.device, wasm);
    await assertHolds(codec, shapeOf(1, 3, 64), wasm, 1);
    assert.ok(link.mostBytes < PIECE_BYTES);
    const shape = shapeOf(8, 1, 20_480); // 5 MiB: two pieces each way
    const data = bytesOf(256 * 20_480, 5);
    link.served.beforeEncode = () => Promise.reject(new Error('all pieces are there'));
    await assert.rejects(codec.encode(data, shape, { signal }), /all pieces are there/);
    assert.equal(link.mostBytes, PIECE_BYTES);
    await delivered();
    assert.equal(link.served.held, 0);
  });

  it('has a bounded number of requests under way', async () => {
    const codec = new DeviceCodec(link.device, await loadWasmCodec());
    const held = await codec.hold(DATA, SHAPE, { signal });
    const reads = Array.from({ length: 40 }, (_, index) =>
      held.read([index % 16], { signal: new AbortController().signal }),
    );
    const rows = await Promise.all(reads);
    assert.deepEqual(rows[7]?.[0], DATA.subarray(7 * 64, 8 * 64));
    assert.equal(link.mostUnderWay, MAX_UNDER_WAY);
    assert.equal(link.busy.at(-1), false);
    held.release();
  });

  it('stops work that its caller gives up, and gives the matrix back', async () => {
    const codec = new DeviceCodec(link.device, await loadWasmCodec());
    const stopped = new AbortController();
    let reached = false;
    link.served.beforeEncode = (encoding) =>
      new Promise((_, reject) => {
        reached = true;
        encoding.addEventListener('abort', () => reject(encoding.reason));
        stopped.abort(new Error('enough'));
      });
    await assert.rejects(codec.hold(DATA, SHAPE, { signal: stopped.signal }), /enough/);
    assert.ok(reached);
    link.served.beforeEncode = () => Promise.resolve();
    const held = await codec.hold(DATA, SHAPE, { signal });
    assert.equal(link.served.held, 1);
    held.release();
    await delivered();
    assert.equal(link.served.held, 0);
  });

  it('ends what is under way when the process is gone, and refuses what comes later', async () => {
    const codec = new DeviceCodec(link.device, await loadWasmCodec());
    const held = await codec.hold(DATA, SHAPE, { signal });
    link.isCut = true;
    const reading = held.read([1], { signal });
    const encoding = codec.encode(DATA, SHAPE, { signal });
    link.device.lose('its process ended with SIGKILL');
    const isLost = isCodecFault({
      code: 'DEVICE_LOST',
      reason: 'its process ended with SIGKILL',
    });
    await assert.rejects(reading, isLost);
    await assert.rejects(encoding, isLost);
    await assert.rejects(held.combine(bytesOf(1024, 1), 'data', { signal }), isLost);
    held.release();
    assert.equal(link.busy.at(-1), false);
  });

  it('tells a device without room from one that is lost', async () => {
    const codec = new DeviceCodec(link.device, await loadWasmCodec());
    link.served.beforeEncode = () =>
      Promise.reject(new CodecError({ code: 'DEVICE_FULL', reason: 'no memory' }, 'full'));
    const isFull = isCodecFault({ code: 'DEVICE_FULL', reason: 'no memory' });
    await assert.rejects(codec.encode(DATA, SHAPE, { signal }), isFull);
    link.served.beforeEncode = () => Promise.resolve();
    (await codec.hold(DATA, SHAPE, { signal })).release();
    await delivered();
    assert.equal(link.served.held, 0);
  });

  it('is lost with a message that is no reply', async () => {
    link.device.receive({ id: 1, bytes: 'none' });
    await assert.rejects(link.device.create(SHAPE, { signal }), /is not a reply/);
  });

  it('passes on why there is no device, and what ended a task', async () => {
    const replies: Reply[] = [];
    const receive = serveDevice({
      open: () => Promise.reject(new Error('no driver')),
      send: (reply) => replies.push(reply),
    });
    receive({ id: 1, task: { call: 'open', maxBufferBytes: undefined } });
    receive({ id: 2, task: { call: 'encode', matrix: 9 } });
    await delivered();
    assert.deepEqual(replies, [
      { id: 1, fault: { code: 'DEVICE_LOST', reason: 'no driver' } },
      { id: 2, fault: { code: 'DEVICE_LOST', reason: 'there is no matrix 9' } },
    ]);
  });

  it('ends its process when closed', async () => {
    await link.device.close();
    assert.equal(link.ended, 1);
    await assert.rejects(link.device.create(SHAPE, { signal }), /it was closed/);
  });
});
