import {
  type BlsBackend,
  type Certificate,
  MEMBER_BYTES,
  type Signature,
  type Snapshot,
  signatureFromWords,
  signatureToWords,
} from '@cairn/attestation';
import { concatBytes, fromHex, toHex } from '@cairn/primitives';
import { snapshotArgument, wordsOfBytes } from '../da/abi-words.ts';
import type { Values } from '../da/values.ts';

/** What more than two thirds of a committee signed, as contracts check it. */
export interface QuorumSignature {
  /** The committee; the contract knows its hash. */
  readonly snapshot: Snapshot;
  /** Members that did not sign, 124 bytes each, by rising index. */
  readonly nonSigners: readonly Uint8Array[];
  /** What proves them; 32 bytes each. */
  readonly siblings: readonly Uint8Array[];
  readonly signature: Signature;
}

/**
 * The signature of a certificate that carries its absent members; `undefined` for one that names them
 * by index, which needs all members to be checked.
 */
export function signatureOf(
  { signers, signature }: Pick<Certificate, 'signers' | 'signature'>,
  snapshot: Snapshot,
): QuorumSignature | undefined {
  if (signers.mode !== 'members') return undefined;
  const { bodies: nonSigners, siblings } = signers;
  return { snapshot, nonSigners, siblings, signature };
}

/** Snapshot, absent members, what proves them, signature: as arguments of a call. */
export function signatureArguments(
  { snapshot, nonSigners, siblings, signature }: QuorumSignature,
  backend: Pick<BlsBackend, 'expandSignature'>,
): unknown[] {
  const words = wordsOfBytes(signatureToWords(signature, backend));
  const bodies = toHex(concatBytes(...nonSigners));
  return [snapshotArgument(snapshot), bodies, siblings.map(toHex), words];
}

/**
 * The signature in the arguments of a call that carried it. Nothing is proven.
 *
 * @throws {BlsError} for words that are no signature
 */
export function signatureIn(
  values: Values,
  snapshot: Snapshot,
  backend: Pick<BlsBackend, 'parseSignature'>,
): QuorumSignature {
  const bodies = values.bytes('nonSigners');
  const count = Math.floor(bodies.length / MEMBER_BYTES);
  const siblings = values.inner('siblings');
  return {
    snapshot,
    nonSigners: Array.from({ length: count }, (_, index) =>
      bodies.slice(index * MEMBER_BYTES, (index + 1) * MEMBER_BYTES),
    ),
    siblings: Array.from({ length: siblings.length }, (_, index) => siblings.bytes(index)),
    signature: signatureFromWords(wordsIn(values.inner('signature')), backend),
  };
}

/** The snapshot in the arguments of a call, as `abi.encode` gives it: 256 bytes. */
export function snapshotBytesIn(values: Values): Uint8Array {
  const { length } = values;
  const fixed = ['epoch', 'quorumId', 'memberCount', 'totalWeight'].map((name) =>
    wordOf(values.wide(name)),
  );
  if (length !== 6) throw new TypeError(`a snapshot has 6 fields, not ${length}`);
  return concatBytes(...fixed, values.bytes('membersRoot'), wordsIn(values.inner('aggregateKey')));
}

function wordsIn(values: Values): Uint8Array {
  return concatBytes(
    ...Array.from({ length: values.length }, (_, index) => wordOf(values.wide(index))),
  );
}

function wordOf(value: bigint): Uint8Array {
  return fromHex(`0x${value.toString(16).padStart(64, '0')}`);
}
