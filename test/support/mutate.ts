import type { Rng } from '@cairn/primitives';

/** Numbers that break careless length checks. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];
/** Text that JSON parsers trip over. */
const JSON_SCRAPS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  '1e999',
  '-1',
  '\\u0000',
  '9007199254740993',
  '"__proto__":',
  '"x"',
];

/**
 * A damaged copy of a valid message: bits flipped, bytes set to edges, parts cut, repeated,
 * inserted or swapped; now and then pure chance.
 */
export function mutate(valid: Uint8Array, rng: Rng): Uint8Array {
  if (rng.below(50) === 0) return rng.fill(new Uint8Array(rng.below(400)));
  let bytes: Uint8Array = valid.slice();
  for (let step = rng.below(4); step >= 0; step -= 1) bytes = mutateOnce(bytes, rng);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, rng: Rng): Uint8Array {
  if (bytes.length === 0) return rng.fill(new Uint8Array(1 + rng.below(20)));
  const at = rng.below(bytes.length);
  const part = Math.min(1 + rng.below(16), bytes.length - at);
  switch (rng.below(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
      return bytes;
    case 1:
      bytes.fill(EDGES[rng.below(EDGES.length)] ?? 0, at, at + part);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + part)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at + part), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([
        bytes.subarray(0, at),
        rng.fill(new Uint8Array(part)),
        bytes.subarray(at),
      ]);
    default: {
      const scrap = Buffer.from(JSON_SCRAPS[rng.below(JSON_SCRAPS.length)] ?? '');
      return Buffer.concat([bytes.subarray(0, at), scrap, bytes.subarray(at + part)]);
    }
  }
}
