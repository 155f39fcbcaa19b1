import {
  chainIdOf,
  compareBytes,
  concatBytes,
  MAX_GROUP_MEMBERS,
  utf8Bytes,
} from '@cairn/primitives';
import { BLOB_HEADER_BYTES } from './blob-header.ts';
import { type BlsBackend, SIGNATURE_BYTES, type Signature } from './bls-backend.ts';
import { BodyReader } from './body-reader.ts';
import { assertBytes, packed } from './body-writer.ts';
import { CHECKPOINT_BYTES } from './checkpoint.ts';
import type { Network } from './digests.ts';
import { EPOCH_HEADER_BYTES } from './epoch-header.ts';
import { CertificateError, MessageError } from './errors.ts';
import { claimedIndex, MEMBER_BYTES } from './member.ts';
import { HASH_BYTES, treeDepth } from './merkle-tree.ts';
import { SERVED_ENTRY_BYTES } from './served-entry.ts';
import {
  type Domain,
  STATEMENT_KINDS,
  type Statement,
  type StatementKind,
  statementKindOf,
} from './statement.ts';

const MAGIC = 'CCRT';
const VERSION = 1;
/** Siblings that one byte counts: the form of small groups. */
const MAX_SHORT_SIBLINGS = 255;
/** A proof of several leaves has fewer hashes than its tree has leaves. */
const MAX_SIBLINGS: number = MAX_GROUP_MEMBERS;
/** Bytes of the longest bitmap. */
const MAX_BITMAP_BYTES: number = Math.ceil(MAX_GROUP_MEMBERS / 8);
const MODES = { absent: 0, bitmap: 1, members: 2, membersOfMany: 3 } as const;

/** Bytes of a body by kind of statement, most and least. */
const BODY_BYTES: Readonly<Record<StatementKind, { readonly min: number; readonly max: number }>> =
  {
    [STATEMENT_KINDS.batch]: { min: BLOB_HEADER_BYTES, max: BLOB_HEADER_BYTES },
    [STATEMENT_KINDS.checkpoints]: { min: CHECKPOINT_BYTES, max: CHECKPOINT_BYTES },
    [STATEMENT_KINDS.handover]: EPOCH_HEADER_BYTES,
    [STATEMENT_KINDS.served]: { min: SERVED_ENTRY_BYTES, max: SERVED_ENTRY_BYTES },
    [STATEMENT_KINDS.promisedBatch]: { min: BLOB_HEADER_BYTES, max: BLOB_HEADER_BYTES },
  };

/** How a certificate tells who signed. */
export type SignerList =
  /** The members that did not, by index, rising. Needs the list of all members. */
  | { readonly mode: 'absent'; readonly indexes: readonly number[] }
  /** Bit i%8 of byte i/8 is set if member i signed. Needs the list of all members. */
  | { readonly mode: 'bitmap'; readonly bits: Uint8Array }
  /** The members that did not, with what ties them to the snapshot: needs nothing else. */
  | {
      readonly mode: 'members';
      /** 124 bytes each. */
      readonly bodies: readonly Uint8Array[];
      readonly siblings: readonly Uint8Array[];
    };

/** A certificate as it comes from outside: its form is checked, and nothing else. */
export interface Certificate {
  readonly network: Network;
  readonly kind: StatementKind;
  readonly domain: Domain;
  /** The epoch whose quorum signed. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Leaves under the signed root; 1 for a handover. */
  readonly count: number;
  /** The leaf's body: a blob header, a checkpoint, a served entry, or the header of the next epoch. */
  readonly body: Uint8Array;
  readonly leafIndex: number;
  /** 32 bytes each, bottom-up; exactly the depth of `count` leaves. */
  readonly path: readonly Uint8Array[];
  readonly signers: SignerList;
  readonly signature: Signature;
}

