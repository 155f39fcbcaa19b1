import type { Committee } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import { assignRows } from '@cairn/erasure-codec';
import type { Address } from '@cairn/primitives';
import { SampleError } from '../errors.ts';
import type { SampledBlob } from './sampled-blob.ts';

/** Which member of a quorum holds which rows of a blob. */
export interface RowPlaces {
  /** Rows that somebody holds: all but those that rounding leaves over, fewer than there are members. */
  readonly heldRows: number;
  /** The row at a place among them, 0 … heldRows − 1. */
  rowAt(place: number): number;
  /** `undefined` for a row that nobody holds. */
  holderOf(row: number): Address | undefined;
}

/**
 * Places rows as signers do: arcs in the order of members, from an offset that the commitment and
 * the epoch's seed decide.
 *
 * @throws {SampleError} SAMPLE_COMMITTEE for members of another quorum; {CodecError}
 *   QUORUM_TOO_LARGE for more than half as many members as the blob has data rows
 */
export function placeRows(
  blob: SampledBlob,
  { snapshot, members }: Committee,
  suite: Pick<RowSuite, 'digest'>,
): RowPlaces {
  const { quorum, layout, commitment } = blob;
  const { office, quorumId } = snapshot;
  if (quorum !== undefined && (quorum.epoch !== office.epoch || quorum.quorumId !== quorumId)) {
    throw new SampleError(
      { code: 'SAMPLE_COMMITTEE', epoch: office.epoch, quorumId },
      `quorum ${quorum.quorumId} of epoch ${quorum.epoch} certified the blob, not quorum ${quorumId} of epoch ${office.epoch}`,
    );
  }
  const seated = members.map(({ signer, seats }) => ({ id: signer, seats }));
  const arcs = assignRows(seated, layout, { suite, commitment, seed: office.seed });
  const start = arcs[0]?.start ?? 0;
  const ends: number[] = [];
  for (const { count } of arcs) ends.push((ends.at(-1) ?? 0) + count);
  return {
    heldRows: ends.at(-1) ?? 0,
    rowAt: (place) => (start + place) % layout.rows,
    holderOf(row) {
      const place = (row - start + layout.rows) % layout.rows;
      return arcs[ends.findIndex((end) => place < end)]?.id;
    },
  };
}

/** Rows of one holder. */
export interface HolderRows {
  readonly signer: Address;
  readonly rows: readonly number[];
}

/** Rows by who holds them, in the order in which holders first come up. */
export function groupByHolder(rows: readonly number[], places: RowPlaces): HolderRows[] {
  const groups = new Map<Address, number[]>();
  for (const row of rows) {
    const signer = places.holderOf(row);
    if (signer === undefined) continue;
    const group = groups.get(signer) ?? [];
    groups.set(signer, group);
    group.push(row);
  }
  return [...groups].map(([signer, held]) => ({ signer, rows: held }));
}
