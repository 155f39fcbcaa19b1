import { CodecError } from './errors.ts';
import { CHUNK_BYTES, MAX_PARITY_COSETS } from './params.ts';
import type { MatrixShape } from './row-codec.ts';

const LARGEST_LOG2K = 12;

/** @throws {CodecError} LAYOUT for a shape that the fast codecs are not laid out for: 2 to 4096 data rows */
export function assertShape({ log2K, dataRows, cosets, rows, rowBytes }: MatrixShape): void {
  const given = { log2K, cosets, dataRows, rows, rowBytes };
  const checks: readonly (readonly [keyof typeof given, boolean])[] = [
    ['log2K', Number.isInteger(log2K) && log2K >= 1 && log2K <= LARGEST_LOG2K],
    ['cosets', Number.isInteger(cosets) && cosets >= 1 && cosets <= MAX_PARITY_COSETS],
    ['dataRows', dataRows === 2 ** log2K],
    ['rows', rows === dataRows * (1 + cosets)],
    ['rowBytes', Number.isInteger(rowBytes) && rowBytes > 0 && rowBytes % CHUNK_BYTES === 0],
  ];
  for (const [field, isRight] of checks) {
    if (isRight) continue;
    throw new CodecError(
      { code: 'LAYOUT', field, actual: given[field] },
      `no matrix of rows has ${field} ${given[field]}`,
    );
  }
}
