import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import {
  compareBytes,
  equalBytes,
  Fault,
  MAX_STATE_PROOF_BYTES,
  readSafeU64,
  STREAM_ID_BYTES,
  toHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { bytesDigest, EMPTY_HASH, type Leaf, leafHashes, stateRootOf } from './digests.ts';
import { pairHash } from './page-hashes.ts';

/** What can be wrong with a proof of a state, or with what is taken from it. */
export type StateProofFault =
  | { readonly code: 'KV_PROOF_MALFORMED'; readonly offset: number; readonly sizeBytes: number }
  /** The proof leads to another root than the one believed. */
  | { readonly code: 'KV_PROOF_WRONG_ROOT'; readonly expected: string; readonly actual: string }
  /** The proof is about another stream. */
  | { readonly code: 'KV_PROOF_STREAM'; readonly expected: StreamId }
  /** Its leaves are not in order: no honest tree has it. */
  | { readonly code: 'KV_PROOF_ORDER'; readonly leaf: number }
  /** The proof is sound and does not show what was asked of it. */
  | { readonly code: 'KV_PROOF_UNPROVEN'; readonly what: 'key' | 'range' }
  /** The value is not the one that the leaf stands for. */
  | {
      readonly code: 'KV_PROOF_VALUE';
      readonly expectedBytes: number;
      readonly actualBytes: number;
    };

/** A proof that proves nothing, or something else. */
export class StateProofError extends Fault<StateProofFault> {}

/** Which tree of a state a proof is about: keys and values, or roles. */
export type ProvenTable = 'keys' | 'roles';

/** A part of a tree as it is written into a proof: from the root down, left before right. */
export type ProofNode =
  | { readonly kind: 'hash'; readonly hash: Uint8Array }
  | { readonly kind: 'pair' }
  | { readonly kind: 'leaf'; readonly leaf: Leaf };

/** What a proof says besides its tree. */
export interface ProofHead {
  readonly table: ProvenTable;
  /** `stateDomain` of whoever made it. */
  readonly domain: Uint8Array;
  readonly stream: StreamId;
  /** Root of the other tree. */
  readonly otherRoot: Uint8Array;
  readonly keyCount: number;
  readonly roleCount: number;
}

const FORMAT = 1;
const HEAD_BYTES: number = 2 + HASH_BYTES + STREAM_ID_BYTES + HASH_BYTES + 16;
const LEAF_BYTES = 60;
const NODE = { hash: 0, pair: 1, leaf: 2 } as const;

/**
 * The bytes of a proof: format u8, table u8, domain 32, stream 32, root of the other tree 32, keys and
 * roles u64; then nodes from the root down, left before right: 0 and a hash 32; 1 and two nodes; 2 and
 * a leaf: key length u32, version, value offset and length u64, value digest 32, key.
 */
export function encodeStateProof(head: ProofHead, nodes: readonly ProofNode[]): Uint8Array {
  let length = HEAD_BYTES;
  for (const node of nodes) {
    length += 1;
    if (node.kind === 'hash') length += HASH_BYTES;
    else if (node.kind === 'leaf') length += LEAF_BYTES + node.leaf.key.length;
  }
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  bytes[0] = FORMAT;
  bytes[1] = head.table === 'keys' ? 0 : 1;
  bytes.set(head.domain, 2);
  bytes.set(streamIdBytes(head.stream), 34);
  bytes.set(head.otherRoot, 66);
  writeSafeU64(view, 98, head.keyCount);
  writeSafeU64(view, 106, head.roleCount);
  let at = HEAD_BYTES;
  for (const node of nodes) {
    bytes[at] = NODE[node.kind];
    at += 1;
    if (node.kind === 'hash') {
      bytes.set(node.hash, at);
      at += HASH_BYTES;
    } else if (node.kind === 'leaf') {
      const { key, version, valueOffset, valueBytes, valueDigest } = node.leaf;
      view.setUint32(at, key.length);
      writeSafeU64(view, at + 4, version);
      writeSafeU64(view, at + 12, valueOffset);
      writeSafeU64(view, at + 20, valueBytes);
      bytes.set(valueDigest, at + 28);
      bytes.set(key, at + LEAF_BYTES);
      at += LEAF_BYTES + key.length;
    }
  }
  return bytes;
}

/**
 * A part of a stream's state, proven to belong to a state root. Only `verifyStateProof` makes one.
 * Leaves of deleted keys are there, with a value of no byte.
 */
export class ProvenState {
  /** What the root's state is a function of: compare it if nodes of several configurations sign. */
  readonly domain: Uint8Array;
  readonly table: ProvenTable;
  /** Keys ever written to the stream. */
  readonly keyCount: number;
  /** Role slots ever set in the stream. */
  readonly roleCount: number;
  /** What is shown, in order. */
  readonly leaves: readonly Leaf[];
  /** Whether something is left out before leaf n, and behind the last. */
  readonly #gaps: readonly boolean[];

  /** For `verifyStateProof`. */
  constructor(head: ProofHead, leaves: readonly Leaf[], gaps: readonly boolean[]) {
    this.domain = head.domain;
    this.table = head.table;
    this.keyCount = head.keyCount;
    this.roleCount = head.roleCount;
    this.leaves = leaves;
    this.#gaps = gaps;
  }

  /**
   * What the state holds under a key.
   *
   * @returns its leaf, which may be of a deletion; `undefined`: never written, and proven so
   * @throws {StateProofError} KV_PROOF_UNPROVEN if the proof shows neither
   */
  get(key: Uint8Array): Leaf | undefined {
    const at = this.#placeOf(key);
    const leaf = this.leaves[at];
    if (leaf !== undefined && equalBytes(leaf.key, key)) return leaf;
    if (this.#gaps[at] === true) {
      throw new StateProofError(
        { code: 'KV_PROOF_UNPROVEN', what: 'key' },
        'the proof shows neither the key nor its neighbours on both sides',
      );
    }
    return undefined;
  }

  /**
   * Every leaf from one key to before another: none is left out.
   *
   * @param to - the end unless told
   * @throws {StateProofError} KV_PROOF_UNPROVEN if the proof may leave one out
   */
  range(from: Uint8Array, to?: Uint8Array): readonly Leaf[] {
    const first = this.#placeOf(from);
    const end = to === undefined ? this.leaves.length : this.#placeOf(to);
    for (let at = first; at <= end; at += 1) {
      if (this.#gaps[at] !== true) continue;
      const [before, behind] = [this.leaves[at - 1], this.leaves[at]];
      // Before the very key the range begins at, and behind the last that it can hold, all is outside.
      const isOutside =
        (at === first && behind !== undefined && equalBytes(behind.key, from)) ||
        (at === end && before !== undefined && to !== undefined && isSuccessor(to, before.key));
      if (isOutside) continue;
      throw new StateProofError(
        { code: 'KV_PROOF_UNPROVEN', what: 'range' },
        `the proof leaves something out near leaf ${at} of ${this.leaves.length} of the range`,
      );
    }
    return this.leaves.slice(first, end);
  }

  /** The first leaf at or behind a key. */
  #placeOf(key: Uint8Array): number {
    let low = 0;
    let high = this.leaves.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const leaf = this.leaves[middle];
      if (leaf !== undefined && compareBytes(leaf.key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Proves that a part of a stream's state belongs to a state root.
 *
 * @param trusted - the root, which somebody who is believed stands for, and the stream it is of
 * @throws {StateProofError} KV_PROOF_MALFORMED, KV_PROOF_STREAM, KV_PROOF_WRONG_ROOT, KV_PROOF_ORDER
 */
export function verifyStateProof(
  proof: Uint8Array,
  trusted: { readonly stateRoot: Uint8Array; readonly stream: StreamId },
  hasher: Hasher,
): ProvenState {
  const { head, nodes } = decodeStateProof(proof);
  if (head.stream !== trusted.stream) {
    throw new StateProofError(
      { code: 'KV_PROOF_STREAM', expected: trusted.stream },
      `the proof is about stream ${head.stream}, not ${trusted.stream}`,
    );
  }
  const { root, leaves, gaps } = computeRoot(nodes, hasher);
  const { table, domain, otherRoot, keyCount, roleCount } = head;
  const actual = stateRootOf(
    {
      domain,
      stream: streamIdBytes(head.stream),
      keysRoot: table === 'keys' ? root : otherRoot,
      rolesRoot: table === 'keys' ? otherRoot : root,
      keyCount,
      roleCount,
    },
    hasher,
  );
  if (!equalBytes(actual, trusted.stateRoot)) {
    const expected = toHex(trusted.stateRoot);
    throw new StateProofError(
      { code: 'KV_PROOF_WRONG_ROOT', expected, actual: toHex(actual) },
      `the proof leads to state root ${toHex(actual)}, not ${expected}`,
    );
  }
  for (let at = 1; at < leaves.length; at += 1) {
    const [before, leaf] = [leaves[at - 1], leaves[at]];
    if (before !== undefined && leaf !== undefined && compareBytes(before.key, leaf.key) < 0)
      continue;
    throw new StateProofError(
      { code: 'KV_PROOF_ORDER', leaf: at },
      `leaf ${at} of the proof does not come behind the one before it`,
    );
  }
  return new ProvenState(head, leaves, gaps);
}

/** Checks that a value is the one a proven leaf stands for. @throws {StateProofError} KV_PROOF_VALUE */
export function verifyValue(leaf: Leaf, value: Uint8Array, hasher: Hasher): void {
  const isIt =
    value.length === leaf.valueBytes && equalBytes(bytesDigest(value, hasher), leaf.valueDigest);
  if (isIt) return;
  const [expectedBytes, actualBytes] = [leaf.valueBytes, value.length];
  throw new StateProofError(
    { code: 'KV_PROOF_VALUE', expectedBytes, actualBytes },
    `a value of ${actualBytes} bytes is not the one of ${expectedBytes} bytes that was proven`,
  );
}

function decodeStateProof(bytes: Uint8Array): { head: ProofHead; nodes: ProofNode[] } {
  const sizeBytes = bytes.length;
  const malformed = (offset: number): never => {
    throw new StateProofError(
      { code: 'KV_PROOF_MALFORMED', offset, sizeBytes },
      `a proof of ${sizeBytes} bytes cannot be read past byte ${offset}`,
    );
  };
  const view = viewOf(bytes);
  if (sizeBytes < HEAD_BYTES || sizeBytes > MAX_STATE_PROOF_BYTES) malformed(0);
  if (bytes[0] !== FORMAT || (bytes[1] !== 0 && bytes[1] !== 1)) malformed(0);
  const u64 = (at: number): number =>
    view.getUint32(at) >= 2 ** 21 ? malformed(at) : readSafeU64(view, at);
  const head: ProofHead = {
    table: bytes[1] === 0 ? 'keys' : 'roles',
    domain: bytes.slice(2, 34),
    stream: toHex(bytes.subarray(34, 66)) as StreamId,
    otherRoot: bytes.slice(66, 98),
    keyCount: u64(98),
    roleCount: u64(106),
  };
  const nodes: ProofNode[] = [];
  let at = HEAD_BYTES;
  while (at < sizeBytes) {
    const kind = bytes[at];
    const start = at + 1;
    if (kind === NODE.pair) {
      nodes.push({ kind: 'pair' });
      at = start;
    } else if (kind === NODE.hash) {
      if (start + HASH_BYTES > sizeBytes) malformed(at);
      nodes.push({ kind: 'hash', hash: bytes.subarray(start, start + HASH_BYTES) });
      at = start + HASH_BYTES;
    } else if (kind === NODE.leaf) {
      if (start + LEAF_BYTES > sizeBytes) malformed(at);
      const end = start + LEAF_BYTES + view.getUint32(start);
      if (end > sizeBytes) malformed(at);
      const leaf: Leaf = {
        key: bytes.slice(start + LEAF_BYTES, end),
        version: u64(start + 4),
        valueOffset: u64(start + 12),
        valueBytes: u64(start + 20),
        valueDigest: bytes.slice(start + 28, start + 60),
      };
      nodes.push({ kind: 'leaf', leaf });
      at = end;
    } else {
      malformed(at);
    }
  }
  return { head, nodes };
}

/** The root over nodes; not by recursion, since a proof may be as deep as it is long. */
function computeRoot(
  nodes: readonly ProofNode[],
  hasher: Hasher,
): { root: Uint8Array; leaves: Leaf[]; gaps: boolean[] } {
  const leaves = nodes.flatMap((node) => (node.kind === 'leaf' ? [node.leaf] : []));
  const hashes = leaves.length === 0 ? [] : leafHashes(leaves, hasher);
  const gaps: boolean[] = [];
  /** Pairs begun: `undefined` while the left hash is not there yet. */
  const open: (Uint8Array | undefined)[] = [];
  let root: Uint8Array | undefined;
  let shown = 0;
  let isGap = false;
  for (const [index, node] of nodes.entries()) {
    if (root !== undefined) unbalanced(index, nodes.length);
    if (node.kind === 'pair') {
      open.push(undefined);
      continue;
    }
    let hash = node.kind === 'hash' ? node.hash : (hashes[shown] ?? EMPTY_HASH);
    if (node.kind === 'hash') {
      isGap = true;
    } else {
      gaps.push(isGap);
      isGap = false;
      shown += 1;
    }
    while (open.length > 0 && open.at(-1) !== undefined) {
      hash = pairHash(open.pop() ?? EMPTY_HASH, hash, hasher);
    }
    if (open.length === 0) root = hash;
    else open[open.length - 1] = hash;
  }
  if (open.length > 0) unbalanced(nodes.length, nodes.length);
  gaps.push(isGap);
  return { root: root ?? EMPTY_HASH, leaves, gaps };
}

function unbalanced(offset: number, sizeBytes: number): never {
  throw new StateProofError(
    { code: 'KV_PROOF_MALFORMED', offset, sizeBytes },
    `the proof's tree ends at node ${offset} of ${sizeBytes}`,
  );
}

/** Whether `next` is `key` and a zero byte: no key lies between. */
function isSuccessor(next: Uint8Array, key: Uint8Array): boolean {
  return (
    next.length === key.length + 1 &&
    next.at(-1) === 0 &&
    equalBytes(next.subarray(0, key.length), key)
  );
}
