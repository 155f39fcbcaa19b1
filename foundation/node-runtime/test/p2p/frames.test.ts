import assert from 'node:assert/strict';
import { concatBytes, equalBytes, Fault, isFault, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import {
  encodeFrame,
  encodeOk,
  encodeRefusal,
  FrameReader,
  MAX_SENTENCE_BYTES,
  parseReply,
  replyBound,
} from '../../src/p2p/frames.ts';

const MAX_BYTES = 300;
const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

/** What a reader makes of pieces: messages, and the code it ended with. */
function read(pieces: readonly Uint8Array[]): {
  readonly messages: readonly Uint8Array[];
  readonly code: string | undefined;
} {
  const reader = new FrameReader('request', MAX_BYTES);
  const messages: Uint8Array[] = [];
  for (const piece of pieces) {
    try {
      reader.push(piece);
    } catch (error) {
      assert.ok(error instanceof Fault);
      return { messages, code: error.code };
    }
    const message = reader.take();
    if (message !== undefined) messages.push(message);
  }
  return { messages, code: undefined };
}

/** The pieces that cuts make of bytes. */
function cutAt(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((cut) => cut % (whole.length + 1)), 0, whole.length];
  places.sort((left, right) => left - right);
  return places.slice(1).map((end, at) => whole.slice(places[at], end));
}

describe('frames between hosts', () => {
  it('come out as they went in, whatever the pieces', () => {
    fc.assert(
      fc.property(bytes(MAX_BYTES, 1), fc.array(fc.nat(), { maxLength: 12 }), (message, cuts) => {
        const { messages, code } = read(cutAt(encodeFrame(message), cuts));
        assert.equal(code, undefined);
        assert.equal(messages.length, 1);
        assert.ok(equalBytes(messages[0] ?? new Uint8Array(0), message));
      }),
    );
  });

  it('follow each other on one stream', () => {
    const parts = [1, 2, 3].map((byte) => new Uint8Array(byte * 90).fill(byte));
    assert.deepEqual(read(parts.map(encodeFrame)).messages, parts);
  });

  it('end with the first byte of a message that is too long, and before any of it is kept', () => {
    assert.equal(read([Uint8Array.of(0, 0, 1, 45)]).code, 'P2P_TOO_LONG');
    assert.equal(read([Uint8Array.of(255, 255, 255, 255)]).code, 'P2P_TOO_LONG');
    assert.equal(read([Uint8Array.of(0, 0), Uint8Array.of(0, 0)]).code, 'P2P_FRAME');
    assert.equal(read([encodeFrame(new Uint8Array(MAX_BYTES))]).code, undefined);
  });

  it('end with a second message before the first is answered', () => {
    const twice = concatBytes(encodeFrame(Uint8Array.of(1)), encodeFrame(Uint8Array.of(2)));
    assert.equal(read([twice]).code, 'P2P_FRAME');
  });

  it('take whatever comes for a message or a fault of theirs', () => {
    fc.assert(
      fc.property(fc.array(bytes(40), { maxLength: 20 }), (pieces) => {
        const { messages, code } = read(pieces);
        for (const message of messages) assert.ok(message.length <= MAX_BYTES);
        assert.ok(code === undefined || code === 'P2P_TOO_LONG' || code === 'P2P_FRAME');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('replies of hosts', () => {
  it('give the bytes, or a code and a sentence', () => {
    fc.assert(
      fc.property(bytes(MAX_BYTES), (body) => {
        const reply = parseReply(encodeOk(body), MAX_BYTES);
        assert.ok(reply.kind === 'ok' && equalBytes(reply.body, body));
      }),
    );
    assert.deepEqual(parseReply(encodeRefusal('ROWS_NOT_HELD', 'none is held'), 0), {
      kind: 'refused',
      code: 'ROWS_NOT_HELD',
      sentence: 'none is held',
    });
  });

  it('cut long sentences between characters, tell odd codes as internal, and drop control marks', () => {
    const long = encodeRefusal('A', 'é'.repeat(MAX_SENTENCE_BYTES));
    assert.ok(long.length <= replyBound(0));
    const reply = parseReply(long, 0);
    assert.ok(reply.kind === 'refused' && reply.sentence === 'é'.repeat(MAX_SENTENCE_BYTES / 2));
    const odd = parseReply(encodeRefusal('not a code', 'red \u001b[31m'), 0);
    assert.deepEqual(odd, { kind: 'refused', code: 'INTERNAL', sentence: 'red  [31m' });
  });

  it('are refused above their bound or in no form', () => {
    const isCode = (code: string) => (error: unknown) => isFault(error, code);
    assert.throws(() => parseReply(encodeOk(new Uint8Array(2)), 1), isCode('P2P_TOO_LONG'));
    for (const message of [
      Uint8Array.of(2),
      Uint8Array.of(1),
      Uint8Array.of(1, 9, 65),
      concatBytes(Uint8Array.of(1, 1), utf8Bytes('a')),
    ]) {
      assert.throws(() => parseReply(message, 10), isCode('P2P_FRAME'));
    }
  });

  it('are read or refused, whatever they are', () => {
    fc.assert(
      fc.property(bytes(120, 1), (message) => {
        try {
          parseReply(message, 100);
        } catch (error) {
          assert.ok(isFault(error, 'P2P_FRAME') || isFault(error, 'P2P_TOO_LONG'));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