/**
 * A certificate's bytes. Several are valid for one statement: what names a certificate is its
 * statement's digest.
 *
 * @throws {CertificateError} CERTIFICATE_SIBLINGS; {RangeError} for what no certificate holds
 */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  const { network, kind, domain, body, path, signature } = certificate;
  const { epoch, quorumId, count, leafIndex } = certificate;
  if (path.length !== treeDepth(count)) {
    throw new RangeError(`a path among ${count} leaves has ${treeDepth(count)} hashes`);
  }
  assertBytes(signature, SIGNATURE_BYTES, 'a signature');
  for (const hash of path) assertBytes(hash, HASH_BYTES, 'a hash of a path');
  const { min, max } = BODY_BYTES[kind];
  if (body.length < min || body.length > max) {
    throw new RangeError(`a body of kind ${kind} has ${min} to ${max} bytes, not ${body.length}`);
  }
  const hub = packed([network.hubChainId, 8], network.hub);
  const about = packed([domain.chainId, 8], domain.address, [epoch, 8], [quorumId, 4], [count, 4]);
  return concatBytes(
    packed(utf8Bytes(MAGIC), [VERSION, 1], [kind, 1]),
    hub,
    about,
    packed([body.length, 2], body, [leafIndex, 4], [path.length, 1], ...path),
    encodeSigners(certificate.signers),
    signature,
  );
}

/**
 * The shorter way to tell absent members to whoever has the list of all: by index, or as a bitmap.
 *
 * @param absent - rising
 */
