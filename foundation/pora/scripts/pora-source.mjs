/**
 * Writes the AssemblyScript source of a kernel of random access proofs: scratchpads, seals, and the
 * hashes that an attempt compares. Rules from `src/reference.ts`, permutations from FIPS 202 and
 * RFC 7693.
 *
 * Two shapes come from here: `simd` does two independent things in the halves of 128-bit registers
 * (two nonces' pads, two pieces' seals, two pieces' hashes), `scalar` one. Inside one hash there is
 * little to gain. What makes them fast:
 *
 * - A seal's and a pad's chain stays in registers from one permutation to the next: the four words
 *   that leave a hash are those that enter the next.
 * - Every permutation here takes one block and gives 32 bytes: its first round knows which lanes are
 *   zero, its last computes one row.
 * - BLAKE2b reads its message from a buffer in the first-level cache, to which a block's words are
 *   brought into their lanes and masked by the pad in one pass; only its state is in locals.
 * - Everything lies in the module's memory: segments are read from the disk to where they are hashed.
 */

import { keccakRounds } from '../../commitments/scripts/keccak-rounds.mjs';

/** Attempts prepared at once: 256 KiB of pads, so that pads and a segment stay in the second cache. */
const BATCH = 16;
const PIECES = 64;
const PIECE_BYTES = 4096;
const PAD_BYTES = 16_384;
/** miner id ‖ seal context ‖ position, 32 bytes each. */
const MASK_PROMPT_BYTES = 96;

/** RFC 7693, 2.6: the fractional parts of the square roots of the first eight primes. */
const INITIAL = [
  '0x6a09e667f3bcc908',
  '0xbb67ae8584caa73b',
  '0x3c6ef372fe94f82b',
  '0xa54ff53a5f1d36f1',
  '0x510e527fade682d1',
  '0x9b05688c2b3e6c1f',
  '0x1f83d9abfb41bd6b',
  '0x5be0cd19137e2179',
];
/** 64 bytes of digest, no key, fan-out and depth 1 (RFC 7693, 2.5). */
const PARAMETERS = '0x01010040';
/** Which word of the message enters where, by round (RFC 7693, 2.7). */
const SCHEDULE = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const ROUNDS = 12;
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

const words = (count, line) => Array.from({ length: count }, (_, word) => line(word)).join('');

/** The indices of a swizzle that rotates each 64-bit word right by whole bytes. */
function rotationMask(bytes) {
  const indices = Array.from({ length: 16 }, (_, at) => (at & ~7) | ((at + bytes) & 7));
  return `i8x16(${indices.join(', ')})`;
}

const SIMD_WORDS = {
  add: (...terms) => terms.reduce((sum, term) => `i64x2.add(${sum}, ${term})`),
  splatLoad: (pointer, offset) => `v128.load64_splat(${pointer}, ${offset})`,
  invert: (a) => `v128.not(${a})`,
  // V8 knows the first as one instruction; a swizzle by a constant is one, too.
  rotate: (a, bits) => {
    if (bits === 32) return `i32x4.shuffle(${a}, ${a}, 1, 0, 3, 2)`;
    if (bits === 63) return `v128.or(i64x2.add(${a}, ${a}), i64x2.shr_u(${a}, 63))`;
    return `i8x16.swizzle(${a}, RIGHT_${bits})`;
  },
  masks: `  const RIGHT_24 = ${rotationMask(3)};\n  const RIGHT_16 = ${rotationMask(2)};\n`,
};

const SCALAR_WORDS = {
  add: (...terms) => `(${terms.join(' + ')})`,
  splatLoad: (pointer, offset) => `load<u64>(${pointer}, ${offset})`,
  invert: (a) => `~${a}`,
  rotate: (a, bits) => `rotr<u64>(${a}, ${bits})`,
  masks: '',
};

