import type { Root } from '@cairn/primitives';

/** Path of a signer's status. */
export const DA_STATUS_PATH = '/v1/da/status';
/** Path that takes deliveries. */
export const SLICES_PATH = '/v1/da/slices';
/** Path that takes requests for a vote. */
export const VOTES_PATH = '/v1/da/votes';

/** Forms of a row message that a signer answers with. */
export const ROW_FORMS = ['full', 'bare'] as const;
/** `full` proves itself; `bare` is for who has verified the blob's header before. */
export type RowForm = (typeof ROW_FORMS)[number];

/** Path of the vote that a signer gave for the batch with this root. */
export function votePath(root: Root): string {
  return `${VOTES_PATH}/${root}`;
}

/** Path of what a signer holds of a blob. */
export function heldBlobPath(commitment: Root): string {
  return `/v1/da/blobs/${commitment}`;
}

/** Path of rows of a blob. */
export function rowsPath(
  commitment: Root,
  indexes: readonly number[],
  form: RowForm = 'full',
): string {
  return `/v1/da/blobs/${commitment}/rows?index=${indexes.join(',')}&form=${form}`;
}
