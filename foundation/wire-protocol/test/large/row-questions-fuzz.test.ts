import assert from 'node:assert/strict';
import { concatBytes, isFault, type Rng, rootOf, seededRng } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import {
  encodeHeldRequest,
  encodeRowRequest,
  isPeerAddress,
  parseHeldRequest,
  parseRowRequest,
  parseSignerSocket,
} from '../../src/da/index.ts';

const SEED = seedOf(52_602);
const RUNS = runsOf(200_000);

describe('questions to signers that are not as they were asked', () => {
  it(`are read one way only, or refused by a fault of wires (seed ${SEED})`, () => {
    const rng = seededRng(SEED);
    for (let run = 0; run < RUNS; run += 1) {
      const commitment = rootOf(rng.fill(new Uint8Array(32)));
      const indexes = Array.from({ length: 1 + rng.below(8) }, (_, at) => at * 7 + rng.below(7));
      const rows = encodeRowRequest({ commitment, indexes, form: 'bare' });
      const held = encodeHeldRequest(commitment);
      check(mutated(rng, rows), (bytes) => encodeRowRequest(parseRowRequest(bytes)), run);
      check(mutated(rng, held), (bytes) => encodeHeldRequest(parseHeldRequest(bytes)), run);
    }
  });

  it(`nor are sockets taken for what they are not (seed ${SEED})`, () => {
    const rng = seededRng(SEED + 1);
    const peer = '/p2p/12D3KooWEDCXVTF8Z9WCgCeobcJWa3fnG1Y8RhhH3WZWDcYUEQwm';
    const starts = [
      `/ip4/192.0.2.7/tcp/3202${peer}`,
      'https://signer.example:3201/da',
      `/dns4/a/tcp/1/ws${peer}`,
    ];
    for (let run = 0; run < RUNS; run += 1) {
      const start = starts[rng.below(starts.length)] ?? '';
      const at = rng.below(start.length);
      const odd = String.fromCharCode(rng.below(4) === 0 ? rng.below(65_536) : rng.below(128));
      const text = `${start.slice(0, at)}${odd}${start.slice(at + rng.below(3))}`;
      const socket = parseSignerSocket(text);
      if (socket?.kind === 'p2p') assert.ok(isPeerAddress(text) && socket.address === text);
      if (socket?.kind === 'http') assert.match(socket.url, /^https?:\/\/[^\s]+$/);
    }
  });
});

function check(bytes: Uint8Array, again: (bytes: Uint8Array) => Uint8Array, run: number): void {
  try {
    assert.deepEqual(again(bytes), bytes, `run ${run} (seed ${SEED})`);
  } catch (error) {
    const isWire = isFault(error) && error.code.startsWith('WIRE_');
    assert.ok(isWire, `run ${run} (seed ${SEED}): ${String(error)}`);
  }
}

/** A byte or two changed, cut or made longer; one in eight is left as it is. */
function mutated(rng: Rng, bytes: Uint8Array): Uint8Array {
  const kind = rng.below(8);
  if (kind === 0) return bytes;
  if (kind === 1) return bytes.subarray(0, rng.below(bytes.length));
  if (kind === 2) return concatBytes(bytes, rng.fill(new Uint8Array(1 + rng.below(20))));
  const changed = bytes.slice();
  for (let left = 1 + rng.below(2); left > 0; left -= 1) {
    changed[rng.below(bytes.length)] = rng.below(256);
  }
  return changed;
}
