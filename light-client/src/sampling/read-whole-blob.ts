import { type ReadOptions, readValue } from '@cairn/erasure-codec';
import type { Address } from '@cairn/primitives';
import { LACKS_ROW, type RowGathering } from './gather-rows.ts';
import { groupByHolder, type RowPlaces } from './row-places.ts';
import type { SampledBlob } from './sampled-blob.ts';
import { reportOf, type SampleVerdict } from './verdict.ts';

/**
 * Rows asked for in each round, as a multiple of those still needed. Three rounds bound the time
 * that holders can take which answer late and little each time.
 */
const ROUNDS = [1, 2, Number.POSITIVE_INFINITY] as const;

/**
 * Reads a blob whole: fetches as many rows as give it back, data rows first, and others in
 * place of those that do not come, then decodes. A holder that fails is not asked again.
 *
 * @throws the signal's reason
 */
export async function readWholeBlob(
  blob: SampledBlob,
  places: RowPlaces,
  gathering: RowGathering,
  options: ReadOptions,
): Promise<SampleVerdict> {
  const { signal } = options;
  const { dataRows, rows } = blob.layout;
  const asked = new Set<number>();
  const failed = new Set<Address>();
  const isUsable = (row: number): boolean => {
    const holder = places.holderOf(row);
    return holder !== undefined && !failed.has(holder) && !asked.has(row);
  };
  for (const multiple of ROUNDS) {
    const needed = dataRows - gathering.rows.size;
    if (needed <= 0 || gathering.badRow !== undefined) break;
    const next = Array.from({ length: rows }, (_, row) => row)
      .filter(isUsable)
      .slice(0, needed * multiple);
    for (const row of next) asked.add(row);
    const wanted = groupByHolder(next, places);
    await gathering.gather(wanted, { signal, onAnswer: async () => undefined });
    for (const { signer, rows } of wanted) {
      const codes = rows.map((row) => gathering.codeOf(row) ?? LACKS_ROW);
      if (codes.some((code) => code !== LACKS_ROW)) failed.add(signer);
    }
  }
  const came = new Set(gathering.rows.keys());
  const odds = { needed: dataRows, rows: places.heldRows };
  const report = reportOf([...asked], came, { gathering, places, ...odds, required: dataRows });
  if (gathering.badRow !== undefined) {
    return { kind: 'badEncoding', evidence: gathering.badRow, report };
  }
  const value = await readValue([...gathering.rows.values()], blob, options);
  if (value.kind === 'unavailable') return { kind: 'unavailable', report };
  return { kind: 'available', confidence: { kind: 'read', value }, report };
}
