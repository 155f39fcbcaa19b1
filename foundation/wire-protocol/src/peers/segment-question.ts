import {
  concatBytes,
  type Root,
  rootBytes,
  rootOf,
  type Sequence,
  sequenceOf,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { assertBound, refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
} from '../wire-fields.ts';
import { LOG_BYTES, type PeerLog, readLog, writeLog } from './place.ts';
import { MAX_ASKED_SEGMENTS } from './protocols.ts';

/** Which segments of a file are wanted. */
export interface SegmentQuestion extends PeerLog {
  readonly root: Root;
  readonly sequence: Sequence;
  /** File-relative, 1 to 3 of them. */
  readonly indexes: readonly number[];
}

const QUESTION = { what: 'question for segments', magic: 'CSGQ', version: 1 } as const;
const FIXED_BYTES = PREAMBLE_BYTES + LOG_BYTES + 40;

/**
 * Big-endian: "CSGQ", version u8 = 1, count u8, two zero bytes, chain id u64, log contract 20,
 * sequence u64, root 32, indexes u64 each. The answer is segment messages one after another, of
 * those of the asked that are held.
 *
 * @throws {WireError} WIRE_TOO_LONG, WIRE_FIELD for none
 */
export function encodeSegmentQuestion(question: SegmentQuestion): Uint8Array {
  const { indexes, sequence, root } = question;
  requireCount(indexes.length);
  const fixed = new Uint8Array(FIXED_BYTES - PREAMBLE_BYTES + indexes.length * 8);
  const view = viewOf(fixed);
  writeLog(fixed, 0, question);
  writeSafeU64(view, LOG_BYTES, sequence);
  fixed.set(rootBytes(root), LOG_BYTES + 8);
  for (const [at, index] of indexes.entries()) writeSafeU64(view, LOG_BYTES + 40 + at * 8, index);
  return concatBytes(encodePreamble({ ...QUESTION, form: indexes.length }), fixed);
}

/** @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD, WIRE_TOO_LONG */
export function parseSegmentQuestion(bytes: Uint8Array): SegmentQuestion {
  const count = parsePreamble(bytes, QUESTION);
  requireCount(count);
  assertWireLength(bytes, FIXED_BYTES + count * 8, QUESTION.what);
  const view = viewOf(bytes);
  const at = PREAMBLE_BYTES + LOG_BYTES;
  const { chainId, flow } = readLog(bytes, PREAMBLE_BYTES, QUESTION.what);
  return {
    chainId,
    flow,
    sequence: sequenceOf(readWireNumber(view, at, QUESTION.what, 'sequence')),
    root: rootOf(bytes.subarray(at + 8, at + 40)),
    indexes: Array.from({ length: count }, (_, place) =>
      readWireNumber(view, FIXED_BYTES + place * 8, QUESTION.what, 'index'),
    ),
  };
}

function requireCount(count: number): void {
  if (count < 1) refuseField(QUESTION.what, 'count', 'from 1', count);
  assertBound(count, MAX_ASKED_SEGMENTS, `${QUESTION.what}.indexes`);
}
