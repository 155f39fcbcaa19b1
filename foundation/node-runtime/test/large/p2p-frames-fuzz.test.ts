import assert from 'node:assert/strict';
import { concatBytes, isFault, type Rng, seededRng } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import {
  encodeFrame,
  encodeOk,
  encodeRefusal,
  FrameReader,
  parseReply,
  replyBound,
} from '../../src/p2p/frames.ts';

const SEED = seedOf(52_601);
const RUNS = runsOf(200_000);
const MAX_BYTES = 256;

describe('what comes between libp2p hosts', () => {
  it(`is a message in bounds, or a fault of frames, and never held beyond one message (seed ${SEED})`, () => {
    const rng = seededRng(SEED);
    for (let run = 0; run < RUNS; run += 1) {
      const stream = mutated(rng, concatBytes(encodeFrame(reply(rng)), encodeFrame(reply(rng))));
      try {
        readAll(rng, stream);
      } catch (error) {
        const isOurs = isFault(error, 'P2P_FRAME') || isFault(error, 'P2P_TOO_LONG');
        assert.ok(isOurs, `run ${run} (seed ${SEED}): ${String(error)}`);
      }
    }
  });

  it(`has one reading each (seed ${SEED})`, () => {
    const rng = seededRng(SEED + 1);
    for (let run = 0; run < RUNS; run += 1) {
      const message = mutated(rng, reply(rng));
      if (message.length === 0) continue;
      try {
        const read = parseReply(message, MAX_BYTES);
        if (read.kind === 'ok') assert.deepEqual(encodeOk(read.body), message);
        else assert.match(read.code, /^[A-Z0-9_]{1,64}$/);
      } catch (error) {
        const isOurs = isFault(error, 'P2P_FRAME') || isFault(error, 'P2P_TOO_LONG');
        assert.ok(isOurs, `run ${run} (seed ${SEED}): ${String(error)}`);
      }
    }
  });
});

/** Reads a stream that comes in pieces of any length, a message at a time. */
function readAll(rng: Rng, stream: Uint8Array): void {
  const reader = new FrameReader('reply', replyBound(MAX_BYTES));
  for (let at = 0; at < stream.length; ) {
    const end = Math.min(stream.length, at + 1 + rng.below(64));
    reader.push(stream.subarray(at, end));
    at = end;
    const message = reader.take();
    if (message === undefined) continue;
    assert.ok(message.length > 0 && message.length <= replyBound(MAX_BYTES));
    parseReply(message, MAX_BYTES);
  }
}

function reply(rng: Rng): Uint8Array {
  const body = rng.fill(new Uint8Array(rng.below(MAX_BYTES)));
  return rng.below(2) === 0 ? encodeOk(body) : encodeRefusal('ROWS_NOT_HELD', 'no row is held');
}

/** Some bytes changed, some bits turned over, cut or made longer; one in eight is left as it is. */
function mutated(rng: Rng, bytes: Uint8Array): Uint8Array {
  const kind = rng.below(8);
  if (kind === 0) return bytes;
  if (kind === 1) return bytes.subarray(0, rng.below(bytes.length));
  if (kind === 2) return concatBytes(bytes, rng.fill(new Uint8Array(rng.below(20))));
  const changed = bytes.slice();
  for (let left = 1 + rng.below(3); left > 0; left -= 1) {
    const at = rng.below(kind < 6 ? Math.min(8, bytes.length) : bytes.length);
    changed[at] = rng.below(256);
  }
  return changed;
}
