/**
 * Writes the AssemblyScript source of the kernels that combine rows; it follows that of the codec.
 *
 * The combination of a row is Σ_j x_j · g_j over its columns, and x_j = Σ_b x_jb · e_b over the
 * sixteen bits of a symbol. Summed up the other way round it is Σ_b e_b · S_b with S_b the sum of
 * those g_j whose symbol has bit b. What makes that fast:
 *
 * - All sixteen S_b are sums of the same g_j: one table of all sums of eight neighbours' serves
 *   sixteen bits of every row. A chunk's four tables, 32 KiB, are made with one addition an entry.
 * - The bits b of sixteen columns come out of a vector of bytes in one instruction, already in the
 *   order that a table is looked up in.
 * - Elements e_b are multiplied with once for each row, not for each column.
 *
 * Few rows do not pay for tables of 256 sums: they take twice as many tables of 16.
 */
import { lookUpOf, nibbles, xor } from './vector-terms.mjs';

/** Columns of a chunk, 32 bytes of coefficients each. */
const COLUMNS = 32;
const ENTRY_BYTES = 32;
/** Columns that one mask of bits covers. */
const MASK_COLUMNS = 16;

/** @param {'strict' | 'relaxed'} build */
export function combinationSource(build) {
  const lookUp = lookUpOf(build);

  /** Where the sums that a mask's bits ask for lie, as offsets into its tables. */
  function entries(mask, bits) {
    const field = (2 ** bits - 1) * ENTRY_BYTES;
    return Array.from({ length: MASK_COLUMNS / bits }, (_, group) => {
      const shift = Math.log2(ENTRY_BYTES) - group * bits;
      return `(${mask} ${shift < 0 ? `>> ${-shift}` : `<< ${shift}`}) & ${field}`;
    });
  }

  /** One bit of a row's low or high bytes: both masks' entries are added to its sum. */
  function addBit(sum, bits, isLast) {
    const tableBytes = ENTRY_BYTES << bits;
    const offsets = [...entries('left', bits), ...entries('right', bits)];
    const steps = offsets.map(
      (offset, table) =>
        `    at = <usize>(${offset});` +
        ` a = ${xor('a', `v128.load(at, TABLES + ${table * tableBytes})`)};` +
        ` b = ${xor('b', `v128.load(at, TABLES + ${table * tableBytes + 16})`)};\n`,
    );
    return (
      '    left = i8x16.bitmask(x); right = i8x16.bitmask(y);\n' +
      (isLast ? '' : '    x = i8x16.add(x, x); y = i8x16.add(y, y);\n') +
      `    a = v128.load(sums, ${sum}); b = v128.load(sums, ${sum + 16});\n` +
      steps.join('') +
      `    v128.store(sums, a, ${sum}); v128.store(sums, b, ${sum + 16});\n`
    );
  }

  /** Adds a chunk of each row to its sums, with tables of `bits` columns. */
  function addChunk(name, bits) {
    let body = '';
    for (const half of [0, 1]) {
      body += `    x = v128.load(p, ${half * COLUMNS}); y = v128.load(p, ${half * COLUMNS + 16});\n`;
      for (let bit = 7; bit >= 0; bit -= 1) {
        body += addBit((half * 8 + bit) * ENTRY_BYTES, bits, bit === 0);
      }
    }
    return `
function add${name}(p: usize, stride: usize, sums: usize, rows: u32): void {
  let x = i64x2.splat(0), y = x, a = x, b = x, left = 0, right = 0, at: usize = 0;
  for (; rows > 0; rows -= 1) {
${body}    p += stride;
    sums += SUMS_BYTES;
  }
}
`;
  }

  const row = ['a', 'b', 'c', 'd'];
  /** The first eight sums of a table, and others from a base: half an entry each. */
  const eight = (base) =>
    Array.from({ length: 8 }, (_, sum) => {
      const term = sum === 0 ? base : base === 'zero' ? `e${sum}` : xor(base, `e${sum}`);
      return `v128.store(to, ${term}, ${sum * ENTRY_BYTES});`;
    }).join(' ');

  const multiplied = row
    .map((name, at) => {
      const offset = (at >> 1) * 256 + (at & 1) * 16;
      return `      x = v128.load(sums, ${offset}); ${name} = ${xor(name, lookUp('product', 'x', nibbles))};\n`;
    })
    .join('');
  const raised = (low, high) =>
    `    x = ${lookUp('folded', high, nibbles)};\n` +
    `    x = i8x16.shuffle(x, ${high}, ${Array.from({ length: 8 }, (_, k) => `${2 * k + 1}, ${16 + 2 * k}`).join(', ')});\n` +
    `    ${low} = ${xor(low, 'x', `v128.and(${high}, odd)`)};\n`;

  return `
// Combinations of rows: see scripts/combination-source.mjs for the why.

/** All sums of neighbouring columns' coefficients, 32 bytes each: four tables of 256, or eight of 16. */
const TABLES: usize = memory.data(32768, 64);
/** For each bit of a row's symbols a sum of 32 bytes. */
const SUMS_BYTES: usize = 512;
/** Rows from which the larger tables are worth making. */
const ROWS_FOR_WIDE: u32 = 20;

/**
 * All sums of 2^bits columns' coefficients, at least three: those of the lowest three columns stay
 * in registers, the others follow in the order of a Gray code, one addition each.
 */
@inline
function fillTable(table: usize, g: usize, bits: u32): void {
  const zero = i64x2.splat(0);
  for (const end = table + 32; table < end; table += 16) {
    const e1 = v128.load(g), e2 = v128.load(g, 32), e4 = v128.load(g, 64);
    const e3 = v128.xor(e1, e2), e5 = v128.xor(e1, e4), e6 = v128.xor(e2, e4), e7 = v128.xor(e3, e4);
    let to = table, base = zero;
    ${eight('zero')}
    for (let step: u32 = 1; step < <u32>1 << (bits - 3); step += 1) {
      base = v128.xor(base, v128.load(g + (<usize>ctz(step) << 5), 96));
      to = table + (<usize>(step ^ (step >> 1)) << 8);
      ${eight('base')}
    }
    g += 16;
  }
}
${addChunk('Wide', 8)}${addChunk('Narrow', 4)}
/**
 * Adds columns of rows, \`stride\` bytes apart, to their sums.
 *
 * @param coefficients - 32 bytes for each column
 * @param sums - 512 bytes for each row
 */
export function addColumns(
  input: usize, stride: usize, width: usize, rows: u32, coefficients: usize, sums: usize,
): void {
  for (const end = input + width; input < end; input += 64) {
    if (rows < ROWS_FOR_WIDE) {
      for (let table: usize = 0; table < 8; table += 1) fillTable(TABLES + (table << 9), coefficients + (table << 7), 4);
      addNarrow(input, stride, sums, rows);
    } else {
      for (let table: usize = 0; table < 4; table += 1) fillTable(TABLES + (table << 13), coefficients + (table << 8), 8);
      addWide(input, stride, sums, rows);
    }
    coefficients += 1024;
  }
}

/** Combinations of rows, 32 bytes each, from their sums. Those of the high bytes count b_8 times. */
export function combineSums(sums: usize, to: usize, rows: u32): void {
  const nibble = v128.load(NIBBLE), odd = i16x8.splat(<i16>0xff00);
  const folded0 = v128.load(PRODUCTS, 32 * 128), folded1 = v128.load(PRODUCTS, 32 * 128 + 16);
  let x = nibble;
  for (; rows > 0; rows -= 1) {
    let ${row.map((name) => `${name} = i64x2.splat(0)`).join(', ')};
    for (let product = PRODUCTS + 32; product <= PRODUCTS + 32 * 128; product += product - PRODUCTS) {
      const product0 = v128.load(product), product1 = v128.load(product, 16);
${multiplied}      sums += 32;
    }
${raised('a', 'c')}${raised('b', 'd')}    v128.store(to, a); v128.store(to, b, 16);
    sums += SUMS_BYTES - 256;
    to += 32;
  }
}

/** Combinations become rows of a chunk that an encoder takes: their symbols are the first columns. */
export function spreadCombinations(from: usize, to: usize, rows: u32): void {
  const zero = i64x2.splat(0);
  for (; rows > 0; rows -= 1) {
    const a = v128.load(from), b = v128.load(from, 16);
    v128.store(to, i8x16.shuffle(a, b, ${Array.from({ length: 16 }, (_, k) => 2 * k).join(', ')}));
    v128.store(to, zero, 16);
    v128.store(to, i8x16.shuffle(a, b, ${Array.from({ length: 16 }, (_, k) => 2 * k + 1).join(', ')}), 32);
    v128.store(to, zero, 48);
    from += 32;
    to += 64;
  }
}

/** Undoes \`spreadCombinations\`. */
export function gatherCombinations(from: usize, to: usize, rows: u32): void {
  for (; rows > 0; rows -= 1) {
    const low = v128.load(from), high = v128.load(from, 32);
    v128.store(to, i8x16.shuffle(low, high, ${Array.from({ length: 8 }, (_, k) => `${k}, ${16 + k}`).join(', ')}));
    v128.store(to, i8x16.shuffle(low, high, ${Array.from({ length: 8 }, (_, k) => `${8 + k}, ${24 + k}`).join(', ')}), 16);
    from += 64;
    to += 32;
  }
}
`;
}