/** Twelve rounds and what is around them: `H` and the block at `MESSAGE` to `H`. */
function compression(v, w) {
  const message = (word) => v.load('MESSAGE', word * v.bytes);
  const half = ([a, b, c, d], word, byD, byB) =>
    `  v${a} = ${w.add(`v${a}`, `v${b}`, message(word))};\n` +
    `  v${d} = ${v.xor(`v${d}`, `v${a}`)}; v${d} = ${w.rotate(`v${d}`, byD)};\n` +
    `  v${c} = ${w.add(`v${c}`, `v${d}`)};\n` +
    `  v${b} = ${v.xor(`v${b}`, `v${c}`)}; v${b} = ${w.rotate(`v${b}`, byB)};\n`;
  let rounds = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = SCHEDULE[round % SCHEDULE.length];
    for (const [index, quarter] of QUARTERS.entries()) {
      rounds += half(quarter, order[2 * index], 32, 24);
      rounds += half(quarter, order[2 * index + 1], 16, 63);
    }
  }
  return `function compress(bytes: u64, isLast: bool): void {
${w.masks}${words(8, (i) => `  let v${i} = ${v.load('H', i * v.bytes)};\n`)}${words(8, (i) => `  let v${i + 8}: ${v.type} = ${v.constant(INITIAL[i])};\n`)}  v12 = ${v.xor('v12', v.type === 'v128' ? 'i64x2.splat(<i64>bytes)' : 'bytes')};
  if (isLast) v14 = ${w.invert('v14')};
${rounds}${words(8, (i) => `  ${v.store('H', v.xor(v.load('H', i * v.bytes), v.xor(`v${i}`, `v${i + 8}`)), i * v.bytes)}\n`)}}`;
}

