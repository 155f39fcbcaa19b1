import {
  type Address,
  assertNatural,
  concatBytes,
  fromHex,
  keccak256,
  parseAddress,
  readSafeU64,
  type Sequence,
  sequenceOf,
  toHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import {
  AppendTree,
  climb,
  depthOf,
  type NodeLookup,
  siblingsOf,
  type TreeNode,
  type TreeRule,
} from './append-tree.ts';
import { CommitmentError, ProofError } from './errors.ts';
import { HASH_BYTES } from './hasher.ts';
import { assertLeadsTo, assertSiblings } from './proof-checks.ts';

/** Bytes of an encoded record. */
export const RECORD_BYTES = 92;

/** What the log contract records of a submission. */
export interface SubmissionRecord {
  readonly sequence: Sequence;
  /** The file's root, 32 bytes: the right fold of its nodes. */
  readonly fileRoot: Uint8Array;
  readonly sizeBytes: number;
  /** First sector of the flow that belongs to it. */
  readonly startSector: number;
  /** Sectors charged: the padded length. */
  readonly sectors: number;
  readonly submitter: Address;
  /** Block time in seconds. */
  readonly timeSeconds: number;
}

/**
 * A record's 92 bytes, packed, big-endian: sequence u64, file root 32, size u64, start u64,
 * sectors u64, submitter 20, time u64.
 *
 * @throws {RangeError} if a number is not an integer from 0 to 2^53 − 1 or the root not 32 bytes
 */
export function encodeRecord(record: SubmissionRecord): Uint8Array {
  if (record.fileRoot.length !== HASH_BYTES) {
    throw new RangeError(`a file root has ${HASH_BYTES} bytes, not ${record.fileRoot.length}`);
  }
  const body = new Uint8Array(RECORD_BYTES);
  const view = viewOf(body);
  writeSafeU64(view, 0, record.sequence);
  body.set(record.fileRoot, 8);
  writeSafeU64(view, 40, record.sizeBytes);
  writeSafeU64(view, 48, record.startSector);
  writeSafeU64(view, 56, record.sectors);
  body.set(fromHex(record.submitter), 64);
  writeSafeU64(view, 84, record.timeSeconds);
  return body;
}

/**
 * The record in 92 bytes.
 *
 * @throws {CommitmentError} RECORD_LENGTH; {RangeError} if a number exceeds 2^53 − 1
 */
export function parseRecord(body: Uint8Array): SubmissionRecord {
  assertRecordLength(body);
  const view = viewOf(body);
  return {
    sequence: sequenceOf(readSafeU64(view, 0)),
    fileRoot: new Uint8Array(body.subarray(8, 40)), // a copy of a Buffer, too
    sizeBytes: readSafeU64(view, 40),
    startSector: readSafeU64(view, 48),
    sectors: readSafeU64(view, 56),
    submitter: parseAddress(toHex(body.subarray(64, 84))),
    timeSeconds: readSafeU64(view, 84),
  };
}

/** The leaf of a record: keccak-256 of a zero byte and its 92 bytes. @throws {CommitmentError} */
export function recordLeaf(body: Uint8Array): Uint8Array {
  assertRecordLength(body);
  return keccak256(concatBytes(Uint8Array.of(0), body));
}

/**
 * The tree over all submission records of a log: leaf n is the record of sequence n. Remembers
 * one hash for each bit of its count. Unlike file trees, leaves and nodes are told apart (a byte
 * 0 or 1 is hashed first), and missing leaves are 32 zero bytes.
 */
export class RecordTree {
  readonly #tree: AppendTree;

  private constructor(tree: AppendTree) {
    this.#tree = tree;
  }

  static empty(): RecordTree {
    return new RecordTree(new AppendTree(recordRule()));
  }

  /** The tree a snapshot was taken of. @throws {CommitmentError} SNAPSHOT_MALFORMED */
  static restore(snapshot: Uint8Array): RecordTree {
    return new RecordTree(AppendTree.restore(recordRule(), snapshot));
  }

  /** Everything the tree remembers: 9 bytes and 32 for each bit set in its count. */
  snapshot(): Uint8Array {
    return this.#tree.snapshot();
  }

  /** Records so far. */
  get count(): number {
    return this.#tree.length;
  }

  /** The log root, 32 bytes; all zero while there is no record. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  /**
   * Appends the next record.
   *
   * @param body - its 92 bytes
   * @returns the leaf and every ancestor it completes; whoever wants to prove later keeps them
   * @throws {CommitmentError} RECORD_LENGTH
   */
  append(body: Uint8Array): readonly TreeNode[] {
    const added: TreeNode[] = [];
    this.#tree.push(0, recordLeaf(body), (node) => {
      added.push(node);
    });
    return added;
  }
}

