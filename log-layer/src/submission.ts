import type { Address, SubmissionNode } from '@cairn/primitives';
import type { PreparedFile } from './prepare-file.ts';

/** What the log contract is told about a file: its `Submission`, in our words. */
export interface Submission {
  /** Bytes of the file: the contract's `length`. */
  readonly length: number;
  /** Free bytes, kept on chain; the key-value layer puts stream ids here. */
  readonly tags: Uint8Array;
  readonly nodes: readonly SubmissionNode[];
  readonly submitter: Address;
}

/** The submission of a prepared file. */
export function submissionOf(
  { sizeBytes, nodes }: Pick<PreparedFile, 'sizeBytes' | 'nodes'>,
  tags: Uint8Array,
  submitter: Address,
): Submission {
  return { length: sizeBytes, tags, nodes, submitter };
}

/** Sectors a submission is charged for: 2^height for each node. */
export function chargedSectors({ nodes }: Pick<Submission, 'nodes'>): number {
  return nodes.reduce((sectors, { height }) => sectors + 2 ** height, 0);
}
