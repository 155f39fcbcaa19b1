import {
  encodeServedEntry,
  parseServedEntry,
  SERVED_ENTRY_BYTES,
  type ServedEntry,
} from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  fromHex,
  parseAddress,
  toHex,
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
import { MAX_REPORT_ENTRIES } from './office-votes.ts';

/** Content type of a served report's leaves. */
export const REPORT_TYPE = 'application/vnd.cairn.served-report';
/** Content type of a request to sign a report. */
export const REPORT_REQUEST_TYPE = 'application/vnd.cairn.served-report-request';
/** Audit sheets that one report rests on at most: one of each member of the largest quorum, four times over. */
export const MAX_REPORT_SHEETS = 2048;

const FIXED_BYTES: number = PREAMBLE_BYTES + 16;
const SHEET_BYTES = 20 + 32;
const REQUEST_FIXED_BYTES: number = FIXED_BYTES + 32 + 20;
/** Bytes of the longest report. */
export const MAX_REPORT_BYTES: number = FIXED_BYTES + MAX_REPORT_ENTRIES * SERVED_ENTRY_BYTES;
/** Bytes of the longest request. */
export const MAX_REPORT_REQUEST_BYTES: number =
  REQUEST_FIXED_BYTES + MAX_REPORT_SHEETS * SHEET_BYTES;

const REPORT = { what: 'served report', magic: 'CRPT', version: 1 } as const;
const REQUEST = { what: 'served report request', magic: 'CRRQ', version: 1 } as const;

/** How holders did in an epoch: the leaves of a report, the first of which is the total. */
export interface ServedReport {
  readonly epoch: number;
  readonly quorumId: number;
  /** 2 … 16,385. */
  readonly entries: readonly ServedEntry[];
}

/** A sheet that a report rests on. */
export interface SheetName {
  readonly auditor: Address;
  /** `auditDigest` of the sheet, 32 bytes. */
  readonly digest: Uint8Array;
}

/** Asks a member of a quorum to sign for the report that follows from these sheets. */
export interface ReportRequest {
  readonly epoch: number;
  readonly quorumId: number;
  /** Root over the report's leaves, 32 bytes. */
  readonly root: Uint8Array;
  /** Who asks, and hands out the sheets that a member may lack. */
  readonly proposer: Address;
  /** 1 … 2,048, each auditor once, by address. */
  readonly sheets: readonly SheetName[];
}

/**
 * A report as bytes, big-endian: "CRPT", version u8 = 1, three zero bytes, epoch u64, quorum u32, count
 * u32, then the entries of 28 bytes each.
 *
 * @throws {WireError} WIRE_FIELD for a count that no report has
 */
export function encodeServedReport({ epoch, quorumId, entries }: ServedReport): Uint8Array {
  assertCount(entries.length, 2, MAX_REPORT_ENTRIES, REPORT.what);
  const start = encodeStart(REPORT, epoch, quorumId, entries.length);
  return concatBytes(start, ...entries.map(encodeServedEntry));
}

/** The report in these bytes. @throws {WireError}; {MessageError} for an entry that is none */
export function parseServedReport(bytes: Uint8Array): ServedReport {
  const { epoch, quorumId, count } = parseStart(bytes, REPORT);
  assertCount(count, 2, MAX_REPORT_ENTRIES, REPORT.what);
  assertWireLength(bytes, FIXED_BYTES + count * SERVED_ENTRY_BYTES, REPORT.what);
  const entries = Array.from({ length: count }, (_, index) => {
    const at = FIXED_BYTES + index * SERVED_ENTRY_BYTES;
    return parseServedEntry(bytes.subarray(at, at + SERVED_ENTRY_BYTES));
  });
  return { epoch, quorumId, entries };
}

/**
 * A request as bytes, big-endian: "CRRQ", version u8 = 1, three zero bytes, epoch u64, quorum u32, count
 * u32, root 32, proposer 20, then for each sheet its auditor 20 and digest 32.
 *
 * @throws {WireError} WIRE_FIELD, WIRE_LENGTH
 */
export function encodeReportRequest(request: ReportRequest): Uint8Array {
  const { epoch, quorumId, root, proposer, sheets } = request;
  assertCount(sheets.length, 1, MAX_REPORT_SHEETS, REQUEST.what);
  assertWireLength(root, 32, 'root');
  return concatBytes(
    encodeStart(REQUEST, epoch, quorumId, sheets.length),
    root,
    fromHex(proposer),
    ...sheets.flatMap(({ auditor, digest }) => [fromHex(auditor), digest]),
  );
}

/** The request in these bytes; copies. @throws {WireError} */
export function parseReportRequest(bytes: Uint8Array): ReportRequest {
  assertBound(bytes.length, MAX_REPORT_REQUEST_BYTES, REQUEST.what);
  const { epoch, quorumId, count } = parseStart(bytes, REQUEST);
  assertCount(count, 1, MAX_REPORT_SHEETS, REQUEST.what);
  assertWireLength(bytes, REQUEST_FIXED_BYTES + count * SHEET_BYTES, REQUEST.what);
  const addressAt = (at: number): Address => parseAddress(toHex(bytes.subarray(at, at + 20)));
  const sheets = Array.from({ length: count }, (_, index) => {
    const at = REQUEST_FIXED_BYTES + index * SHEET_BYTES;
    return { auditor: addressAt(at), digest: bytes.slice(at + 20, at + SHEET_BYTES) };
  });
  for (const [index, { auditor }] of sheets.entries()) {
    if (index === 0 || (sheets[index - 1]?.auditor ?? auditor) < auditor) continue;
    refuseField(REQUEST.what, 'sheets', 'by address, each auditor once', auditor);
  }
  const root = bytes.slice(FIXED_BYTES, FIXED_BYTES + 32);
  return { epoch, quorumId, root, proposer: addressAt(FIXED_BYTES + 32), sheets };
}

function encodeStart(
  message: typeof REPORT | typeof REQUEST,
  epoch: number,
  quorumId: number,
  count: number,
): Uint8Array {
  return concatBytes(
    encodePreamble({ ...message, form: 0 }),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(quorumId, 4),
    bigEndianBytes(count, 4),
  );
}

function parseStart(
  bytes: Uint8Array,
  message: typeof REPORT | typeof REQUEST,
): { readonly epoch: number; readonly quorumId: number; readonly count: number } {
  const { what } = message;
  const form = parsePreamble(bytes, message);
  if (form !== 0) refuseField(what, 'form', '0', form);
  if (bytes.length < FIXED_BYTES) assertWireLength(bytes, FIXED_BYTES, what);
  const view = viewOf(bytes);
  const epoch = readWireNumber(view, PREAMBLE_BYTES, what, 'epoch');
  return { epoch, quorumId: view.getUint32(16), count: view.getUint32(20) };
}

function assertCount(count: number, least: number, most: number, what: string): void {
  if (count >= least && count <= most) return;
  refuseField(what, 'count', `${least} to ${most}`, count);
}
