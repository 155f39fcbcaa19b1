import { SIGNATURE_BYTES, STATEMENT_KINDS } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  fromHex,
  parseAddress,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
} from '../wire-fields.ts';
import { MAX_BUNDLE_CHECKPOINTS } from './checkpoint-messages.ts';
import { VOTE_BYTES } from './votes.ts';

/** Leaves of a served report at most: every member of 32 quorums of 512, and the total. */
export const MAX_REPORT_ENTRIES = 16_385;

/** What a quorum states by virtue of its office: kind 2 checkpoints, 3 a handover, 4 a served report. */
export type OfficeKind =
  | typeof STATEMENT_KINDS.checkpoints
  | typeof STATEMENT_KINDS.handover
  | typeof STATEMENT_KINDS.served;

/** One signer's signature under such a statement; nothing is proven. */
export interface OfficeVote {
  readonly kind: OfficeKind;
  /** The epoch of the quorum's office. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Leaves; 1 for a handover, at most 64 checkpoints. */
  readonly count: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly signer: Address;
  /** 96 bytes, compressed. */
  readonly signature: Uint8Array;
}

const VOTE = { what: 'vote', magic: 'CVOT', version: 1 } as const;

/**
 * A vote as 176 bytes, laid out like that for a batch: "CVOT", version u8 = 1, kind u8 (2, 3 or 4), two
 * zero bytes, epoch u64, quorum u32, count u32, root 32, signer 20, signature 96. Big-endian.
 *
 * @throws {WireError} WIRE_FIELD, WIRE_LENGTH; {RangeError} if a number does not fit
 */
export function encodeOfficeVote(vote: OfficeVote): Uint8Array {
  assertCount(vote.kind, vote.count);
  assertWireLength(vote.root, 32, 'root');
  assertWireLength(vote.signature, SIGNATURE_BYTES, 'signature');
  return concatBytes(
    encodePreamble({ ...VOTE, form: vote.kind }),
    bigEndianBytes(vote.epoch, 8),
    bigEndianBytes(vote.quorumId, 4),
    bigEndianBytes(vote.count, 4),
    vote.root,
    fromHex(vote.signer),
    vote.signature,
  );
}

/** The vote in these bytes; copies. @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD */
export function parseOfficeVote(bytes: Uint8Array): OfficeVote {
  const kind = parsePreamble(bytes, VOTE);
  if (!isOfficeKind(kind)) return refuseField(VOTE.what, 'kind', '2, 3 or 4', kind);
  assertWireLength(bytes, VOTE_BYTES, VOTE.what);
  const view = viewOf(bytes);
  const count = view.getUint32(20);
  assertCount(kind, count);
  return {
    kind,
    epoch: readWireNumber(view, PREAMBLE_BYTES, VOTE.what, 'epoch'),
    quorumId: view.getUint32(16),
    count,
    root: bytes.slice(24, 56),
    signer: parseAddress(toHex(bytes.subarray(56, 76))),
    signature: bytes.slice(76),
  };
}

const COUNTS: Readonly<Record<OfficeKind, readonly [number, number]>> = {
  [STATEMENT_KINDS.checkpoints]: [1, MAX_BUNDLE_CHECKPOINTS],
  [STATEMENT_KINDS.handover]: [1, 1],
  [STATEMENT_KINDS.served]: [2, MAX_REPORT_ENTRIES],
};

function isOfficeKind(kind: number): kind is OfficeKind {
  return kind in COUNTS;
}

function assertCount(kind: OfficeKind, count: number): void {
  const [least, most] = COUNTS[kind];
  if (Number.isInteger(count) && count >= least && count <= most) return;
  refuseField(VOTE.what, 'count', `${least} to ${most}`, count);
}
