/**
 * The rounds of keccak-f[1600] as AssemblyScript, from the definitions of FIPS 202: the part that
 * kernels of hashes share. The state is in memory at `A` and `B`, which take turns; the parities
 * of its columns are in the locals c0 … c4. `keccak-source.mjs` says what makes it fast.
 */

/** Offsets of the rho step, by lane x + 5y (FIPS 202, 3.2.2). */
const ROTATIONS = new Array(25).fill(0);
for (let t = 0, x = 1, y = 0; t < 24; t += 1) {
  ROTATIONS[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
  [x, y] = [y, (2 * x + 3 * y) % 5];
}

/** Constants of the iota step, from the shift register of FIPS 202, 3.2.5. */
const ROUND_CONSTANTS = Array.from({ length: 24 }, (_, round) => {
  let constant = 0n;
  for (let j = 0; j <= 6; j += 1) {
    if (registerBit(j + 7 * round)) constant |= 1n << BigInt(2 ** j - 1);
  }
  return `0x${constant.toString(16)}`;
});

function registerBit(steps) {
  let register = 1;
  for (let step = 0; step < steps % 255; step += 1) {
    register <<= 1;
    if (register & 0x100) register ^= 0x171;
  }
  return (register & 1) === 1;
}

/** The lane that the pi step moves to (x, y). */
function laneMovedTo(x, y) {
  for (let from = 0; from < 5; from += 1) {
    if ((2 * from + 3 * x) % 5 === y) return from + 5 * x;
  }
  throw new Error('pi is a permutation');
}

const SIMD = {
  type: 'v128',
  bytes: 16,
  zero: 'i64x2.splat(0)',
  constant: (value) => `i64x2.splat(<i64>${value})`,
  roundConstant: (offset) => `v128.load64_splat(RC + round, ${offset})`,
  load: (pointer, offset) => `v128.load(${pointer}, ${offset})`,
  store: (pointer, value, offset) => `v128.store(${pointer}, ${value}, ${offset});`,
  xor: (a, b) => `v128.xor(${a}, ${b})`,
  andNot: (a, b) => `v128.andnot(${a}, ${b})`,
  rotate: (a, bits) => {
    if (bits === 0) return a;
    if (bits === 1) return `v128.or(i64x2.add(${a}, ${a}), i64x2.shr_u(${a}, 63))`;
    if (bits === 8)
      return `i8x16.shuffle(${a}, ${a}, 7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14)`;
    if (bits === 56)
      return `i8x16.shuffle(${a}, ${a}, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8)`;
    return `v128.or(i64x2.shl(${a}, ${bits}), i64x2.shr_u(${a}, ${64 - bits}))`;
  },
};

const SCALAR = {
  type: 'u64',
  bytes: 8,
  zero: '0',
  constant: (value) => `${value}`,
  roundConstant: (offset) => `load<u64>(RC + round, ${offset})`,
  load: (pointer, offset) => `load<u64>(${pointer}, ${offset})`,
  store: (pointer, value, offset) => `store<u64>(${pointer}, ${value}, ${offset});`,
  xor: (a, b) => `(${a} ^ ${b})`,
  andNot: (a, b) => `(${a} & ~${b})`,
  rotate: (a, bits) => (bits === 0 ? a : `rotl<u64>(${a}, ${bits})`),
};

const FIRST = 0x01;
const LAST = '0x8000000000000000';

/**
 * Writers of a kernel's code, for two states at a time or one.
 *
 * @param {'simd' | 'scalar'} name
 */
export function keccakRounds(name) {
  const lanes = name === 'simd' ? 2 : 1;
  const v = name === 'simd' ? SIMD : SCALAR;
  const registers = ['b', 'c', 'd'].flatMap((letter) =>
    [0, 1, 2, 3, 4].map((x) => `${letter}${x}`),
  );
  const declare = `  let t: ${v.type} = ${v.zero}, ${registers.map((r) => `${r}: ${v.type} = ${v.zero}`).join(', ')};\n`;

  /**
   * One round from buffer `from` to buffer `to`.
   * @param zeroLanes lanes known to be zero: theta leaves just the parity there
   * @param rows 5, or 1 in a hash's last round: the rest of the state is never looked at
   */
  function round(from, to, constant, { zeroLanes = [], rows = 5 } = {}) {
    let code = '';
    for (let x = 0; x < 5; x += 1) {
      code += `    d${x} = ${v.xor(`c${(x + 4) % 5}`, v.rotate(`c${(x + 1) % 5}`, 1))};\n`;
    }
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < 5; x += 1) {
        const lane = laneMovedTo(x, y);
        const parity = `d${lane % 5}`;
        const mixed = zeroLanes.includes(lane)
          ? parity
          : v.xor(v.load(from, lane * v.bytes), parity);
        code += `    b${x} = ${mixed};`;
        if (ROTATIONS[lane] > 0) code += ` b${x} = ${v.rotate(`b${x}`, ROTATIONS[lane])};`;
        code += '\n';
      }
      const width = rows === 1 ? 4 : 5;
      for (let x = 0; x < width; x += 1) {
        let value = v.xor(`b${x}`, v.andNot(`b${(x + 2) % 5}`, `b${(x + 1) % 5}`));
        if (x === 0 && y === 0) value = v.xor(value, constant);
        if (rows === 1) {
          code += `    c${x} = ${value};\n`;
        } else {
          const sum = y === 0 ? 't' : v.xor(`c${x}`, 't');
          code += `    t = ${value}; ${v.store(to, 't', (x + 5 * y) * v.bytes)} c${x} = ${sum};\n`;
        }
      }
    }
    return code;
  }

  function loop(first, count, from, to) {
    return (
      `    for (let round: usize = ${first * 8}; round < ${(first + count) * 8}; round += 16) {\n` +
      `${round(from, to, v.roundConstant(0))}${round(to, from, v.roundConstant(8))}    }\n`
    );
  }

  function constantRound(index, from, to, options) {
    return round(from, to, v.constant(ROUND_CONSTANTS[index]), options);
  }

  /** Takes words `first` … `first + count - 1` of the message into the lanes from 0. */
  function absorb(first, count, { fresh }) {
    let code = '';
    const seen = new Set();
    const take = (lane, value) => {
      const x = lane % 5;
      if (fresh) {
        code += `    ${v.store('A', value, lane * v.bytes)}`;
        code += ` c${x} = ${seen.has(x) ? v.xor(`c${x}`, value) : value};\n`;
      } else {
        code += `    ${v.store('A', v.xor(v.load('A', lane * v.bytes), value), lane * v.bytes)}`;
        code += ` c${x} = ${v.xor(`c${x}`, value)};\n`;
      }
      seen.add(x);
    };
    if (lanes === 1) {
      for (let lane = 0; lane < count; lane += 1) {
        code += `    t = load<u64>(p, ${(first + lane) * 8});\n`;
        take(lane, 't');
      }
      return code;
    }
    for (let lane = 0; lane < count; lane += 2) {
      const offset = (first + lane) * 8;
      if (lane + 1 < count) {
        code += `    b0 = v128.load(p, ${offset}); b1 = v128.load(q, ${offset});\n`;
        code += '    b2 = i64x2.shuffle(b0, b1, 0, 2); b3 = i64x2.shuffle(b0, b1, 1, 3);\n';
        take(lane, 'b2');
        take(lane + 1, 'b3');
      } else {
        code += `    b2 = v128.load64_lane(q, v128.load64_zero(p, ${offset}), 1, ${offset});\n`;
        take(lane, 'b2');
      }
    }
    return code;
  }

  function padding(lane, value, { fresh }) {
    const word = v.constant(value);
    const sum = fresh ? word : v.xor(v.load('A', lane * v.bytes), word);
    return `    ${v.store('A', sum, lane * v.bytes)} c${lane % 5} = ${v.xor(`c${lane % 5}`, word)};\n`;
  }

  function zeroState(from) {
    let code = '';
    for (let lane = from; lane < 25; lane += 1)
      code += `    ${v.store('A', v.zero, lane * v.bytes)}\n`;
    return code;
  }

  /** The padding's first and last word of a message of `lane` words in a fresh state. */
  function pad(lane, { fresh }) {
    return padding(lane, FIRST, { fresh }) + padding(16, LAST, { fresh });
  }

  /** All rounds of a message that takes one block: its `words` words and the padding are in `A`. */
  function permuteFresh(words) {
    const zeroLanes = [...Array(25).keys()].filter((lane) => lane > words && lane !== 16);
    return (
      constantRound(0, 'A', 'B', { zeroLanes }) +
      loop(1, 22, 'B', 'A') +
      constantRound(23, 'B', 'A', { rows: 1 })
    );
  }

  const constants = `const RC: usize = memory.data<u64>([
  ${ROUND_CONSTANTS.join(',\n  ')},
]);
/** The state's two buffers. */
const A: usize = memory.data(${25 * v.bytes}, 64);
const B: usize = memory.data(${25 * v.bytes}, 64);
`;

  return {
    v,
    lanes,
    declare,
    constants,
    loop,
    constantRound,
    absorb,
    pad,
    zeroState,
    permuteFresh,
  };
}
