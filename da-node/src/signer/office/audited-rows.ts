import { type Committee, type EpochHeader, quorumsOf } from '@cairn/attestation';
import type { LoggedConfirmation } from '@cairn/chain-access/da';
import type { DrawnRow, PeriodDraw } from './draw-rows.ts';

/**
 * Rows audited in a period for each member of the quorum in office. With eight auditors a row a member looks at 32,
 * however much the network holds: what is drawn, not what is put, would soon be most of its work.
 */
const ROWS_PER_MEMBER = 4;

/** A quorum in office. */
export interface AuditingQuorum {
  readonly office: Pick<EpochHeader, 'snapshotHashes'>;
  readonly quorumId: number;
  readonly committee: { readonly members: Pick<Committee['members'], 'length'> };
}

/**
 * The drawn rows of a period that a quorum audits and reports on: those of its batches with the lowest lines. The
 * same for everyone who has the whole draw.
 */
export function auditedRows(
  { rows }: Pick<PeriodDraw, 'rows'>,
  { office, quorumId, committee }: AuditingQuorum,
): readonly DrawnRow[] {
  return rows
    .filter(({ batch }) => reportingQuorum(batch, office) === quorumId)
    .slice(0, ROWS_PER_MEMBER * committee.members.length);
}

/**
 * The quorum of an epoch that reports on the rows of a batch: the one with the number of the batch's
 * own quorum, counted round where the epoch has fewer.
 */
function reportingQuorum(
  { quorumId }: Pick<LoggedConfirmation, 'quorumId'>,
  office: Pick<EpochHeader, 'snapshotHashes'>,
): number {
  const quorums = quorumsOf(office);
  return quorums === 1 ? 0 : 1 + (Math.max(0, quorumId - 1) % quorums);
}
