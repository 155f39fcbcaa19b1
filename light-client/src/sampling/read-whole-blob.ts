import { type ReadOptions, readValue, wrongCosets } from '@cairn/erasure-codec';
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
 * Where the rows hold and no payload has the commitment, others are wrong, or all are a codeword of
 * no payload. In one more round the rows of the cosets that differ are asked for, each once, until
 * one is evidence. If none comes, as when just the rows that hold are served, the answer is
 * `available` with null: true and final, but nothing for others to check short of the rows.
 *
 * @throws the signal's reason
 */
export async function readWholeBlob(
  blob: SampledBlob,
  places: RowPlaces,
  gathering: RowGathering,
  options: ReadOptions,
): Promise<SampleVerdict> {
  const { dataRows } = blob.layout;
  const asking = new RowAsking(blob, places, gathering, options);
  for (const multiple of ROUNDS) {
    const needed = dataRows - gathering.rows.size;
    if (needed <= 0 || gathering.badRow !== undefined) break;
    await asking.ask(asking.usable().slice(0, needed * multiple));
  }
  const isBad = gathering.badRow !== undefined;
  const value = isBad ? undefined : await readValue([...gathering.rows.values()], blob, options);
  if (value?.kind === 'null') {
    const wrong = await cosetsToSearch(gathering, options);
    await asking.ask(asking.usable().filter((row) => wrong.has(Math.floor(row / dataRows))));
  }
  const came = new Set(gathering.rows.keys());
  const odds = { needed: dataRows, rows: places.heldRows };
  const report = reportOf(asking.asked, came, { gathering, places, ...odds, required: dataRows });
  if (gathering.badRow !== undefined) {
    return { kind: 'badEncoding', evidence: gathering.badRow, report };
  }
  if (value === undefined || value.kind === 'unavailable') return { kind: 'unavailable', report };
  return { kind: 'available', confidence: { kind: 'read', value }, report };
}

async function cosetsToSearch(
  { rows, header }: RowGathering,
  options: ReadOptions,
): Promise<ReadonlySet<number>> {
  if (header === undefined) throw new Error('rows are proven by a header');
  return new Set(await wrongCosets([...rows.values()], header, options));
}

/** Asks for rows of a blob, each once, and holders for as long as they do not fail. */
class RowAsking {
  readonly #blob: SampledBlob;
  readonly #places: RowPlaces;
  readonly #gathering: RowGathering;
  readonly #signal: AbortSignal;
  readonly #asked = new Set<number>();
  readonly #failed = new Set<Address>();

  constructor(
    blob: SampledBlob,
    places: RowPlaces,
    gathering: RowGathering,
    { signal }: Pick<ReadOptions, 'signal'>,
  ) {
    this.#blob = blob;
    this.#places = places;
    this.#gathering = gathering;
    this.#signal = signal;
  }

  /** Rows in the order in which they were asked for. */
  get asked(): readonly number[] {
    return [...this.#asked];
  }

  /** Rows that may still be asked for, data rows first. */
  usable(): number[] {
    return Array.from({ length: this.#blob.layout.rows }, (_, row) => row).filter((row) => {
      const holder = this.#places.holderOf(row);
      return holder !== undefined && !this.#failed.has(holder) && !this.#asked.has(row);
    });
  }

  /** @throws the signal's reason */
  async ask(next: readonly number[]): Promise<void> {
    for (const row of next) this.#asked.add(row);
    const wanted = groupByHolder(next, this.#places);
    const onAnswer = async (): Promise<void> => undefined;
    await this.#gathering.gather(wanted, { signal: this.#signal, onAnswer });
    for (const { signer, rows } of wanted) {
      const codes = rows.map((row) => this.#gathering.codeOf(row) ?? LACKS_ROW);
      if (codes.some((code) => code !== LACKS_ROW)) this.#failed.add(signer);
    }
  }
}
