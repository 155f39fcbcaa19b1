import type { Hasher } from '@cairn/commitments';
import { fromHex } from '@cairn/primitives';
import type { StreamId } from '../stream-id.ts';
import type { Leaf } from '../tree/digests.ts';
import { verifyStateProof, verifyValue } from '../tree/state-proof.ts';
import { type RootTrust, requireAgreement } from './judge-statements.ts';
import { AttestError, NO_ROOT, type SignedRoot } from './root-statement.ts';

/**
 * What a key held after a log entry, with all that somebody needs who believes the signers and nobody
 * else: it can be kept and shown.
 */
export interface KeyEvidence {
  readonly stream: StreamId;
  readonly key: Uint8Array;
  /** The last log entry that counts. */
  readonly sequence: number;
  readonly statements: readonly SignedRoot[];
  /** For `verifyStateProof`; empty where nothing was committed to the stream. */
  readonly proof: Uint8Array;
  /** `undefined`: the key was not there. */
  readonly value: Uint8Array | undefined;
}

/** A range of keys with the same. */
export interface RangeEvidence extends Omit<KeyEvidence, 'key' | 'value'> {
  readonly from: Uint8Array;
  /** The key behind the last; the end unless told. */
  readonly to?: Uint8Array;
}

/**
 * Checks what a key is said to have held.
 *
 * @returns its leaf, or `undefined` where it was absent or deleted
 * @throws {AttestError} KV_STATEMENT_FEW, KV_STATEMENT_OTHER; {StateProofError} of any code
 */
export function verifyKeyEvidence(
  evidence: KeyEvidence,
  trust: RootTrust,
  hasher: Hasher,
): Leaf | undefined {
  const { key, proof, value, stream } = evidence;
  const root = rootOf(evidence, trust);
  const leaf =
    root === NO_ROOT
      ? undefined
      : verifyStateProof(proof, { stateRoot: fromHex(root), stream }, hasher).get(key);
  if (leaf === undefined || leaf.valueBytes === 0) {
    if (value !== undefined) refuse('value', 'there is a value for a key that is proven absent');
    return undefined;
  }
  verifyValue(leaf, value ?? new Uint8Array(0), hasher);
  return leaf;
}

/**
 * Checks what a range of keys is said to have held; values are checked against their leaves by
 * `verifyValue`.
 *
 * @returns every leaf of the range, in order, those of deleted keys among them
 * @throws as `verifyKeyEvidence`
 */
export function verifyRangeEvidence(
  evidence: RangeEvidence,
  trust: RootTrust,
  hasher: Hasher,
): readonly Leaf[] {
  const { from, to, proof, stream } = evidence;
  const root = rootOf(evidence, trust);
  if (root === NO_ROOT) return [];
  const proven = verifyStateProof(proof, { stateRoot: fromHex(root), stream }, hasher);
  return proven.range(from, to);
}

/** The root that enough accounts vouch for, of what the evidence is about. */
function rootOf(
  { statements, stream, sequence }: Pick<KeyEvidence, 'statements' | 'stream' | 'sequence'>,
  trust: RootTrust,
): string {
  const [signed] = requireAgreement(statements, trust);
  if (signed === undefined) throw new Error('unreachable: statements agree');
  const { statement } = signed;
  if (statement.stream !== stream) refuse('stream', 'the statements are about another stream');
  if (statement.sequence !== sequence) {
    refuse(
      'sequence',
      `the statements are about entry ${statement.sequence}, not ${sequence}: the root is stale`,
    );
  }
  return statement.root;
}

function refuse(field: string, message: string): never {
  throw new AttestError({ code: 'KV_STATEMENT_OTHER', field }, message);
}
