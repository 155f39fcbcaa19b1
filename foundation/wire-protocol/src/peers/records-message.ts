import { viewOf } from '@cairn/primitives';
import { assertBound } from '../check.ts';
import { refuseLength } from '../wire-fields.ts';
import { MAX_RECORD_BYTES } from './peer-record.ts';
import { MAX_RECORDS } from './protocols.ts';

const WHAT = 'message of peer records';

/**
 * Signed records one after another, each after its length as u16; the first of a question is the
 * asker's own. At most 32.
 *
 * @throws {WireError} WIRE_TOO_LONG
 */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  assertBound(records.length, MAX_RECORDS, WHAT);
  const message = new Uint8Array(records.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const bytes of records) {
    assertBound(bytes.length, MAX_RECORD_BYTES, 'peer record');
    message[at] = bytes.length >> 8;
    message[at + 1] = bytes.length & 255;
    message.set(bytes, at + 2);
    at += 2 + bytes.length;
  }
  return message;
}

/** The records' bytes, each still to be parsed. @throws {WireError} WIRE_LENGTH, WIRE_TOO_LONG */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const view = viewOf(bytes);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    assertBound(records.length + 1, MAX_RECORDS, WHAT);
    if (at + 2 > bytes.length) refuseLength(WHAT, at + 2, bytes.length);
    const end = at + 2 + view.getUint16(at);
    if (end > bytes.length) refuseLength(WHAT, end, bytes.length);
    records.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return records;
}