export function shortestSigners(absent: readonly number[], memberCount: number): SignerList {
  const bitmapBytes = Math.ceil(memberCount / 8);
  if (2 + 2 * absent.length <= bitmapBytes) return { mode: 'absent', indexes: absent };
  const bits = new Uint8Array(bitmapBytes);
  const isAbsent = new Set(absent);
  for (let index = 0; index < memberCount; index += 1) {
    if (!isAbsent.has(index)) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return { mode: 'bitmap', bits };
}

/**
 * The certificate in bytes from outside. Every count is bounded before anything is made room for;
 * there is one form of each mode. Whether a bitmap fits its group shows when it is verified.
 *
 * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER, MESSAGE_ORDER; MESSAGE_FIELD for another
 *   magic, version, kind, mode, body length or depth; {BlsError}
 *   BLS_NOT_A_SIGNATURE
 */
export function parseCertificate(
  bytes: Uint8Array,
  backend: Pick<BlsBackend, 'parseSignature'>,
): Certificate {
  const reader = new BodyReader('certificate', bytes);
  const magic = reader.bytes(4);
  if (compareBytes(magic, utf8Bytes(MAGIC)) !== 0) throw reader.refuse('magic', magic[0] ?? 0);
  const version = reader.number(1, 'version');
  if (version !== VERSION) throw reader.refuse('version', version);
  const kindValue = reader.number(1, 'kind');
  const kind = statementKindOf(kindValue);
  if (kind === undefined) throw reader.refuse('kind', kindValue);
  const network = { hubChainId: readChainId(reader, 'hub chain'), hub: reader.address() };
  const domain = { chainId: readChainId(reader, 'domain chain'), address: reader.address() };
  const epoch = reader.number(8, 'epoch');
  const quorumId = reader.number(4, 'quorum');
  const count = reader.number(4, 'count');
  if (count === 0 || (kind === STATEMENT_KINDS.handover && count !== 1)) {
    throw reader.refuse('count', count);
  }
  const bodyLength = reader.number(2, 'body length');
  const { min, max } = BODY_BYTES[kind];
  if (bodyLength < min || bodyLength > max) throw reader.refuse('body length', bodyLength);
  const body = reader.bytes(bodyLength);
  const leafIndex = reader.number(4, 'leaf index', count - 1);
  const depth = reader.number(1, 'depth');
  if (depth !== treeDepth(count)) throw reader.refuse('depth', depth);
  const path = Array.from({ length: depth }, () => reader.bytes(HASH_BYTES));
  const signers = parseSigners(reader);
  const signature = backend.parseSignature(reader.bytes(SIGNATURE_BYTES));
  reader.end();
  const place = { epoch, quorumId, count, body, leafIndex, path };
  return { network, kind, domain, ...place, signers, signature };
}

/** What a certificate's quorum signed, given the root that its body and path lead to. */
export function statementOf(certificate: Certificate, root: Uint8Array): Statement {
  const { kind, domain, epoch, quorumId, count } = certificate;
  return { kind, domain, epoch, quorumId, count, root };
}

function encodeSigners(signers: SignerList): Uint8Array {
  switch (signers.mode) {
    case 'absent':
      return packed(
        [MODES.absent, 1],
        [signers.indexes.length, 2],
        ...signers.indexes.map((index) => [index, 2] as const),
      );
    case 'bitmap':
      return packed([MODES.bitmap, 1], signers.bits);
    case 'members': {
      const { bodies, siblings } = signers;
      if (siblings.length > MAX_SIBLINGS) throw tooManySiblings(siblings.length);
      const isShort = siblings.length <= MAX_SHORT_SIBLINGS;
      const mode = isShort ? MODES.members : MODES.membersOfMany;
      const head = packed([mode, 1], [bodies.length, 2], ...bodies);
      return packed(head, [siblings.length, isShort ? 1 : 2], ...siblings);
    }
  }
}

function parseSigners(reader: BodyReader): SignerList {
  const mode = reader.number(1, 'mode');
  switch (mode) {
    case MODES.absent: {
      const count = readCount(reader, 2);
      const indexes = Array.from({ length: count }, () => reader.number(2, 'index'));
      assertRising(indexes);
      return { mode: 'absent', indexes };
    }
    case MODES.bitmap: {
      const length = reader.left - SIGNATURE_BYTES; // the signature is all that follows
      if (length < 1 || length > MAX_BITMAP_BYTES) throw reader.refuse('bitmap length', length);
      return { mode: 'bitmap', bits: reader.bytes(length) };
    }
    case MODES.members:
    case MODES.membersOfMany: {
      const count = readCount(reader, MEMBER_BYTES);
      const bodies = Array.from({ length: count }, () => reader.bytes(MEMBER_BYTES));
      const siblingCount = readSiblingCount(reader, mode);
      const siblings = Array.from({ length: siblingCount }, () => reader.bytes(HASH_BYTES));
      assertRising(bodies.map(claimedIndex));
      return { mode: 'members', bodies, siblings };
    }
    default:
      throw reader.refuse('mode', mode);
  }
}

/** A count of items that are all there. @throws {MessageError} before anything is made of them */
function readCount(reader: BodyReader, itemBytes: number): number {
  const count = reader.number(2, 'absent members');
  if (count * itemBytes > reader.left) throw reader.refuse('absent members', count);
  return count;
}

/** Two bytes count what one cannot, and nothing else: there is one form of each proof. */
function readSiblingCount(reader: BodyReader, mode: number): number {
  if (mode === MODES.members) return reader.number(1, 'siblings');
  const count = reader.number(2, 'siblings');
  const isOne = count > MAX_SHORT_SIBLINGS && count * HASH_BYTES <= reader.left;
  if (!isOne) throw reader.refuse('siblings', count);
  return count;
}

function readChainId(reader: BodyReader, field: string): ReturnType<typeof chainIdOf> {
  const value = reader.number(8, field);
  if (value === 0) throw reader.refuse(field, value);
  return chainIdOf(value);
}

function assertRising(indexes: readonly number[]): void {
  let previous = -1;
  for (const index of indexes) {
    if (index <= previous) {
      throw new MessageError(
        { code: 'MESSAGE_ORDER', what: 'absent members', index },
        `absent member ${index} stands after ${previous}: indexes must rise`,
      );
    }
    previous = index;
  }
}

function tooManySiblings(siblings: number): CertificateError {
  return new CertificateError(
    { code: 'CERTIFICATE_SIBLINGS', siblings, maxSiblings: MAX_SIBLINGS },
    `a certificate that brings its absent members counts ${MAX_SIBLINGS} hashes at most, not ${siblings}`,
  );
}
