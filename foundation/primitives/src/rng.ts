/** A source of chance. Real nodes take the machine's; tests take a seeded one and print its seed. */
export interface Rng {
  /** Fills and returns `target`. */
  fill(target: Uint8Array): Uint8Array;
  /** A whole number from 0 up to, not including, `bound` (1 … 2^32). */
  below(bound: number): number;
}

/** The machine's cryptographic source of chance. */
export function systemRng(): Rng {
  return rngOver((words) => crypto.getRandomValues(words));
}

/**
 * A repeatable source of chance (xoshiro128**, Blackman and Vigna 2018). Not for keys.
 *
 * @param seed - any safe integer; the same seed gives the same stream for ever
 */
export function seededRng(seed: number): Rng {
  const state = new Uint32Array(4);
  let mixer = seed >>> 0 || 0x9e3779b9;
  mixer ^= Math.floor(seed / 2 ** 32) >>> 0;
  for (let index = 0; index < 4; index += 1) {
    // splitmix32 spreads a small seed over the whole state.
    mixer = (mixer + 0x9e3779b9) >>> 0;
    let word = mixer;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    state[index] = (word ^ (word >>> 15)) >>> 0;
  }
  const next = (): number => {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const n2 = s2 ^ s0;
    const n3 = s3 ^ s1;
    state[0] = s0 ^ n3;
    state[1] = s1 ^ n2;
    state[2] = n2 ^ (s1 << 9);
    state[3] = rotateLeft(n3, 11);
    return result;
  };
  return rngOver((words) => {
    for (let index = 0; index < words.length; index += 1) words[index] = next();
    return words;
  });
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The most words `crypto.getRandomValues` gives in one call (65,536 bytes). */
const WORDS_PER_FILL = 16_384;

function rngOver(fillWords: (words: Uint32Array<ArrayBuffer>) => Uint32Array): Rng {
  const single = new Uint32Array(1);
  return {
    fill(target) {
      for (let offset = 0; offset < target.length; offset += WORDS_PER_FILL * 4) {
        const part = target.subarray(offset, offset + WORDS_PER_FILL * 4);
        const words = new Uint32Array(Math.ceil(part.length / 4));
        fillWords(words);
        part.set(new Uint8Array(words.buffer).subarray(0, part.length));
      }
      return target;
    },
    below(bound) {
      if (!Number.isSafeInteger(bound) || bound < 1 || bound > 2 ** 32) {
        throw new RangeError(`bound must be 1 … 2^32, not ${bound}`);
      }
      const limit = Math.floor(2 ** 32 / bound) * bound;
      for (let attempt = 0; attempt < 1000; attempt += 1) {
        const word = fillWords(single)[0] ?? 0;
        if (word < limit) return word % bound;
      }
      throw new Error('the source of chance keeps returning the same words');
    },
  };
}
