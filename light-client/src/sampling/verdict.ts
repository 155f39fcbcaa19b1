import type { BlobValue, VerifiedBadRow } from '@cairn/erasure-codec';
import type { Address } from '@cairn/primitives';
import type { RowGathering } from './gather-rows.ts';
import type { RowPlaces } from './row-places.ts';

/** A row that came, and who gave it. */
export interface AnsweredRow {
  readonly index: number;
  readonly holder: Address | undefined;
}

/** A row that was asked for and did not come. */
export interface MissingRow {
  readonly index: number;
  readonly holder: Address | undefined;
  /**
   * Why: the code of a transport, wire or codec fault, DEADLINE_PASSED, HOLDER_NO_ADDRESS,
   * HOLDER_ANSWER, `HOLDER_LACKS_ROW` for an answer without the row, or `NOT_ASKED`.
   */
  readonly code: string;
}

/** How a sample went, whatever its verdict. */
export interface SampleReport {
  /** Rows asked for. */
  readonly drawn: number;
  /** Rows that came and hold. */
  readonly answered: number;
  /** Rows that had to. */
  readonly required: number;
  /** Rows that the draw was made from, and those of them that give the blob back. */
  readonly rows: number;
  readonly needed: number;
  /** Members that gave a row. */
  readonly holders: number;
  /** The rows that came, in the order of the draw. */
  readonly came: readonly AnsweredRow[];
  /** Rows that did not come: not evidence, since nobody else saw it. Another route may reach them. */
  readonly missing: readonly MissingRow[];
}

/** What is known of a blob that was read whole. */
export type ReadBlobValue = Exclude<BlobValue, { readonly kind: 'unavailable' }>;

/** How sure it is that enough rows are served for everyone to reach one value. */
export type Confidence =
  /** If they were not, a sample would go like this with a probability of at most 2^-bits. */
  | { readonly kind: 'sampled'; readonly bits: number }
  /**
   * They came, all that are needed, and this is the value: a payload, or null where no row that shows
   * it could be had. That is so too of a codeword of no payload, in which every row holds.
   */
  | { readonly kind: 'read'; readonly value: ReadBlobValue };

/** What asking for a blob came to. */
export type SampleVerdict =
  | {
      readonly kind: 'available';
      readonly confidence: Confidence;
      readonly report: SampleReport;
    }
  /** To whoever asked: too few rows came. */
  | { readonly kind: 'unavailable'; readonly report: SampleReport }
  /** Its maker committed to rows of no codeword: it has no value, which the evidence shows to anyone. */
  | {
      readonly kind: 'badEncoding';
      readonly evidence: VerifiedBadRow;
      readonly report: SampleReport;
    };

/** What a report is made of beside the rows. */
export interface ReportParts {
  readonly gathering: Pick<RowGathering, 'codeOf'>;
  readonly places: Pick<RowPlaces, 'holderOf'>;
  readonly rows: number;
  readonly needed: number;
  readonly required: number;
}

/** The report of a sample: rows drawn, those of them that came, and why the others did not. */
export function reportOf(
  drawn: readonly number[],
  came: ReadonlySet<number>,
  { gathering, places, rows, needed, required }: ReportParts,
): SampleReport {
  const missing = drawn
    .filter((index) => !came.has(index))
    .map((index) => ({
      index,
      holder: places.holderOf(index),
      code: gathering.codeOf(index) ?? 'NOT_ASKED',
    }));
  const answered = drawn
    .filter((index) => came.has(index))
    .map((index) => ({ index, holder: places.holderOf(index) }));
  const holders = new Set(answered.map(({ holder }) => holder)).size;
  const counts = { drawn: drawn.length, answered: came.size, required, rows, needed, holders };
  return { ...counts, came: answered, missing };
}
