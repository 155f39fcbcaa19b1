import {
  type Address,
  keccak256,
  MAX_NODE_HEIGHT,
  MAX_SUBMISSION_NODES,
  type SubmissionNode,
  toHex,
} from '@cairn/primitives';
import { encodeCall } from '../client/abi.ts';
import { BATCH_SUBMIT, SUBMIT } from './abi.ts';
import { FlowError } from './errors.ts';

/** What is submitted for one file. */
export interface FlowSubmission {
  readonly sizeBytes: number;
  /** Free bytes; the key-value layer puts stream ids here. */
  readonly tags: Uint8Array;
  /** One to four, of strictly falling height. */
  readonly nodes: readonly SubmissionNode[];
  /** Whom the log names as submitter; need not be who pays. */
  readonly submitter: Address;
}

/** Submissions of one transaction: 32 cost about 10 million gas, a third of a small chain's block. */
export const MAX_BATCH_SUBMISSIONS = 32;

/**
 * Sectors that a submission is charged for: the sum over its nodes, exact at any height.
 *
 * @throws {FlowError} FLOW_NODES for a layout that no file has
 */
export function chargedSectors(nodes: readonly SubmissionNode[]): bigint {
  if (nodes.length < 1 || nodes.length > MAX_SUBMISSION_NODES) {
    throw badNodes(`${nodes.length} nodes, not 1 to ${MAX_SUBMISSION_NODES}`);
  }
  let sectors = 0n;
  let previous = MAX_NODE_HEIGHT;
  for (const { height, root } of nodes) {
    if (!Number.isSafeInteger(height) || height < 0 || height >= previous) {
      throw badNodes(`a node of height ${height} after one of ${previous}`);
    }
    if (root.length !== 32) throw badNodes(`a node's root has ${root.length} bytes`);
    sectors += 2n ** BigInt(height);
    previous = height;
  }
  return sectors;
}

/** Calldata of `submit` for one submission, of `batchSubmit` for several. @throws {FlowError} */
export function encodeSubmissions(submissions: readonly FlowSubmission[]): Uint8Array {
  const [first] = submissions;
  if (first === undefined || submissions.length > MAX_BATCH_SUBMISSIONS) {
    throw new FlowError(
      {
        code: 'FLOW_BATCH_SIZE',
        submissions: submissions.length,
        largest: MAX_BATCH_SUBMISSIONS,
      },
      `a transaction takes 1 to ${MAX_BATCH_SUBMISSIONS} submissions, not ${submissions.length}`,
    );
  }
  for (const { nodes } of submissions) chargedSectors(nodes);
  return submissions.length === 1
    ? encodeCall(SUBMIT, [tupleOf(first)])
    : encodeCall(BATCH_SUBMIT, [submissions.map(tupleOf)]);
}

/** The intent of submitting exactly this: the same files of the same submitter are one payment. */
export function intentOf(flow: Address, calldata: Uint8Array): string {
  return `submit:${flow}:${toHex(keccak256(calldata))}`;
}

function tupleOf({ sizeBytes, tags, nodes, submitter }: FlowSubmission): unknown[] {
  const pairs = nodes.map(({ root, height }) => [toHex(root), height]);
  return [[sizeBytes, toHex(tags), pairs], submitter];
}

function badNodes(reason: string): FlowError {
  return new FlowError({ code: 'FLOW_NODES', reason }, `these nodes are no file's: ${reason}`);
}
