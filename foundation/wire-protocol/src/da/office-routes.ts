import type { Address, Root } from '@cairn/primitives';

/** Path of a keeper that takes tickets to be relayed. */
export const TICKETS_PATH = '/v1/da/tickets';

/** Path of the handover that names an epoch, signed by the committee of the one before. */
export function handoverPath(epoch: number): string {
  return `/v1/da/handovers/${epoch}`;
}

/** Path of one signer's vote for the handover that names an epoch. */
export function handoverVotePath(epoch: number): string {
  return `${handoverPath(epoch)}/vote`;
}

/** Path of the headers of a batch, in order. */
export function batchPath(root: Root): string {
  return `/v1/da/batches/${root}`;
}

/** Path of what a member of a quorum got from holders in an epoch; any signer that has it hands it on. */
export function auditPath(place: OfficePlace, auditor: Address): string {
  return `/v1/da/audits/${place.epoch}/${place.quorumId}/${auditor}`;
}

/** Path of the served report of a quorum on its epoch. */
export function reportPath({ epoch, quorumId }: OfficePlace): string {
  return `/v1/da/reports/${epoch}/${quorumId}`;
}

/** Path of the checkpoints that a signer would sign for now. */
export const CHECKPOINTS_PATH = '/v1/da/checkpoints';

/** Path that takes requests to sign a bundle of checkpoints. */
export const CHECKPOINT_VOTES_PATH = '/v1/da/checkpoints/votes';

/** Path that takes requests to sign a served report. */
export const REPORT_VOTES_PATH = '/v1/da/reports/votes';

/** A quorum in the epoch of its office. */
export interface OfficePlace {
  readonly epoch: number;
  readonly quorumId: number;
}
