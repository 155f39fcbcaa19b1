import { CHUNK_BYTES, SYMBOL_BYTES } from './params.ts';

const CHUNK_SYMBOLS = CHUNK_BYTES / SYMBOL_BYTES;

/** Where the low byte of a row's symbol lies; its high byte lies half a chunk further. */
function lowByteOf(column: number): number {
  return Math.floor(column / CHUNK_SYMBOLS) * CHUNK_BYTES + (column % CHUNK_SYMBOLS);
}

/** The symbol of a row in a column, 0 … rowBytes / 2 − 1. */
export function readSymbol(row: Uint8Array, column: number): number {
  const at = lowByteOf(column);
  return (row[at] ?? 0) | ((row[at + CHUNK_SYMBOLS] ?? 0) << 8);
}

/** Writes a symbol, 0 … 65,535, into a row's column. */
export function writeSymbol(row: Uint8Array, column: number, symbol: number): void {
  const at = lowByteOf(column);
  row[at] = symbol;
  row[at + CHUNK_SYMBOLS] = symbol >> 8;
}
