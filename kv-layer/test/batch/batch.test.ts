import assert from 'node:assert/strict';
import { isFault, MAX_BATCH_ITEMS, parseAddress, toHex, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { ACCESS_OP, type AccessOp, accessOpShape } from '../../src/batch/access-op.ts';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { encodeBatch, encodedBatchBytes } from '../../src/batch/encode-batch.ts';
import { decodeBatch, parseBatch, parseBatchBytes } from '../../src/batch/parse-batch.ts';
import {
  type AccessControl,
  fileBatchSource,
  memoryBatchSource,
  readableBytes,
  type StreamBatch,
} from '../../src/batch/stream-batch.ts';
import { deriveStreamId, parseStreamId, streamIdOf } from '../../src/stream-id.ts';
import { encodeTags, parseTags } from '../../src/tags.ts';

const { signal } = new AbortController();
const STREAM = parseStreamId(`0x${'00'.repeat(31)}01`);
const ALICE = parseAddress(`0x${'a1'.repeat(20)}`);

const bytes = (max: number, min = 0): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max });
const stream = bytes(32, 32).map(streamIdOf);
const controls: fc.Arbitrary<AccessControl> = fc
  .record({
    op: fc.constantFrom(...(Object.values(ACCESS_OP) as AccessOp[])),
    stream,
    key: bytes(40, 1),
    account: bytes(20, 20).map((account) => parseAddress(toHex(account))),
  })
  .map(({ op, stream, key, account }) => {
    const { hasKey, hasAccount } = accessOpShape(op);
    return { op, stream, ...(hasKey ? { key } : {}), ...(hasAccount ? { account } : {}) };
  });
const batches: fc.Arbitrary<StreamBatch> = fc.record({
  version: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  reads: fc.array(fc.record({ stream, key: bytes(60, 1) }), { maxLength: 8 }),
  writes: fc.array(fc.record({ stream, key: bytes(60, 1), value: bytes(600) }), { maxLength: 8 }),
  controls: fc.array(controls, { maxLength: 8 }),
});

describe('a batch', () => {
  it('is read back as it was written, by the strict and the tolerant reader', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const encoded = encodeBatch(batch);
        assert.equal(encoded.length, encodedBatchBytes(batch));
        assert.deepEqual(plainBatch(decodeBatch(encoded)), plainBatch(batch));
        const parsed = parseBatchBytes(encoded, readableBytes(encoded.length));
        assert.equal(parsed.fault, undefined);
        assert.equal(parsed.endOffset, encoded.length);
        const writes = parsed.writes.map(({ stream, key, valueOffset, valueBytes }) => ({
          stream,
          key,
          value: encoded.subarray(valueOffset, valueOffset + valueBytes),
        }));
        const { version, reads, controls } = parsed;
        assert.deepEqual(plainBatch({ version, reads, writes, controls }), plainBatch(batch));
      }),
      { seed: 61 },
    );
  });

  it('cut anywhere is refused by the strict reader, and with a byte behind', () => {
    fc.assert(
      fc.property(batches, fc.double({ min: 0, max: 1, noNaN: true }), (batch, part) => {
        const encoded = encodeBatch(batch);
        const cut = encoded.subarray(0, Math.floor(encoded.length * part * 0.9999));
        for (const wrong of [cut, Uint8Array.from([...encoded, 0])]) {
          assert.throws(
            () => decodeBatch(wrong),
            (error) => isFault(error, 'KV_BATCH_MALFORMED'),
          );
        }
      }),
      { seed: 62 },
    );
  });

  it('reads the same from a file in parts as from memory, however long its headers', async () => {
    const builder = new BatchBuilder(5n);
    for (let index = 0; index < 3000; index += 1) {
      builder.put(STREAM, utf8Bytes(`${'long key '.repeat(6)}${index}`), new Uint8Array(index % 7));
      builder.control({
        op: ACCESS_OP.grantSpecialWriter,
        stream: STREAM,
        key: utf8Bytes(`${'k'.repeat(30)}${index}`),
        account: ALICE,
      });
    }
    builder.put(STREAM, utf8Bytes('large'), new Uint8Array(300_000).fill(7));
    const whole = builder.build().bytes;
    let readBytes = 0;
    const source = fileBatchSource(whole.length, async (offset, length) => {
      readBytes += length;
      assert.ok(offset + length <= whole.length);
      return whole.subarray(offset, offset + length);
    });
    const [inParts, inMemory] = await Promise.all([
      parseBatch(source, { signal }),
      parseBatch(memoryBatchSource(whole), { signal }),
    ]);
    assert.equal(inParts.fault, undefined);
    assert.deepEqual(inParts, inMemory);
    assert.ok(readBytes < whole.length * 2 + 400_000, `${readBytes} bytes were read`);
  });

  it('counts zeros up to the end of its last sector, and nothing beyond', () => {
    const read = (text: string) => {
      const blob = Buffer.from(text, 'hex');
      return parseBatchBytes(blob, readableBytes(blob.length));
    };
    assert.equal(read('00').fault, undefined);
    assert.deepEqual(read('').fault, { section: 'version', reason: 'invalid' });
    const whole = encodeBatch({
      version: 1n,
      reads: [],
      writes: [{ stream: STREAM, key: new Uint8Array(256 - 63 + 1), value: new Uint8Array(2) }],
      controls: [],
    });
    assert.equal(whole.length, 259);
    assert.equal(parseBatchBytes(whole.subarray(0, 256), 256).fault?.section, 'controls');
  });

  it('refuses too many of a list by name, and sums lengths without wrapping', () => {
    const head = (counts: string): string => `${'00'.repeat(8)}${counts}`;
    const faultOf = (text: string) => {
      const blob = Buffer.from(text, 'hex');
      return parseBatchBytes(blob, readableBytes(blob.length)).fault;
    };
    assert.deepEqual(faultOf(head('00010001')), { section: 'reads', reason: 'list too long' });
    assert.deepEqual(faultOf(head('0000000000010001')), {
      section: 'writes',
      reason: 'list too long',
    });
    assert.deepEqual(faultOf(head('000000000000000000010001')), {
      section: 'controls',
      reason: 'list too long',
    });
    assert.deepEqual(faultOf(head('00010000')), { section: 'reads', reason: 'invalid' });
    const key = `${STREAM.slice(2)}00000161`;
    const wrapping = `${key}${'ff'.repeat(8)}${key}${'00'.repeat(7)}02`;
    assert.deepEqual(faultOf(head(`0000000000000002${wrapping}`)), {
      section: 'values',
      reason: 'invalid',
    });
  });
});

