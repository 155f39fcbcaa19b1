import { Fault, isRecord } from '@cairn/primitives';
import { fieldsOf, naturalField, textField } from './check.ts';

/** What a caller can do about a fault. */
export type RetryAdvice =
  /** Trying the same again gives the same. */
  | 'never'
  /** The same request may succeed a little later. */
  | 'later'
  /** Another node may do it. */
  | 'elsewhere';

/** What the table says about a code. */
export interface FaultAdvice {
  /** HTTP status it is answered with. */
  readonly status: number;
  /** A few words, the same for every occurrence. */
  readonly title: string;
  readonly retry: RetryAdvice;
}

/** A fault as our HTTP doors answer it: RFC 9457, `application/problem+json`. */
export interface Problem {
  /** `urn:cairn:fault:<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** One sentence with the numbers in it. */
  readonly detail: string;
  readonly code: string;
  readonly retry: RetryAdvice;
}

/** Content type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json';

const row = (status: number, title: string, retry: RetryAdvice = 'never'): FaultAdvice => ({
  status,
  title,
  retry,
});

/** Codes with an answer of their own. A new code is added here by whoever adds it. */
const ROWS: Readonly<Record<string, FaultAdvice>> = {
  WIRE_TOO_LONG: row(413, 'More than is allowed'),
  SHARD_INVALID: row(400, 'Not a shard'),
  SHARD_MOVING: row(409, 'The shard is changing already', 'later'),
  BODY_CUT_SHORT: row(400, 'The body ended early', 'later'),
  BODY_KIND: row(415, 'The content type is not taken here'),
  FILE_LENGTH: row(422, 'The file has another length than announced'),
  FILE_EMPTY: row(422, 'Empty files cannot be stored'),
  QUEUE_FULL: row(503, 'Too much work is waiting', 'later'),
  DEADLINE_PASSED: row(504, 'It took too long', 'later'),
  RPC_ERROR: row(502, 'Another node refused', 'elsewhere'),
  FILE_UNKNOWN: row(404, 'No such file is known here', 'elsewhere'),
  FILE_PATH_UNKNOWN: row(404, 'No such path in the directory'),
  FILE_LINK_BROKEN: row(404, 'The link leads nowhere'),
  ENTRY_UNKNOWN: row(404, 'No such log entry is known yet', 'later'),
  ENTRY_PRUNED: row(410, 'The file is no longer kept', 'elsewhere'),
  ENTRY_MISMATCH: row(409, 'Root or size differ from the log entry'),
  ENTRY_REPLACED: row(409, 'The chain replaced the log entry', 'later'),
  SEGMENT_NOT_HELD: row(404, 'The segment is not kept here', 'elsewhere'),
  SEGMENT_NOT_OWNED: row(421, 'The segment belongs to another shard', 'elsewhere'),
  SEGMENT_SEALED: row(501, 'The segment is kept sealed', 'elsewhere'),
  SEGMENT_DAMAGED: row(500, 'The segment was damaged on disk', 'elsewhere'),
  SEGMENT_RECORD: row(500, 'A stored record is damaged', 'elsewhere'),
  CACHE_FILE_TOO_LARGE: row(404, 'Files this large wait for their log entry', 'later'),
  CACHE_FULL: row(503, 'Too many files wait for their log entry', 'later'),
  CACHE_SIZE_MISMATCH: row(409, 'The file size differs from earlier segments'),
  FEES_UNKNOWN: row(404, 'No fees are known of this log', 'elsewhere'),
  FLOW_ROOT_UNKNOWN: row(404, 'No such flow root is remembered'),
  RANGE_INVALID: row(416, 'No such range'),
  CHAIN_MISMATCH: row(409, 'Meant for another chain'),
  CHAIN_NOT_KEPT: row(404, 'The chain is not kept here', 'elsewhere'),
  NODE_NOT_READY: row(503, 'The node is starting', 'later'),
  NODE_STOPPING: row(503, 'The node is stopping', 'elsewhere'),
  CHAIN_UNREACHABLE: row(503, 'The chain does not answer', 'later'),
  KV_LISTENERS_FULL: row(503, 'Too many listen already', 'elsewhere'),
  KV_NOT_YET: row(504, 'The entry is not decided yet', 'later'),
  KV_STREAM_UNKNOWN: row(404, 'Nothing was written to the stream by then', 'later'),
  KV_INDEX_UNKNOWN: row(404, 'The stream declares no such index at that version'),
  KV_INDEX_YOUNG: row(410, 'The index is younger than the version', 'elsewhere'),
  KV_VERSION_AHEAD: row(409, 'The version is not there yet', 'later'),
  KV_VERSION_TOO_OLD: row(410, 'The version is too old to be proven here', 'elsewhere'),
  KV_VERSION_PRUNED: row(410, 'The version is older than what is kept here', 'elsewhere'),
  KV_ROLLED_BACK: row(409, 'The chain took back what was read', 'later'),
  KV_STATE_DAMAGED: row(500, 'A stored record is damaged', 'elsewhere'),
  KV_ROOT_MISMATCH: row(500, 'A stored record is damaged', 'elsewhere'),
  KV_STOPPING: row(503, 'The node is stopping', 'elsewhere'),
  DISK_FULL: row(507, 'The disk is full', 'elsewhere'),
  STORE_FULL: row(507, 'The disk is full', 'elsewhere'),
  METHOD_NOT_ALLOWED: row(405, 'The method is not served here'),
  MEDIA_TYPE: row(415, 'The content type is not taken here'),
  ROUTE_UNKNOWN: row(404, 'There is nothing at this path'),
  UNAUTHORIZED: row(401, 'A token is needed'),
  WIRE_TOO_SLOW: row(408, 'The body came too slowly', 'later'),
  EPOCH_UNKNOWN: row(404, 'No such epoch is known here yet', 'later'),
  EPOCH_CLOSED: row(410, 'The quorum of that epoch signs no more'),
  SIGNER_NOT_SEATED: row(421, 'This signer is not of the quorum', 'elsewhere'),
  BLOB_UNKNOWN: row(404, 'The blob was not submitted yet, as far as is known here', 'later'),
  BLOB_NOT_FINAL: row(409, 'The submission can still be taken back', 'later'),
  BLOB_NOT_HELD: row(409, 'The signer’s rows of the blob are not held here', 'later'),
  BLOB_MISMATCH: row(409, 'The header is not that of the submission'),
  BLOB_LAYOUT: row(422, 'Not the layout of a blob of this length'),
  BLOB_MISPLACED: row(409, 'The blob belongs to another epoch, quorum or chain'),
  BLOB_EXPIRED: row(410, 'The blob’s time is over'),
  BATCH_REPEATS: row(422, 'A blob is twice in the batch'),
  PROMISE_NOT_SIGNED: row(422, 'The payer did not sign this promise'),
  PROMISE_TERMS: row(422, 'The promise is void on these terms'),
  PROMISE_LATE: row(410, 'The promise was to be signed for earlier'),
  PROMISE_UNCOVERED: row(402, 'The deposit does not cover the promises', 'later'),
  SLOT_SIGNED: row(409, 'Another blob was signed for in this place'),
  STREAM_SIGNED: row(409, 'A later checkpoint of this shard was signed for'),
  CHECKPOINT_NOT_FINAL: row(409, 'The block of the checkpoint can still be taken back', 'later'),
  CHECKPOINT_SEQUENCE: row(409, 'Not the next checkpoint of the shard', 'later'),
  CHECKPOINT_DIFFERS: row(409, 'Not what the shard’s chain held, as far as is known here'),
  SHARD_AWAY: row(503, 'The chain of the shard is not reached', 'later'),
  SHARD_UNKNOWN: row(404, 'The shard is not watched here', 'elsewhere'),
  SLOT_HELD: row(409, 'Another blob is held in this place'),
  PROTECTION_CLOSED: row(410, 'The quorum of that epoch signs no more'),
  PROTECTION_FULL: row(503, 'The signer remembers as many blobs as it can', 'elsewhere'),
  PAYER_FULL: row(507, 'The signer holds as much of this payer as it will', 'elsewhere'),
  ROWS_NOT_HELD: row(404, 'The rows are not kept here', 'elsewhere'),
  VOTE_UNKNOWN: row(404, 'No vote was given for this batch'),
  HANDOVER_UNKNOWN: row(404, 'No such handover is signed yet, as far as is known here', 'later'),
  BATCH_UNKNOWN: row(404, 'The headers of this batch are not kept here', 'elsewhere'),
  AUDIT_UNKNOWN: row(404, 'No such audit is known here', 'later'),
  REPORT_UNKNOWN: row(404, 'No such report is known here', 'elsewhere'),
  REPORT_CLOSED: row(410, 'That epoch is not reported on now'),
  REPORT_DIFFERS: row(409, 'Not the report that follows from the audits known here'),
  TICKET_NOT_WANTED: row(409, 'Tickets of that epoch are not taken now', 'later'),
  TICKET_NO_VOTES: row(422, 'No votes in that epoch'),
  TICKET_IDLE: row(422, 'The ticket wins nothing and is not owed'),
  TICKET_WRONG: row(422, 'The ticket is not its signer’s'),
  BLS_NOT_A_SIGNATURE: row(400, 'Not a signature'),
  TICKETS_FULL: row(503, 'Too many tickets wait', 'later'),
  TICKET_RATE: row(429, 'Tickets come faster than they are checked', 'later'),
  BLOB_EMPTY: row(422, 'Empty blobs cannot be dispersed'),
  BLOB_TOO_LARGE: row(413, 'Blobs are not that long'),
  ARCHIVE_NOT_KEPT: row(501, 'Blobs are not written to the log here', 'elsewhere'),
  ARCHIVE_UNAVAILABLE: row(503, 'The log does not give the blob now', 'later'),
  ARCHIVE_MISMATCH: row(500, 'What the log has is not the blob'),
  BLOB_NOT_TAKEN: row(404, 'No such blob lives here', 'elsewhere'),
  BLOB_NOT_DISPERSED: row(409, 'The quorum has not signed for the blob yet', 'later'),
  BLOB_UNAVAILABLE: row(503, 'Too few rows of the blob are served', 'later'),
  BLOB_ABSENT: row(404, 'No member of its quorum keeps the blob'),
  BLOB_NULL: row(404, 'No payload has this commitment'),
  QUORUM_UNKNOWN: row(404, 'There is no such quorum'),
  DISPERSAL_QUEUE_FULL: row(503, 'Too many blobs wait', 'later'),
  DISPERSER_STOPPING: row(503, 'The disperser is stopping', 'elsewhere'),
  ACCOUNT_UNKNOWN: row(401, 'An API key is needed'),
  ACCOUNT_BUDGET: row(429, 'The API key has posted all it may', 'later'),
  OP_COMMITMENT: row(400, 'Not a commitment of this server'),
  OP_FAIL_OVER: row(503, 'Not served now; use another layer or ask again', 'later'),
  OP_KECCAK_WRONG: row(400, 'The body has another hash'),
  COMMITMENT_MODE: row(400, 'No such commitment mode'),
  EIGENDA_REQUEST: row(400, 'Not a request of this door'),
  EIGENDA_CERTIFICATE: row(418, 'The certificate stands for nothing'),
  EIGENDA_UNDECIDED: row(503, 'What becomes of the certificate is not decided yet', 'later'),
  NITRO_CERTIFICATE: row(422, 'The certificate stands for nothing'),
  NITRO_UNDECIDED: row(503, 'What becomes of the certificate is not decided yet', 'later'),
  NITRO_MESSAGE_SIZE: row(413, 'Messages are not that long'),
  NITRO_RETENTION: row(422, 'Blobs are not kept for that long'),
  NITRO_STREAM: row(409, 'Not the next part of a message'),
  PAYLOAD_TOO_LARGE: row(413, 'Payloads are not that long'),
  QUORUM_TOO_LARGE: row(422, 'The quorum has more members than rows are laid out for'),
};

