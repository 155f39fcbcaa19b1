import { combinableRows, extendCombinations, type RowCombiner } from '../combination.ts';
import { multiply } from '../field.ts';
import { CHUNK_BYTES, COMBINATION_BYTES, COMBINATION_SYMBOLS, SYMBOL_BYTES } from '../params.ts';
import { readSymbol } from '../symbols.ts';

const CHUNK_COLUMNS = CHUNK_BYTES / SYMBOL_BYTES;
/** A combination as 32-bit words: two symbols each. */
const WORDS = COMBINATION_BYTES / 4;
/** Products of one column's coefficients with the 16 values of each of a symbol's four nibbles. */
const COLUMN_WORDS = 4 * 16 * WORDS;

/** Rows from which tables are worth making. */
const ROWS_FOR_TABLES = 16;

/**
 * The combiner in plain TypeScript: for each symbol of a row four look-ups of 32 bytes, in 64 KiB of
 * tables made for each chunk; a few rows are multiplied symbol by symbol. What fast ones are
 * checked against, and what runs where they cannot.
 */
export function scalarCombiner(): RowCombiner {
  const scaling = basisProducts();
  const tables = new Uint32Array(CHUNK_COLUMNS * COLUMN_WORDS);
  return {
    name: 'scalar',
    combineRows(given, rowBytes, coefficients) {
      const rows = combinableRows(given, rowBytes, coefficients);
      const words = new Uint32Array(rows.length * WORDS);
      if (rows.length < ROWS_FOR_TABLES) {
        addProducts(words, rows, coefficients);
        return littleEndianBytes(words);
      }
      for (let at = 0; at < rowBytes; at += CHUNK_BYTES) {
        const start = at * COMBINATION_SYMBOLS; // 32 bytes for each 2 of a row
        const chunk = coefficients.subarray(start, start + CHUNK_COLUMNS * COMBINATION_BYTES);
        fillTables(tables, chunk, scaling);
        for (const [index, row] of rows.entries()) addChunk(words, index * WORDS, row, at, tables);
      }
      return littleEndianBytes(words);
    },
    extend: extendCombinations,
  };
}

/** Combines rows product by product. */
function addProducts(
  words: Uint32Array,
  rows: readonly Uint8Array[],
  coefficients: Uint8Array,
): void {
  for (const [index, row] of rows.entries()) {
    for (let column = 0; column < row.length / SYMBOL_BYTES; column += 1) {
      const symbol = readSymbol(row, column);
      for (let k = 0; k < COMBINATION_SYMBOLS; k += 1) {
        const at = column * COMBINATION_BYTES + 2 * k;
        const factor = coefficients[at]! | (coefficients[at + 1]! << 8);
        words[index * WORDS + (k >> 1)]! ^= multiply(symbol, factor) << (16 * (k % 2));
      }
    }
  }
}

/** Adds what one chunk of a row, at byte `at`, gives to its combination, at word `to`. */
function addChunk(
  words: Uint32Array,
  to: number,
  row: Uint8Array,
  at: number,
  tables: Uint32Array,
): void {
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let column = 0; column < CHUNK_COLUMNS; column += 1) {
    const low = row[at + column]!;
    const high = row[at + CHUNK_COLUMNS + column]!;
    const table = column * COLUMN_WORDS;
    const a = table + (low & 15) * WORDS;
    const b = table + (16 + (low >> 4)) * WORDS;
    const c = table + (32 + (high & 15)) * WORDS;
    const d = table + (48 + (high >> 4)) * WORDS;
    s0 ^= tables[a]! ^ tables[b]! ^ tables[c]! ^ tables[d]!;
    s1 ^= tables[a + 1]! ^ tables[b + 1]! ^ tables[c + 1]! ^ tables[d + 1]!;
    s2 ^= tables[a + 2]! ^ tables[b + 2]! ^ tables[c + 2]! ^ tables[d + 2]!;
    s3 ^= tables[a + 3]! ^ tables[b + 3]! ^ tables[c + 3]! ^ tables[d + 3]!;
    s4 ^= tables[a + 4]! ^ tables[b + 4]! ^ tables[c + 4]! ^ tables[d + 4]!;
    s5 ^= tables[a + 5]! ^ tables[b + 5]! ^ tables[c + 5]! ^ tables[d + 5]!;
    s6 ^= tables[a + 6]! ^ tables[b + 6]! ^ tables[c + 6]! ^ tables[d + 6]!;
    s7 ^= tables[a + 7]! ^ tables[b + 7]! ^ tables[c + 7]! ^ tables[d + 7]!;
  }
  words[to]! ^= s0;
  words[to + 1]! ^= s1;
  words[to + 2]! ^= s2;
  words[to + 3]! ^= s3;
  words[to + 4]! ^= s4;
  words[to + 5]! ^= s5;
  words[to + 6]! ^= s6;
  words[to + 7]! ^= s7;
}

/** For each of the chunk's columns, the products of its coefficients with every nibble. */
function fillTables(tables: Uint32Array, coefficients: Uint8Array, scaling: Uint8Array): void {
  for (let column = 0; column < CHUNK_COLUMNS; column += 1) {
    const from = column * COMBINATION_BYTES;
    const table = column * COLUMN_WORDS;
    for (let k = 0; k < COMBINATION_SYMBOLS; k += 1) {
      const plain = coefficients[from + 2 * k]! | (coefficients[from + 2 * k + 1]! << 8);
      const raised = multiply(plain, HIGH_UNIT);
      const shift = 16 * (k % 2);
      const word = table + (k >> 1);
      for (let bit = 0; bit < 8; bit += 1) {
        const at = word + ((bit >> 2) * 16 + (1 << (bit & 3))) * WORDS;
        if (shift === 0) {
          tables[at] = scaled(plain, bit, scaling);
          tables[at + 32 * WORDS] = scaled(raised, bit, scaling);
        } else {
          tables[at]! |= scaled(plain, bit, scaling) << shift;
          tables[at + 32 * WORDS]! |= scaled(raised, bit, scaling) << shift;
        }
      }
    }
    for (let nibble = 0; nibble < 4; nibble += 1) sumUp(tables, table + nibble * 16 * WORDS);
  }
}

/** From the products with 1, 2, 4 and 8 those with all sixteen: multiplying is linear. */
function sumUp(tables: Uint32Array, start: number): void {
  for (let bit = 2; bit < 16; bit *= 2) {
    for (let value = 1; value < bit; value += 1) {
      const to = start + (bit + value) * WORDS;
      for (let word = 0; word < WORDS; word += 1) {
        tables[to + word] =
          tables[start + bit * WORDS + word]! ^ tables[start + value * WORDS + word]!;
      }
    }
  }
}

/** The basis element of a symbol's bit 8: the high byte counts in multiples of it. */
const HIGH_UNIT = 1 << 8;

/** For each basis element of the subfield, its products with all bytes: bit · 256 + byte. */
function basisProducts(): Uint8Array {
  const products = new Uint8Array(8 * 256);
  for (let bit = 0; bit < 8; bit += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      products[bit * 256 + byte] = multiply(1 << bit, byte);
    }
  }
  return products;
}

/** An element times a basis element of the subfield, which acts on its two bytes alike. */
function scaled(element: number, bit: number, scaling: Uint8Array): number {
  return scaling[bit * 256 + (element & 255)]! | (scaling[bit * 256 + (element >> 8)]! << 8);
}

function littleEndianBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return bytes;
}
