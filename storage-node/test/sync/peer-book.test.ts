import assert from 'node:assert/strict';
import { chainIdOf, parseAddress } from '@cairn/primitives';
import type { PeerRecord } from '@cairn/wire-protocol/peers';
import { PeerBook } from '../../src/sync/peer-book.ts';

const log = { chainId: chainIdOf(1), flow: parseAddress(`0x${'11'.repeat(20)}`) };
const record = (peer: string, facts: Partial<PeerRecord> = {}): PeerRecord => ({
  ...log,
  peer,
  shard: { id: 0, count: 1 },
  signedAtMs: 1,
  url: 'http://a.example',
  addresses: [],
  ...facts,
});

describe('the book of peers', () => {
  let nowMs = 0;
  let connected: string[] = [];
  const open = (maxPeers = 10): PeerBook =>
    new PeerBook(
      { clock: { monotonic: () => nowMs }, isConnected: (peer) => connected.includes(peer) },
      { maxPeers, maxAtWork: 2 },
    );
  const add = (book: PeerBook, one: PeerRecord): string =>
    book.add({ record: one, bytes: new Uint8Array(1) });
  const holders = (book: PeerBook, segment = 0, sequence = 0): string[] =>
    book.holdersOf(segment, sequence).map(({ peer }) => peer);

  beforeEach(() => {
    nowMs = 0;
    connected = [];
  });

  it('names for a segment the peers whose shard keeps it', () => {
    const book = open();
    add(book, record('whole'));
    add(book, record('even', { shard: { id: 0, count: 2 } }));
    add(book, record('odd', { shard: { id: 1, count: 2 } }));
    assert.deepEqual(holders(book, 4).sort(), ['even', 'whole']);
    assert.deepEqual(holders(book, 5).sort(), ['odd', 'whole']);
  });

  it('knows the bytes of the records that it holds, and no others', () => {
    const book = open();
    const first = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const alike = Uint8Array.of(9, 2, 3, 4, 5, 6, 7, 8); // the same end
    book.add({ record: record('a'), bytes: first });
    assert.equal(book.ownerOf(first.slice()), 'a');
    assert.equal(book.ownerOf(alike), undefined);
    assert.equal(book.ownerOf(new Uint8Array(0)), undefined);
    book.add({ record: record('b'), bytes: alike });
    assert.equal(book.ownerOf(alike.slice()), 'b');
    assert.ok([undefined, 'a'].includes(book.ownerOf(first))); // read anew where two end alike
    const later = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
    book.add({ record: record('b', { signedAtMs: 2 }), bytes: later });
    assert.equal(book.ownerOf(alike), undefined);
    assert.equal(book.ownerOf(later), 'b');
    book.ban('b', 1000);
    assert.equal(book.ownerOf(later), undefined);
  });

  it('moves a peer to the shard of its later record, and keeps that against an earlier one', () => {
    const book = open();
    assert.equal(add(book, record('a', { signedAtMs: 5 })), 'new');
    assert.equal(add(book, record('a', { signedAtMs: 6 })), 'known');
    assert.equal(add(book, record('a', { signedAtMs: 7, shard: { id: 1, count: 2 } })), 'new');
    assert.equal(add(book, record('a', { signedAtMs: 6 })), 'known');
    assert.deepEqual(holders(book, 0), []);
    assert.deepEqual(holders(book, 1), ['a']);
    assert.equal(book.size, 1);
  });

  it('asks the peer that answers sooner, and spreads questions over those that are at work', () => {
    const book = open();
    add(book, record('slow'));
    add(book, record('quick'));
    for (let round = 0; round < 20; round += 1) {
      book.begin('slow');
      book.end('slow', 'gave', 100);
      book.begin('quick');
      book.end('quick', 'gave', 70);
    }
    assert.deepEqual(holders(book), ['quick', 'slow']);
    book.begin('quick');
    assert.deepEqual(holders(book), ['slow', 'quick']);
    book.begin('quick');
    assert.deepEqual(holders(book), ['slow']);
    book.begin('slow');
    book.begin('slow');
    assert.deepEqual(holders(book), []);
    assert.equal(book.hasBusyHolder(0, 0), true);
  });

  it('lets a peer that fails rest longer each time, until it is met again', () => {
    const book = open();
    add(book, record('a'));
    const fail = (): void => {
      book.begin('a');
      book.end('a', 'failed', 0);
    };
    fail();
    assert.deepEqual(holders(book), []);
    nowMs = 1000;
    assert.deepEqual(holders(book), ['a']);
    fail();
    nowMs = 2999;
    assert.deepEqual(holders(book), []);
    nowMs = 3000;
    assert.deepEqual(holders(book), ['a']);
    fail();
    book.noteConnected('a');
    assert.deepEqual(holders(book), ['a']);
  });

  it('does not ask again soon for what a peer lacks, unless it says that it holds it', () => {
    const book = open();
    add(book, record('a'));
    book.noteAbsent('a', 7);
    assert.deepEqual(holders(book, 0, 7), []);
    assert.deepEqual(holders(book, 0, 8), ['a']);
    book.notePresent('a', 7);
    assert.deepEqual(holders(book, 0, 7), ['a']);
    book.noteAbsent('a', 7);
    nowMs = 15_000;
    assert.deepEqual(holders(book, 0, 7), ['a']);
  });

  it('asks a peer without any address only while there is a connection to it', () => {
    const book = open();
    add(book, record('hidden', { url: undefined }));
    assert.deepEqual(holders(book), []);
    connected = ['hidden'];
    assert.deepEqual(holders(book), ['hidden']);
  });

  it('takes no record of a peer that is kept out, until the time is over', () => {
    const book = open();
    add(book, record('liar'));
    book.ban('liar', 60_000);
    add(book, record('liar', { signedAtMs: 9 }));
    assert.deepEqual([book.size, book.banned, holders(book)], [0, 1, []]);
    nowMs = 60_000;
    assert.equal(add(book, record('liar', { signedAtMs: 10 })), 'new');
    assert.deepEqual(holders(book), ['liar']);
  });

  it('drops those that never gave anything when names flood in', () => {
    const book = open(10);
    add(book, record('good'));
    book.begin('good');
    book.end('good', 'gave', 10);
    for (let at = 0; at < 1000; at += 1) add(book, record(`flood ${at}`));
    assert.equal(book.size, 10);
    assert.ok(book.recordOf('good') !== undefined);
    assert.ok(holders(book).length <= 10);
  });
});