/** Codes whose sentences name paths or other machines: only their title is told. */
const UNTOLD: readonly string[] = ['RPC_ERROR', 'CHAIN_UNREACHABLE', 'DISK_FULL', 'OP_FAIL_OVER'];

/** Families by prefix, for codes without a row. */
const FAMILIES: readonly (readonly [prefix: string, advice: FaultAdvice])[] = [
  ['WIRE_', row(400, 'Malformed request')],
  ['ID_', row(400, 'Not an identifier')],
  ['MESSAGE_', row(400, 'Malformed message')],
  ['SLICE_', row(422, 'Not a slice of this blob')],
  ['ROW_', row(422, 'Not a row of this blob')],
  ['PROOF_', row(422, 'The proof does not hold')],
  ['SEGMENT_', row(422, 'Not a segment of this file')],
  ['NODE_LAYOUT', row(422, 'Not the nodes of this file')],
  ['TRANSPORT_', row(502, 'Another node did not answer', 'elsewhere')],
  ['KV_', row(400, 'The question cannot be answered as it is')],
  ['LOG_', row(500, 'The log store has a fault', 'elsewhere')],
];

const UNKNOWN: FaultAdvice = row(500, 'Internal error', 'elsewhere');

/** What to answer for `code`; an unknown code is an internal error. */
export function faultAdvice(code: string): FaultAdvice {
  if (Object.hasOwn(ROWS, code)) return ROWS[code] ?? UNKNOWN;
  return FAMILIES.find(([prefix]) => code.startsWith(prefix))?.[1] ?? UNKNOWN;
}