/**
 * The siblings from record `index` up to the log root as it was with `count` records.
 *
 * @param lookup - finds what `append` handed out
 * @throws {ProofError} PROOF_INDEX; {CommitmentError} NODE_MISSING
 */
export async function recordProof(
  { index, count }: { readonly index: number; readonly count: number },
  lookup: NodeLookup,
): Promise<Uint8Array[]> {
  assertRecordIndex(index, count);
  return siblingsOf(recordRule(), lookup, { level: 0, index, length: count });
}

/** A record that claims its place in a log. */
export interface RecordClaim {
  /** The log root, 32 bytes. */
  readonly root: Uint8Array;
  /** Records under that root. */
  readonly count: number;
  /** The record's place: its sequence. */
  readonly index: number;
  /** Its 92 bytes. */
  readonly body: Uint8Array;
  /** 32 bytes each, bottom-up; exactly ⌈log2 count⌉. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * Proves that a record has its place in a log.
 *
 * @returns the record
 * @throws {ProofError} PROOF_INDEX, PROOF_LENGTH, PROOF_HASH_LENGTH, PROOF_WRONG_ROOT
 * @throws {CommitmentError} RECORD_LENGTH; {RangeError} if a number in it exceeds 2^53 − 1
 */
export function verifyRecord(claim: RecordClaim): SubmissionRecord {
  const { root, count, index, body, siblings } = claim;
  assertRecordIndex(index, count);
  assertSiblings(siblings, index, depthOf(count));
  const leaf = { level: 0, index, hash: recordLeaf(body) };
  assertLeadsTo(climb(recordRule(), leaf, siblings), root, index);
  return parseRecord(body);
}

const NODE_PREFIX = Uint8Array.of(1);

/** The rule of one tree or proof; it remembers the empty roots it computed. */
function recordRule(): TreeRule {
  const join = (left: Uint8Array, right: Uint8Array): Uint8Array =>
    keccak256(NODE_PREFIX, left, right);
  const roots: Uint8Array[] = [];
  const empty = (level: number): Uint8Array => {
    let root = roots.at(-1) ?? new Uint8Array(HASH_BYTES);
    if (roots.length === 0) roots.push(root);
    while (roots.length <= level) {
      root = join(root, root);
      roots.push(root);
    }
    return roots[level] ?? root;
  };
  return { join, empty };
}

function assertRecordLength(body: Uint8Array): void {
  if (body.length === RECORD_BYTES) return;
  throw new CommitmentError(
    { code: 'RECORD_LENGTH', expectedBytes: RECORD_BYTES, actualBytes: body.length },
    `a submission record has ${RECORD_BYTES} bytes, not ${body.length}`,
  );
}

function assertRecordIndex(index: number, count: number): void {
  assertNatural(count, 'record count');
  if (Number.isSafeInteger(index) && index >= 0 && index < count) return;
  throw new ProofError(
    { code: 'PROOF_INDEX', index, count },
    `there is no record ${index} in a log of ${count}`,
  );
}
