import assert from 'node:assert/strict';
import {
  chainIdOf,
  isFault,
  parseAddress,
  parseRoot,
  seededRng,
  sequenceOf,
} from '@cairn/primitives';
import fc from 'fast-check';
import { mutate } from '../../../../test/support/mutate.ts';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import {
  encodeFileAnnouncement,
  encodePeerRecord,
  encodeRecords,
  encodeSegmentQuestion,
  encodeSignedRecord,
  FILE_ANNOUNCEMENT_BYTES,
  MAX_RECORD_BYTES,
  type PeerRecord,
  parseFileAnnouncement,
  parseSegmentQuestion,
  parseSignedRecord,
  splitRecords,
} from '../../src/peers/index.ts';

const SEED = seedOf(71_204);
const PEER = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X';
const log = { chainId: chainIdOf(31_337), flow: parseAddress(`0x${'a1'.repeat(20)}`) };
const root = parseRoot(`0x${'7c'.repeat(32)}`);
const record: PeerRecord = {
  ...log,
  peer: PEER,
  shard: { id: 1, count: 4 },
  signedAtMs: 1_790_000_000_000,
  url: 'http://127.0.0.1:5678',
  addresses: [`/ip4/127.0.0.1/tcp/4001/p2p/${PEER}`, `/dns4/a.example/tcp/443/wss/p2p/${PEER}`],
};
const signature = new Uint8Array(64).fill(9);
const signed = encodeSignedRecord(encodePeerRecord(record), signature);

describe('what storage nodes say to each other', () => {
  it('reads a record as it was written, with or without an address', () => {
    for (const one of [record, { ...record, url: undefined, addresses: [] }]) {
      const body = encodePeerRecord(one);
      const read = parseSignedRecord(encodeSignedRecord(body, signature));
      assert.deepEqual(read.record, one);
      assert.deepEqual([...read.body], [...body]);
      assert.deepEqual([...read.signature], [...signature]);
    }
  });

  it('takes no record with an address of another peer, a URL with a tail, or too many of either', () => {
    const others = [
      { ...record, addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${PEER.replace('12D3', '12D4')}`] },
      { ...record, url: 'http://127.0.0.1:5678/' },
      { ...record, url: 'ftp://127.0.0.1' },
      { ...record, peer: 'nobody' },
      { ...record, addresses: Array.from({ length: 5 }, () => record.addresses[0] ?? '') },
    ];
    for (const one of others) {
      assert.throws(
        () => encodePeerRecord(one),
        (error) => isFault(error) && error.code.startsWith('WIRE_'),
      );
    }
  });

  it('keeps the longest record within its bound', () => {
    const url = `http://${'a'.repeat(60)}.example/${'b'.repeat(175)}`;
    const address = `/dns4/${'c'.repeat(90)}/tcp/65535/tls/ws/p2p/${PEER}`;
    const longest = { ...record, url, addresses: [address, address, address, address] };
    const bytes = encodeSignedRecord(encodePeerRecord(longest), signature);
    assert.ok(bytes.length <= MAX_RECORD_BYTES, String(bytes.length));
    assert.deepEqual(parseSignedRecord(bytes).record, longest);
  });

  it('carries up to 32 records in a message', () => {
    const records = Array.from({ length: 32 }, () => signed);
    assert.deepEqual(
      splitRecords(encodeRecords(records)).map((one) => one.length),
      records.map((one) => one.length),
    );
    assert.throws(
      () => encodeRecords([...records, signed]),
      (error) => isFault(error, 'WIRE_TOO_LONG'),
    );
  });

  it('reads announcements and questions as they were written', () => {
    const shards = fc.integer({ min: 0, max: 31 }).chain((power) =>
      fc.record(
        {
          id: fc.integer({ min: 0, max: 2 ** power - 1 }),
          count: fc.constant(2 ** power),
        },
        { noNullPrototype: true },
      ),
    );
    const whole = fc.maxSafeNat();
    fc.assert(
      fc.property(
        shards,
        whole,
        whole,
        fc.array(whole, { minLength: 1, maxLength: 3 }),
        (shard, at, n, indexes) => {
          const news = { ...log, shard, root, sequence: sequenceOf(n), saidAtMs: at };
          const bytes = encodeFileAnnouncement(news);
          assert.equal(bytes.length, FILE_ANNOUNCEMENT_BYTES);
          assert.deepEqual(parseFileAnnouncement(bytes), news);
          const question = { ...log, root, sequence: sequenceOf(n), indexes };
          assert.deepEqual(parseSegmentQuestion(encodeSegmentQuestion(question)), question);
        },
      ),
      { seed: SEED },
    );
  });

  it('refuses damaged messages by name, or reads what says the same again', () => {
    const rng = seededRng(SEED);
    const news = encodeFileAnnouncement({
      ...log,
      shard: record.shard,
      root,
      sequence: sequenceOf(7),
      saidAtMs: 1,
    });
    const question = encodeSegmentQuestion({
      ...log,
      root,
      sequence: sequenceOf(7),
      indexes: [1, 2],
    });
    const cases: readonly [Uint8Array, (bytes: Uint8Array) => Uint8Array][] = [
      [
        signed,
        (bytes) => {
          const read = parseSignedRecord(bytes);
          return encodeSignedRecord(encodePeerRecord(read.record), read.signature);
        },
      ],
      [news, (bytes) => encodeFileAnnouncement(parseFileAnnouncement(bytes))],
      [question, (bytes) => encodeSegmentQuestion(parseSegmentQuestion(bytes))],
      [encodeRecords([signed, signed]), (bytes) => encodeRecords(splitRecords(bytes))],
    ];
    for (let run = 0; run < runsOf(200_000); run += 1) {
      for (const [message, again] of cases) {
        const bytes = mutate(message, rng);
        try {
          assert.deepEqual([...again(bytes)], [...bytes]);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          assert.ok(isFault(error) && /^(WIRE|SHARD)_/.test(error.code), String(error));
        }
      }
    }
  });
});
