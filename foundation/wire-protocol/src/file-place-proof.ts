import { CHECKPOINT_BYTES } from '@cairn/attestation';
import { RECORD_BYTES } from '@cairn/commitments';
import { fromHex, toHex } from '@cairn/primitives';
import { assertBound, fieldsOf, hexOf, listField, naturalField, refuseField } from './check.ts';
import { parseBoundedJson } from './json-text.ts';

/** Most characters of a proof's JSON: four certificates of 256 KiB as hex take half of them. */
export const MAX_FILE_PLACE_PROOF_CHARACTERS: number = 4 * 2 ** 20;

const VERSION = 1;
const WHAT = 'filePlaceProof';
/** Hashes of a path: a tree of 2^53 leaves has as many levels. */
const MAX_PATH = 53;
/** Orders under which one place is shown. */
const MAX_ORDERS = 8;
/** One for the file's checkpoint, the others for checkpoints that tell the root of an order. */
const MAX_CERTIFICATES = 4;
/** Of one certificate: a committee of 2,048 with a third of it absent stays below. */
const MAX_CERTIFICATE_BYTES: number = 256 * 1024;
const HASH_BYTES = 32;

/** A checkpoint's place under the root over the first `count` checkpoints, which is not brought. */
export interface ShownPlace {
  /** Checkpoints under the root, from 1. */
  readonly count: number;
  /** From the checkpoint to the root; 32 bytes each, bottom-up, 53 at most. */
  readonly path: readonly Uint8Array[];
}

/**
 * "File R at sequence n, in shard S, at global index G", as anyone may bring it, with what signatures
 * say of it: enough for whoever trusts an epoch's committee, or the root of an order, to ask nobody.
 */
export interface FilePlaceProof {
  /** The submission record's 92 bytes. */
  readonly record: Uint8Array;
  /** From the record to the log root of the checkpoint; 32 bytes each, bottom-up, 53 at most. */
  readonly recordPath: readonly Uint8Array[];
  /** The checkpoint's 212 bytes. */
  readonly checkpoint: Uint8Array;
  readonly globalIndex: number;
  /** 1 to 8: a verifier needs to know the root of one of these orders. */
  readonly places: readonly ShownPlace[];
  /** Certificates of checkpoints, of kind 2, 4 at most, 256 KiB each at most. */
  readonly certificates: readonly Uint8Array[];
}

/**
 * A proof from its JSON, as text or parsed. Its form is checked and every length bounded; nothing is
 * proven.
 *
 * @throws {WireError} WIRE_JSON, WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG
 */
export function parseFilePlaceProof(value: unknown): FilePlaceProof {
  if (typeof value === 'string') assertBound(value.length, MAX_FILE_PLACE_PROOF_CHARACTERS, WHAT);
  const json = typeof value === 'string' ? parseBoundedJson(value, 4, WHAT) : value;
  const fields = fieldsOf(json, WHAT);
  naturalField(fields, 'version', WHAT, { min: VERSION, max: VERSION });
  const places = listField(fields, 'places', WHAT, MAX_ORDERS, (item) => {
    const place = fieldsOf(item, `${WHAT}.places`);
    const count = naturalField(place, 'count', `${WHAT}.places`, { min: 1 });
    return { count, path: pathField(place, 'path', `${WHAT}.places`) };
  });
  if (places.length === 0) refuseField(WHAT, 'places', 'a list of 1 to 8', fields['places']);
  return {
    record: fromHex(hexOf(fields['record'], RECORD_BYTES, WHAT, 'record')),
    recordPath: pathField(fields, 'recordPath', WHAT),
    checkpoint: fromHex(hexOf(fields['checkpoint'], CHECKPOINT_BYTES, WHAT, 'checkpoint')),
    globalIndex: naturalField(fields, 'globalIndex', WHAT),
    places,
    certificates: listField(fields, 'certificates', WHAT, MAX_CERTIFICATES, certificateOf),
  };
}

/** What `parseFilePlaceProof` reads, one line of JSON. */
export function filePlaceProofJson(proof: FilePlaceProof): string {
  const { record, recordPath, checkpoint, globalIndex, places, certificates } = proof;
  return JSON.stringify({
    version: VERSION,
    record: toHex(record),
    recordPath: recordPath.map(toHex),
    checkpoint: toHex(checkpoint),
    globalIndex,
    places: places.map(({ count, path }) => ({ count, path: path.map(toHex) })),
    certificates: certificates.map(toHex),
  });
}

function pathField(
  fields: Parameters<typeof listField>[0],
  field: string,
  what: string,
): Uint8Array[] {
  return listField(fields, field, what, MAX_PATH, (hash) =>
    fromHex(hexOf(hash, HASH_BYTES, what, field)),
  );
}

function certificateOf(value: unknown): Uint8Array {
  const what = `${WHAT}.certificates`;
  if (typeof value !== 'string') refuseField(WHAT, 'certificates', 'hex', value);
  assertBound(value.length, 2 + 2 * MAX_CERTIFICATE_BYTES, what);
  if (/^0x(?:[0-9a-fA-F]{2})+$/.test(value)) return fromHex(value);
  return refuseField(WHAT, 'certificates', '0x and hex digits, two for each byte', value);
}
