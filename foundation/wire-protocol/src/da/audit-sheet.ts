import type { Domain } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  compareBytes,
  concatBytes,
  fromHex,
  keccak256,
  parseAddress,
  toHex,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { assertBound, refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
} from '../wire-fields.ts';
import { PAYER_SIGNATURE_BYTES } from './blob-promise.ts';

/** Content type of an audit sheet. */
export const AUDIT_TYPE = 'application/vnd.cairn.audit';
/** Rows of one sheet at most. */
export const MAX_AUDITED_ROWS = 65_536;

const ROW_BYTES: number = 8 + 32 + 4;
const FIXED_BYTES: number = PREAMBLE_BYTES + 8 + 4 + 20 + 4;
/** Bytes of the longest sheet. */
export const MAX_AUDIT_BYTES: number =
  FIXED_BYTES + MAX_AUDITED_ROWS * ROW_BYTES + PAYER_SIGNATURE_BYTES;

const SHEET = { what: 'audit sheet', magic: 'CAUD', version: 1 } as const;

/** A drawn row. */
export interface DrawnRowName {
  /** The period whose seed drew it. */
  readonly period: number;
  /** The leaf of its blob's header, 32 bytes. */
  readonly leaf: Uint8Array;
  readonly row: number;
}

/** The drawn rows that a member of a quorum was to ask for in an epoch, and got: its receipts. */
export interface AuditSheet {
  /** The epoch of the auditor's office, and its quorum. */
  readonly epoch: number;
  readonly quorumId: number;
  readonly auditor: Address;
  /** By period, leaf and row, rising, each once. */
  readonly rows: readonly DrawnRowName[];
  /** The auditor's account's, 65 bytes, over `auditDigest`. */
  readonly signature: Uint8Array;
}

/** What an auditor signs, 32 bytes: the sheet, for one mining contract of one chain. */
export function auditDigest(sheet: Omit<AuditSheet, 'signature'>, mining: Domain): Uint8Array {
  const place = [bigEndianBytes(mining.chainId, 8), fromHex(mining.address)];
  return keccak256(concatBytes(utf8Bytes('cairn/1/audit'), ...place, encodeUnsigned(sheet)));
}

/**
 * A sheet as bytes, big-endian: "CAUD", version u8 = 1, three zero bytes, epoch u64, quorum u32,
 * auditor 20, count u32; for each row its period u64, leaf 32 and row u32; signature 65.
 *
 * @throws {WireError} WIRE_FIELD for rows out of order, WIRE_TOO_LONG, WIRE_LENGTH
 */
export function encodeAuditSheet(sheet: AuditSheet): Uint8Array {
  assertWireLength(sheet.signature, PAYER_SIGNATURE_BYTES, 'signature');
  assertRising(sheet.rows);
  return concatBytes(encodeUnsigned(sheet), sheet.signature);
}

/** The sheet in these bytes; copies. @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD, WIRE_TOO_LONG */
export function parseAuditSheet(bytes: Uint8Array): AuditSheet {
  assertBound(bytes.length, MAX_AUDIT_BYTES, SHEET.what);
  const form = parsePreamble(bytes, SHEET);
  if (form !== 0) refuseField(SHEET.what, 'form', '0', form);
  if (bytes.length < FIXED_BYTES) assertWireLength(bytes, FIXED_BYTES, SHEET.what);
  const view = viewOf(bytes);
  const count = view.getUint32(FIXED_BYTES - 4);
  assertBound(count, MAX_AUDITED_ROWS, `${SHEET.what}.rows`);
  const signatureAt = FIXED_BYTES + count * ROW_BYTES;
  assertWireLength(bytes, signatureAt + PAYER_SIGNATURE_BYTES, SHEET.what);
  const rows = Array.from({ length: count }, (_, index) => {
    const at = FIXED_BYTES + index * ROW_BYTES;
    return {
      period: readWireNumber(view, at, SHEET.what, 'period'),
      leaf: bytes.slice(at + 8, at + 40),
      row: view.getUint32(at + 40),
    };
  });
  assertRising(rows);
  return {
    epoch: readWireNumber(view, PREAMBLE_BYTES, SHEET.what, 'epoch'),
    quorumId: view.getUint32(PREAMBLE_BYTES + 8),
    auditor: parseAddress(toHex(bytes.subarray(PREAMBLE_BYTES + 12, PREAMBLE_BYTES + 32))),
    rows,
    signature: bytes.slice(signatureAt),
  };
}

/** Order of drawn rows in a sheet: by period, leaf and row. */
export function compareDrawnRows(left: DrawnRowName, right: DrawnRowName): number {
  return left.period - right.period || compareBytes(left.leaf, right.leaf) || left.row - right.row;
}

function encodeUnsigned({
  epoch,
  quorumId,
  auditor,
  rows,
}: Omit<AuditSheet, 'signature'>): Uint8Array {
  assertBound(rows.length, MAX_AUDITED_ROWS, `${SHEET.what}.rows`);
  const start = [
    encodePreamble({ ...SHEET, form: 0 }),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(quorumId, 4),
    fromHex(auditor),
    bigEndianBytes(rows.length, 4),
  ];
  const body = new Uint8Array(rows.length * ROW_BYTES);
  for (const [index, { period, leaf, row }] of rows.entries()) {
    body.set(bigEndianBytes(period, 8), index * ROW_BYTES);
    body.set(leaf, index * ROW_BYTES + 8);
    body.set(bigEndianBytes(row, 4), index * ROW_BYTES + 40);
  }
  return concatBytes(...start, body);
}

function assertRising(rows: readonly DrawnRowName[]): void {
  for (const [index, row] of rows.entries()) {
    const previous = rows[index - 1];
    if (previous === undefined || compareDrawnRows(previous, row) < 0) continue;
    refuseField(SHEET.what, 'rows', 'rising, each once', `row ${index}`);
  }
}
