import { equalBytes } from '@cairn/primitives';
import { commitMatrix } from './commitment.ts';
import type { ReadOptions } from './read-value.ts';
import type { VerifiedHeader } from './verified-header.ts';
import type { MemberRow } from './verify-row.ts';

/**
 * Where to look for evidence once `readValue` said null: the cosets that hold rows of another codeword
 * than these rows, or of none. A root covers its coset's rows, so every row of the other cosets is of
 * that codeword, and no look at them would show anything.
 *
 * Cost: what `readValue` does, once more.
 *
 * @param rows - at least `layout.dataRows` different ones, all under `header`; if their combinations
 *   hold, so does no row's that differs from their codeword, but for a chance of 2^-256 each
 * @returns cosets in order, 0 that of the data rows; none if the whole is one codeword, which is null
 *   because it is that of no payload
 * @throws {CodecError} as `RowCodec.decode`, for too few rows; the signal's reason
 */
export async function wrongCosets(
  rows: readonly MemberRow[],
  { layout, cosetRoots }: VerifiedHeader,
  options: ReadOptions,
): Promise<number[]> {
  const data = await options.codec.decode(rows, layout, { signal: options.signal });
  const committed = await commitMatrix(data, layout, options);
  committed.held.release();
  return [...committed.cosetRoots.entries()]
    .filter(([coset, root]) => !equalBytes(root, cosetRoots[coset] ?? new Uint8Array()))
    .map(([coset]) => coset);
}
