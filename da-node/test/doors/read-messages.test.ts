import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { systemClock } from '@cairn/primitives';
import { Code, ConnectError } from '@connectrpc/connect';
import fc from 'fast-check';
import { ByteBudget } from '../../src/byte-budget.ts';
import { CallMemory } from '../../src/doors/zg-grpc/call-memory.ts';
import { type MessageIntake, readMessages } from '../../src/doors/zg-grpc/read-messages.ts';
import { requireOnePayload } from '../../src/doors/zg-grpc/zg-grpc-door.ts';

const clock = systemClock();
const { signal } = new AbortController();

function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

async function* inParts(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const end = at + (sizes[turn % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function read(
  bytes: Uint8Array,
  sizes: readonly number[] = [],
  intake: Partial<MessageIntake> = {},
): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  const settings = { maxBytes: 1000, clock, ...intake };
  for await (const message of readMessages(inParts(bytes, sizes), settings, signal)) {
    messages.push(Buffer.from(message));
  }
  return messages;
}

function refusedWith(code: Code): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code;
}

describe('messages of a gRPC call', () => {
  it('come whole, however they were cut on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 5 }),
        async (messages, sizes) => {
          const frames = messages.map((message) => framed(message));
          deepEqual(await read(Buffer.concat(frames), sizes), frames);
        },
      ),
      { numRuns: 200, seed: 51 },
    );
  });

  it('that are cut short, compressed or too long are refused with a code', async () => {
    const some = Buffer.from('some bytes');
    await rejects(read(Buffer.from([0, 0])), refusedWith(Code.InvalidArgument));
    await rejects(read(framed(some, { length: 11 })), refusedWith(Code.InvalidArgument));
    await rejects(read(framed(some, { flag: 1 })), refusedWith(Code.Unimplemented));
    await rejects(read(framed(some, { length: 1001 })), refusedWith(Code.Unknown));
  });

  it('are refused before a byte of them is read where their caller is unknown', async () => {
    let isRead = false;
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      isRead = true;
      yield framed(Buffer.from('x'));
    };
    const admit = (): void => {
      throw new ConnectError('an API key is needed', Code.Unauthenticated);
    };
    const messages = readMessages(parts(), { maxBytes: 10, clock, admit }, signal);
    await rejects(messages.next(), refusedWith(Code.Unauthenticated));
    equal(isRead, false);
  });

  it('wait until there is memory for what they announce, and give it back together', async () => {
    const budget = new ByteBudget({ maxBytes: 100, maxWaiting: 4 });
    const others = await budget.take(60, signal);
    const memory = new CallMemory(budget);
    const reading = read(framed(Buffer.alloc(30)), [], { memory });
    await new Promise((resolve) => setImmediate(resolve));
    equal(budget.usedBytes, 60, 'nothing is taken while others have it');
    others();
    equal((await reading).length, 1);
    equal(budget.usedBytes, 70, 'twice the message with its prefix');
    memory.release();
    equal(budget.usedBytes, 0);
  });

  it('that come too slowly are given up', async () => {
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from([0]);
      await new Promise(() => undefined);
    };
    const hasty = { sleep: async () => undefined };
    const messages = readMessages(slow(), { maxBytes: 10, clock: hasty }, signal);
    await rejects(messages.next(), refusedWith(Code.DeadlineExceeded));
  });
});

describe('a large message', () => {
  const request = (length: number, beside = 0): Buffer => {
    const varint: number[] = [];
    for (let left = length; ; left >>>= 7) {
      varint.push(left > 127 ? (left & 127) | 128 : left);
      if (left <= 127) break;
    }
    return Buffer.concat([Buffer.from([0x0a, ...varint]), Buffer.alloc(length + beside, 1)]);
  };

  it('is one payload and little else', () => {
    for (const length of [0, 1, 127, 128, 5000, 3_000_000]) requireOnePayload(request(length));
    requireOnePayload(request(5000, 4096));
    requireOnePayload(Buffer.alloc(4096, 0x0a)); // a small one is taken apart in no time
  });

  it('of many fields, or whose payload ends past it, is refused unseen', () => {
    const many = Buffer.alloc(100_000);
    for (let at = 0; at < many.length; at += 2) many[at] = 0x0a;
    const wrong = [
      many,
      request(5000, 4097),
      request(90_000).subarray(0, 80_000),
      Buffer.alloc(9000),
    ];
    for (const message of wrong) {
      let refused: unknown;
      try {
        requireOnePayload(message);
      } catch (error) {
        refused = error;
      }
      ok(refusedWith(Code.InvalidArgument)(refused), `${message.length} bytes`);
    }
  });
});