describe('a batch builder', () => {
  it('keeps a key’s first place and last value, and tags what is written or controlled', () => {
    const other = parseStreamId(`0x${'00'.repeat(31)}02`);
    const key = utf8Bytes('k');
    const { batch, tags } = new BatchBuilder()
      .put(STREAM, key, utf8Bytes('old'))
      .put(STREAM, utf8Bytes('l'), utf8Bytes('x'))
      .put(STREAM, key, utf8Bytes('new'))
      .read(other, key)
      .build();
    assert.deepEqual(
      batch.writes.map(({ value }) => Buffer.from(value).toString()),
      ['new', 'x'],
    );
    assert.deepEqual(parseTags(tags), [STREAM]);
    assert.equal(batch.version, 2n ** 64n - 1n);
  });

  it('refuses what the format cannot say', () => {
    const builder = new BatchBuilder();
    const refuses = (code: string, build: () => unknown): void =>
      assert.throws(build, (error) => isFault(error, code));
    refuses('KV_KEY_LENGTH', () => builder.put(STREAM, new Uint8Array(0), new Uint8Array(1)));
    refuses('KV_KEY_LENGTH', () => builder.read(STREAM, new Uint8Array(2 ** 24)));
    refuses('KV_BATCH_VERSION', () => new BatchBuilder(2n ** 64n).build());
    refuses('KV_BATCH_VERSION', () => new BatchBuilder(-1n).build());
    refuses('KV_CONTROL_SHAPE', () =>
      builder.control({ op: ACCESS_OP.grantAdmin, stream: STREAM }),
    );
    refuses('KV_CONTROL_SHAPE', () =>
      builder.control({ op: ACCESS_OP.renounceWriter, stream: STREAM, account: ALICE }),
    );
    const full = new BatchBuilder();
    for (let index = 0; index < MAX_BATCH_ITEMS; index += 1) full.grantWriter(STREAM, ALICE);
    assert.equal(decodeBatch(full.build().bytes).controls.length, 65_536);
    refuses('KV_BATCH_TOO_LONG', () => full.grantWriter(STREAM, ALICE));
  });
});

describe('tags', () => {
  it('name streams once each, or make an ordinary file', () => {
    const two = encodeTags([STREAM, STREAM]);
    assert.deepEqual(parseTags(two), [STREAM]);
    assert.equal(parseTags(two.subarray(0, 32)), undefined);
    assert.equal(parseTags(two.subarray(0, 95)), undefined);
    assert.equal(parseTags(new Uint8Array(64)), undefined);
    assert.equal(parseTags(new Uint8Array(0)), undefined);
  });

  it('derive a stream id from owner and salt as the chain’s abi.encode would', () => {
    assert.equal(deriveStreamId(ALICE, new Uint8Array(32).fill(5)), DERIVED);
  });
});

/** keccak256(abi.encode("zgkv", 0xa1…a1, 0x05…05)), computed with ethers 6.13.1. */
const DERIVED = '0xb9487273b142548d44694670acde27079c398f5607d757506ee1ffaa624d04c6';

function plainBatch(batch: StreamBatch): unknown {
  return JSON.parse(
    JSON.stringify(batch, (_, value: unknown) =>
      value instanceof Uint8Array
        ? toHex(value)
        : typeof value === 'bigint'
          ? String(value)
          : value,
    ),
  );
}