/** Every code with a row, for documentation. */
export function faultRows(): readonly (readonly [code: string, advice: FaultAdvice])[] {
  return Object.entries(ROWS);
}

/**
 * The problem that says what was thrown. What is no fault, or an internal one, keeps its sentence
 * to itself: it may name paths or peers.
 */
export function problemOf(error: unknown): Problem {
  const code = error instanceof Fault ? error.code : 'INTERNAL';
  const { status, title, retry } = faultAdvice(code);
  const isTold = (status < 500 || Object.hasOwn(ROWS, code)) && !UNTOLD.includes(code);
  const detail = error instanceof Fault && isTold ? error.message : title;
  return { type: `urn:cairn:fault:${code}`, title, status, detail, code, retry };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseProblem(value: unknown): Problem {
  const fields = fieldsOf(value, 'problem');
  const retry = isRecord(value) ? value['retry'] : undefined;
  return {
    type: textField(fields, 'type', 'problem', 200),
    title: textField(fields, 'title', 'problem', 200),
    status: naturalField(fields, 'status', 'problem', { min: 100, max: 699 }),
    detail: textField(fields, 'detail', 'problem', 4000),
    code: textField(fields, 'code', 'problem', 100),
    retry: retry === 'later' || retry === 'elsewhere' ? retry : 'never',
  };
}
