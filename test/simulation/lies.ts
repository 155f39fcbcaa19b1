import { P2pRefusal } from '@cairn/node-runtime/p2p';
import type { Rng } from '@cairn/primitives';
import { RECORDS_PROTOCOL, SEGMENTS_PROTOCOL } from '@cairn/wire-protocol/peers';
import type { Manners } from './simulated-network.ts';

type Lie = (reply: Uint8Array, rng: Rng) => Uint8Array;

const LIES: readonly { readonly protocol: string; readonly lie: Lie }[] = [
  { protocol: SEGMENTS_PROTOCOL.id, lie: flipped },
  { protocol: SEGMENTS_PROTOCOL.id, lie: (reply, rng) => reply.slice(0, rng.below(reply.length)) },
  { protocol: SEGMENTS_PROTOCOL.id, lie: refused },
  { protocol: RECORDS_PROTOCOL.id, lie: flipped },
];

/** How a peer answers that lies now and then, always in the same way. */
export function lyingManners(rng: Rng): Manners {
  const chosen = LIES[rng.below(LIES.length)];
  return {
    answerMs: 20,
    tamper: (protocol, reply) => {
      if (chosen?.protocol !== protocol || rng.below(2) === 0) return reply;
      return chosen.lie(reply, rng);
    },
  };
}

function flipped(reply: Uint8Array, rng: Rng): Uint8Array {
  const bytes = reply.slice();
  const at = rng.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
  return bytes;
}

/** Says that it does not hold what it holds. */
function refused(): never {
  throw new P2pRefusal('SEGMENT_NOT_HELD', 'none of these segments is held here');
}
