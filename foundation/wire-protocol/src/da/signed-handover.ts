import { SNAPSHOT_BYTES } from '@cairn/attestation';
import { concatBytes, KIB } from '@cairn/primitives';
import { assertBound, refuseField } from '../check.ts';
import { encodePreamble, PREAMBLE_BYTES, parsePreamble, refuseLength } from '../wire-fields.ts';

/** Content type of a signed handover. */
export const HANDOVER_TYPE = 'application/vnd.cairn.handover';
/** Bytes of a signed handover at most: a committee of 2,048 with a third of it absent stays below. */
export const MAX_SIGNED_HANDOVER_BYTES: number = 256 * KIB;

const START_BYTES: number = PREAMBLE_BYTES + SNAPSHOT_BYTES;
const HANDOVER = { what: 'handover', magic: 'CHND', version: 1 } as const;

/** What names an epoch to whoever knows the committee of the one before; nothing is proven. */
export interface SignedHandover {
  /** The committee of the epoch that is named, 256 bytes. */
  readonly snapshot: Uint8Array;
  /** A certificate of kind 3 that brings its absent members: the snapshot before proves it. */
  readonly certificate: Uint8Array;
}

/**
 * A handover as bytes: "CHND", version u8 = 1, three zero bytes, snapshot 256, certificate.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_TOO_LONG
 */
export function encodeSignedHandover({ snapshot, certificate }: SignedHandover): Uint8Array {
  if (snapshot.length !== SNAPSHOT_BYTES) {
    refuseLength('snapshot', SNAPSHOT_BYTES, snapshot.length);
  }
  const bytes = concatBytes(encodePreamble({ ...HANDOVER, form: 0 }), snapshot, certificate);
  assertBound(bytes.length, MAX_SIGNED_HANDOVER_BYTES, HANDOVER.what);
  return bytes;
}

/**
 * The handover in these bytes; copies. Its certificate is for `verifyHandover`.
 *
 * @throws {WireError} WIRE_LENGTH, WIRE_TOO_LONG, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD
 */
export function parseSignedHandover(bytes: Uint8Array): SignedHandover {
  assertBound(bytes.length, MAX_SIGNED_HANDOVER_BYTES, HANDOVER.what);
  const form = parsePreamble(bytes, HANDOVER);
  if (form !== 0) refuseField(HANDOVER.what, 'form', '0', form);
  if (bytes.length <= START_BYTES) refuseLength(HANDOVER.what, START_BYTES + 1, bytes.length);
  return {
    snapshot: bytes.slice(PREAMBLE_BYTES, START_BYTES),
    certificate: bytes.slice(START_BYTES),
  };
}