/** @param {'simd' | 'scalar'} name */
export function poraSource(name) {
  const { v, lanes, declare, constants, absorb, pad, permuteFresh } = keccakRounds(name);
  const w = name === 'simd' ? SIMD_WORDS : SCALAR_WORDS;
  const isPair = lanes === 2;

  /** Two words at `from` (and `from2`) to b2 and b3 in their lanes; clobbers b0 and b1. */
  const takeTwo = (from, from2, offset) =>
    isPair
      ? `b0 = v128.load(${from}, ${offset}); b1 = v128.load(${from2}, ${offset});` +
        ' b2 = i64x2.shuffle(b0, b1, 0, 2); b3 = i64x2.shuffle(b0, b1, 1, 3);'
      : `b2 = load<u64>(${from}, ${offset}); b3 = load<u64>(${from}, ${offset + 8});`;
  const giveTwo = (to, to2, x, y, offset) =>
    isPair
      ? `v128.store(${to}, i64x2.shuffle(${x}, ${y}, 0, 2), ${offset});` +
        ` v128.store(${to2}, i64x2.shuffle(${x}, ${y}, 1, 3), ${offset});`
      : `store<u64>(${to}, ${x}, ${offset}); store<u64>(${to}, ${y}, ${offset + 8});`;
  const wordParameters = (name2, meaning) => (isPair ? `${name2}: usize${meaning}` : '');

  /** One step of a seal's chain: the words in hand leave, sealed ones become the next message. */
  const chainStep = [0, 2]
    .map((x) => {
      const sealed = [`b2 = ${v.xor('b2', `c${x}`)};`, `b3 = ${v.xor('b3', `c${x + 1}`)};`];
      return (
        `    ${takeTwo('p', 'q', x * 8)}\n` +
        `    if (isSealing) { ${sealed.join(' ')} ${giveTwo('p', 'q', 'b2', 'b3', x * 8)} }\n` +
        `    else { d0 = ${v.xor('b2', `c${x}`)}; d1 = ${v.xor('b3', `c${x + 1}`)}; ${giveTwo('p', 'q', 'd0', 'd1', x * 8)} }\n` +
        `    ${v.store('A', 'b2', x * v.bytes)} ${v.store('A', 'b3', (x + 1) * v.bytes)} c${x} = b2; c${x + 1} = b3;\n`
      );
    })
    .join('');

  const absorbChain = [0, 1, 2, 3, 4, 5, 6, 7]
    .map((lane) => {
      const value = lane < 5 ? 't' : v.xor(`c${lane - 5}`, 't');
      return `    t = ${v.load('CHAIN', lane * v.bytes)}; ${v.store('A', 't', lane * v.bytes)} c${lane % 5} = ${value};\n`;
    })
    .join('');
  const hashChain = `${absorbChain}${pad(8, { fresh: true })}${permuteFresh(8)}`;
  const idle = (pointer, step) =>
    isPair ? `item + 1 < count ? ${pointer} + ${step} : SPARE` : pointer;

  return `// Generated by scripts/pora-source.mjs; do not edit. See there for the why.
// Proofs of random access, ${isPair ? 'two of each at a time' : 'one of each at a time'}.

${constants}/** Attempts that \`prepareAttempts\` takes at once. */
export const BATCH: i32 = ${BATCH};
/** What all attempts hash: miner id, (nonce), sub-task digest, range digest. The host writes it. */
export const PROMPT: usize = memory.data(128, 64);
/** 32 bytes for each attempt, written by the host, and a spare for the idle half of an odd batch. */
export const NONCES: usize = memory.data(${(BATCH + 1) * 32}, 64);
/** What attempts begin with, 64 bytes each. */
export const SEEDS: usize = memory.data(${(BATCH + 1) * 64}, 64);
/** What attempts mask a segment with, 16 KiB each. */
export const PADS: usize = memory.data(${(BATCH + 1) * PAD_BYTES}, 64);
/** What tells attempts which segment to recall, 32 bytes each, big-endian. */
export const RECALLS: usize = memory.data(${(BATCH + 1) * 32}, 64);
/** A segment: 64 pieces of 4 KiB. */
export const SEGMENT: usize = memory.data(${PIECES * PIECE_BYTES}, 64);
/** Bit i, from the lowest of the first byte on: piece i of the segment is there and sealed. */
export const HELD: usize = memory.data(8, 64);
/** A hash wins if it is not above this, 32 bytes big-endian. */
export const THRESHOLD: usize = memory.data(32, 64);
/** The hash that won, 32 bytes. */
export const HASH: usize = memory.data(64, 64);
/** What pieces' first masks hash, ${MASK_PROMPT_BYTES} bytes each. */
export const MASK_PROMPTS: usize = memory.data(${(PIECES + 1) * MASK_PROMPT_BYTES}, 64);
/** A piece for the idle half of an odd last pair. */
const SPARE: usize = memory.data(${PIECE_BYTES}, 64);
/** The 64 bytes in the lanes that a pad's chain is at. */
const CHAIN: usize = memory.data(${8 * v.bytes}, 64);
/** State and message block of BLAKE2b in the lanes. */
const H: usize = memory.data(${8 * v.bytes}, 64);
const MESSAGE: usize = memory.data(${16 * v.bytes}, 64);

/** One compression of BLAKE2b; \`bytes\` of the message with this block. */
${compression(v, w)}

function startHash(): void {
${words(8, (i) => `  ${v.store('H', v.constant(i === 0 ? `(${INITIAL[0]} ^ ${PARAMETERS})` : INITIAL[i]), i * v.bytes)}\n`)}}

/** Words of \`H\` from the lanes to \`to\`${isPair ? ' and `to2`' : ''}. */
@inline function giveHash(to: usize, ${wordParameters('to2', ', ')}pairs: usize): void {
  for (let pair: usize = 0; pair < pairs; pair += 1) {
    const x = ${v.load(`H + pair * ${2 * v.bytes}`, 0)}, y = ${v.load(`H + pair * ${2 * v.bytes}`, v.bytes)};
    ${giveTwo('(to + (pair << 4))', '(to2 + (pair << 4))', 'x', 'y', 0)}
  }
}

/** Seeds of an attempt or two: BLAKE2b-512 of the prompt with their nonces. */
function seed(nonce: usize, ${wordParameters('nonce2', ', ')}to: usize${isPair ? ', to2: usize' : ''}): void {
  let b0: ${v.type} = ${v.zero}, b1: ${v.type} = ${v.zero}, b2: ${v.type} = ${v.zero}, b3: ${v.type} = ${v.zero};
  startHash();
${words(16, (i) => (i >= 4 && i < 8 ? '' : `  ${v.store('MESSAGE', w.splatLoad('PROMPT', i * 8), i * v.bytes)}\n`))}${[4, 6].map((i) => `  ${takeTwo('nonce', 'nonce2', (i - 4) * 8)} ${v.store('MESSAGE', 'b2', i * v.bytes)} ${v.store('MESSAGE', 'b3', (i + 1) * v.bytes)}\n`).join('')}  compress(128, true);
  giveHash(to, ${isPair ? 'to2, ' : ''}4);
}

/** Pads of an attempt or two from their seeds: 256 times two hashes, each of them and the last. */
function fillPad(from: usize, ${wordParameters('from2', ', ')}to: usize, ${wordParameters('to2', ', ')}recall: usize${isPair ? ', recall2: usize' : ''}): void {
${declare}${[0, 2, 4, 6].map((i) => `  ${takeTwo('from', 'from2', i * 8)} ${v.store('CHAIN', 'b2', i * v.bytes)} ${v.store('CHAIN', 'b3', (i + 1) * v.bytes)}\n`).join('')}  for (let cell: usize = 0; cell < ${PAD_BYTES}; cell += 64) {
    for (let half: usize = CHAIN; half < CHAIN + ${8 * v.bytes}; half += ${4 * v.bytes}) {
${hashChain}${words(4, (i) => `      ${v.store('half', `c${i}`, i * v.bytes)}\n`)}    }
${[0, 2, 4, 6].map((i) => `    b0 = ${v.load('CHAIN', i * v.bytes)}; b1 = ${v.load('CHAIN', (i + 1) * v.bytes)}; ${giveTwo('(to + cell)', '(to2 + cell)', 'b0', 'b1', i * 8)}\n`).join('')}  }
${hashChain}${[0, 2].map((i) => `  ${giveTwo('recall', 'recall2', `c${i}`, `c${i + 1}`, i * 8)}\n`).join('')}}

/** Seeds, pads and recalls of the first \`count\` nonces. */
export function prepareAttempts(count: i32): void {
  for (let item: usize = 0; item < <usize>count; item += ${lanes}) {
    const nonce = NONCES + (item << 5), from = SEEDS + (item << 6);
    const to = PADS + (item << 14), recall = RECALLS + (item << 5);
${
  isPair
    ? `    seed(nonce, nonce + 32, from, from + 64);
    fillPad(from, from + 64, to, to + ${PAD_BYTES}, recall, recall + 32);`
    : `    seed(nonce, from);
    fillPad(from, to, recall);`
}
  }
}

/** Hashes of a piece or two, masked by their parts of the pad, to \`HASH\`${isPair ? ', the second one 32 bytes on' : ''}. */
function hashPieces(piece: u64, seed: usize, data: usize, pad: usize): void {
  let b0: ${v.type} = ${v.zero}, b1: ${v.type} = ${v.zero};
  startHash();
${[0, 1, 2, 12, 13, 14, 15].map((i) => `  ${v.store('MESSAGE', v.zero, i * v.bytes)}\n`).join('')}  ${v.store('MESSAGE', isPair ? 'i64x2.replace_lane(i64x2.splat(<i64>bswap<u64>(piece)), 1, <i64>bswap<u64>(piece + 1))' : 'bswap<u64>(piece)', 3 * v.bytes)}
${words(8, (i) => `  ${v.store('MESSAGE', w.splatLoad('seed', i * 8), (i + 4) * v.bytes)}\n`)}  compress(128, false);
  for (let at: usize = 0; at < ${PIECE_BYTES}; at += 128) {
${
  isPair
    ? words(
        8,
        (
          i,
        ) => `    b0 = v128.xor(v128.load(data + at, ${i * 16}), v128.load(pad + at, ${i * 16})); b1 = v128.xor(v128.load(data + at, ${PIECE_BYTES + i * 16}), v128.load(pad + at, ${PIECE_BYTES + i * 16}));
    v128.store(MESSAGE, i64x2.shuffle(b0, b1, 0, 2), ${i * 32}); v128.store(MESSAGE, i64x2.shuffle(b0, b1, 1, 3), ${i * 32 + 16});
`,
      )
    : words(
        16,
        (i) =>
          `    store<u64>(MESSAGE, load<u64>(data + at, ${i * 8}) ^ load<u64>(pad + at, ${i * 8}), ${i * 8});\n`,
      )
}    compress(<u64>(at + 256), at == ${PIECE_BYTES - 128});
  }
  giveHash(HASH, ${isPair ? 'HASH + 32, ' : ''}2);
}

/** Whether the 32 bytes are, as a big-endian number, not above the threshold. */
function wins(hash: usize): bool {
  for (let at: usize = 0; at < 32; at += 8) {
    const ours = bswap<u64>(load<u64>(hash + at)), most = bswap<u64>(load<u64>(THRESHOLD + at));
    if (ours != most) return ours < most;
  }
  return true;
}

@inline function isHeld(piece: i32): bool {
  return (load<u64>(HELD) >> <u64>piece & 1) != 0;
}

/**
 * Looks through the segment's pieces from \`first\` on for one whose hash wins with an attempt's pad.
 *
 * @returns its index, with its hash at \`HASH\`, or -1
 */
export function findPiece(attempt: i32, first: i32): i32 {
  const seed = SEEDS + (<usize>attempt << 6), pad = PADS + (<usize>attempt << 14);
  for (let piece = ${isPair ? 'first & ~1' : 'first'}; piece < ${PIECES}; piece += ${lanes}) {
${
  isPair
    ? `    const isFirst = piece >= first && isHeld(piece), isSecond = isHeld(piece + 1);
    if (!isFirst && !isSecond) continue;
`
    : '    if (!isHeld(piece)) continue;\n'
}    hashPieces(<u64>piece, seed, SEGMENT + (<usize>piece << 12), pad + ((<usize>piece & 3) << 12));
${
  isPair
    ? `    if (isFirst && wins(HASH)) return piece;
    if (isSecond && wins(HASH + 32)) {
      memory.copy(HASH, HASH + 32, 32);
      return piece + 1;
    }`
    : '    if (wins(HASH)) return piece;'
}
  }
  return -1;
}

/** Seals or unseals a piece or two where they are. */
function convert(p0: usize, ${wordParameters('q0', ', ')}prompt: usize, isSealing: bool): void {
${declare}  let p = prompt${isPair ? `, q = prompt + ${MASK_PROMPT_BYTES}` : ''};
${absorb(0, 12, { fresh: true })}${pad(12, { fresh: true })}${permuteFresh(12)}  p = p0;${isPair ? ' q = q0;' : ''}
  const end = p0 + ${PIECE_BYTES};
  while (true) {
${chainStep}    p += 32;${isPair ? ' q += 32;' : ''}
    if (p == end) break; // nothing follows that the last hash would mask
    c4 = ${v.zero};
${pad(4, { fresh: true })}${permuteFresh(4)}  }
}

/** Seals the first \`count\` pieces of the segment, each with its own mask prompt, in place. */
export function sealPieces(count: i32): void {
  convertAll(count, true);
}

/** Undoes \`sealPieces\`. */
export function unsealPieces(count: i32): void {
  convertAll(count, false);
}

@inline function convertAll(count: i32, isSealing: bool): void {
  for (let item: i32 = 0; item < count; item += ${lanes}) {
    const p = SEGMENT + (<usize>item << 12), prompt = MASK_PROMPTS + <usize>item * ${MASK_PROMPT_BYTES};
    ${isPair ? `convert(p, ${idle('p', PIECE_BYTES)}, prompt, isSealing)` : 'convert(p, prompt, isSealing)'};
  }
}
`;
}
