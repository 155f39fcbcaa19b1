import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { concatBytes, fromHex, parseAddress, toHex } from '@cairn/primitives';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { decodeBatch } from '../../src/batch/parse-batch.ts';
import { parseStreamId, type StreamId } from '../../src/stream-id.ts';
import { parseTags } from '../../src/tags.ts';
import { kvVectors, vectorControls, vectorReads, vectorWrites } from '../support/vectors.ts';

const bare = (bytes: Uint8Array): string => toHex(bytes).slice(2);

describe('batches of the official clients', () => {
  const { encoding, goBuilderVector, quirks } = kvVectors();

  for (const vector of encoding) {
    it(`${vector.name}: the same bytes and tags, and read back the same`, () => {
      const builder = new BatchBuilder(BigInt(vector.version ?? 3));
      for (const { stream, key } of vectorReads(vector)) builder.read(stream, key);
      for (const { stream, key, value } of vectorWrites(vector)) builder.put(stream, key, value);
      for (const control of vectorControls(vector)) builder.control(control);
      const { bytes, tags, batch } = builder.build();
      assert.equal(bytes.length, vector.length);
      if (vector.hex !== undefined) assert.equal(bare(bytes), vector.hex);
      if (vector.sha256 !== undefined) {
        assert.equal(bare(bytes.subarray(0, 256)), vector.head256);
        assert.equal(createHash('sha256').update(bytes).digest('hex'), vector.sha256);
      }
      assert.equal(bare(tags), vector.tags);
      const decoded = decodeBatch(bytes);
      assert.equal(decoded.version, batch.version);
      assert.equal(decoded.writes.length, batch.writes.length);
      assert.deepEqual(decoded.controls.map(plain), batch.controls.map(plain));
      const { writes } = decoded;
      assert.ok(
        writes.every(
          ({ value }, at) =>
            Buffer.compare(value, batch.writes[at]?.value ?? Buffer.alloc(0)) === 0,
        ),
      );
    });
  }

  it('the Go client’s builder test, byte for byte', () => {
    const stream = (number: number): StreamId =>
      parseStreamId(`0x${number.toString(16).padStart(64, '0')}`);
    const key = (length: number): Uint8Array => new Uint8Array(length).fill(0x41);
    const decoded = decodeBatch(fromHex(goBuilderVector.hex));
    assert.equal(decoded.version, 10n);
    const builder = new BatchBuilder(10n);
    for (let index = 1; index <= 10; index += 1) builder.read(stream(index), key(index));
    for (let index = 1; index <= 20; index += 1) {
      const value = new Uint8Array(index - 1).fill(0x41 + index - 1);
      builder.put(stream(10 + index), key(10 + index), value);
    }
    for (const control of decoded.controls) builder.control(control);
    assert.equal(decoded.controls.length, 10);
    assert.equal(
      decoded.controls[0]?.account,
      parseAddress(`0x${(10_000_001).toString(16).padStart(40, '0')}`),
    );
    const { bytes, tags } = builder.build();
    assert.equal(bytes.length, goBuilderVector.length);
    assert.equal(bare(bytes), goBuilderVector.hex);
    assert.equal(bare(tags), goBuilderVector.tags);
  });

  it('reads what official builders make of short ids and of one id in two cases', () => {
    const found = quirks.flatMap(({ blob, tags }) => (blob === undefined ? [] : [{ blob, tags }]));
    assert.equal(found.length, 2);
    const [padded, twice] = found.map(({ blob, tags = '' }) => ({
      batch: decodeBatch(fromHex(blob)),
      streams: parseTags(fromHex(tags)),
    }));
    assert.equal(padded?.batch.writes[0]?.stream, `0x01${'0'.repeat(62)}`);
    assert.deepEqual(padded?.streams, [`0x01${'0'.repeat(62)}`]);
    assert.equal(twice?.batch.writes.length, 2);
    assert.deepEqual(twice?.streams, [`0x${'ab'.repeat(32)}`]);
  });
});

function plain(control: { readonly key?: Uint8Array }): unknown {
  return {
    ...control,
    key: control.key === undefined ? undefined : toHex(concatBytes(control.key)),
  };
}
