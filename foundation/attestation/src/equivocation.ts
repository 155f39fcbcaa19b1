import { type Address, bigEndianBytes, concatBytes, equalBytes, fromHex } from '@cairn/primitives';
import { BLOB_HEADER_VERSION, parseBlobHeader, promiseSlotOf } from './blob-header.ts';
import type { BlsBackend, Signature } from './bls-backend.ts';
import { parseEpochHeader } from './epoch-header.ts';
import { keyToStorageWords, signatureToWords } from './points.ts';
import type { SignedLeaf, VerifiedSignedLeaf } from './signed-leaf.ts';
import { STATEMENT_KINDS } from './statement.ts';

/** A blob header as the slasher's ABI names its fields. */
export interface SlasherHeader {
  readonly version: number;
  readonly suite: number;
  readonly log2K: number;
  readonly cosets: number;
  readonly rowSize: number;
  readonly length: number;
  readonly commitment: Uint8Array;
  readonly submitter: Address;
  readonly shardId: number;
  readonly submissionIndex: bigint;
  readonly expiry: number;
}

/** An epoch's header as the slasher's ABI names its fields. */
export interface SlasherEpochHeader {
  readonly epoch: number;
  readonly prev: Uint8Array;
  readonly startTime: number;
  readonly endTime: number;
  readonly seed: Uint8Array;
  readonly orderRoot: Uint8Array;
  readonly orderCount: number;
  readonly snapshotHashes: readonly Uint8Array[];
}

/** Where in which statement a header was signed for. */
export interface SlasherVote {
  readonly epoch: number;
  readonly quorumId: number;
  readonly count: number;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** Eight words. */
  readonly sig: readonly Uint8Array[];
}

/** What convicts a signer: the arguments of the slasher's call, words as 32 bytes each. */
export type Evidence =
  | {
      readonly call: 'slashDA';
      /** Three words. */
      readonly pk: readonly Uint8Array[];
      readonly a: SlasherHeader;
      readonly va: SlasherVote;
      readonly b: SlasherHeader;
      readonly vb: SlasherVote;
    }
  | {
      readonly call: 'slashHandover';
      readonly pk: readonly Uint8Array[];
      readonly a: SlasherEpochHeader;
      readonly sa: readonly Uint8Array[];
      readonly b: SlasherEpochHeader;
      readonly sb: readonly Uint8Array[];
    };

/** First byte of a slot: what kind of thing is signed for once. */
const SLOT_TAGS = { blob: 1, handover: 3 } as const;

/** What a slot follows from. */
export interface SlotClaim {
  readonly statement: Pick<SignedLeaf['statement'], 'kind' | 'domain'>;
  readonly body: Uint8Array;
}

/**
 * What a signer may sign for once only: a blob's place on its entrance, or the header of an epoch.
 * Two bodies with one slot must be the same; a signer's log is kept by it.
 *
 * Entrance, chain, shard and index of a submitted blob, also its payer for a promised one; hub and
 * epoch for a handover. `undefined` for what may be stated anew.
 *
 * @returns bytes to compare, or to store under
 * @throws {MessageError} for a body that is not of its kind
 */
export function slotOf({ statement, body }: SlotClaim): Uint8Array | undefined {
  const { kind, domain } = statement;
  const place = concatBytes(bigEndianBytes(domain.chainId, 8), fromHex(domain.address));
  switch (kind) {
    case STATEMENT_KINDS.batch:
    case STATEMENT_KINDS.promisedBatch: {
      const { shardId, submitter, submissionIndex } = parseBlobHeader(body);
      const isPromised = promiseSlotOf(submissionIndex) !== undefined;
      const index = [bigEndianBytes(shardId, 4), bigEndianBytes(submissionIndex, 8)];
      const payer = isPromised ? [fromHex(submitter)] : [];
      return concatBytes(Uint8Array.of(SLOT_TAGS.blob), place, ...index, ...payer);
    }
    case STATEMENT_KINDS.handover: {
      const epoch = bigEndianBytes(parseEpochHeader(body).epoch, 8);
      return concatBytes(Uint8Array.of(SLOT_TAGS.handover), place, epoch);
    }
    case STATEMENT_KINDS.served:
      return undefined;
  }
}

/**
 * The evidence that a key signed two bodies for one slot. `undefined` where it did not, as for the
 * same body in two batches, and for statements that the slasher cannot rebuild: of different
 * epochs, of the other kind than the blob's index has, or a handover by another group than the
 * committee.
 *
 * @throws {MessageError} for bodies that are not of their kind
 */
export function findEquivocation(
  first: VerifiedSignedLeaf,
  second: VerifiedSignedLeaf,
  backend: Pick<BlsBackend, 'expandSignature'>,
): Evidence | undefined {
  const isBlob = first.statement.kind !== STATEMENT_KINDS.handover;
  const isRebuilt = isBlob ? isBlobStatement : isHandoverStatement;
  if (!isRebuilt(first) || !isRebuilt(second) || !isConflict(first, second)) return undefined;
  const pk = keyToStorageWords(first.publicKey);
  if (isBlob) {
    return {
      call: 'slashDA',
      pk,
      a: slasherHeader(first.body),
      va: slasherVote(first, backend),
      b: slasherHeader(second.body),
      vb: slasherVote(second, backend),
    };
  }
  return {
    call: 'slashHandover',
    pk,
    a: slasherEpochHeader(first.body),
    sa: signatureWords(first.signature, backend),
    b: slasherEpochHeader(second.body),
    sb: signatureWords(second.signature, backend),
  };
}

function isConflict(first: VerifiedSignedLeaf, second: VerifiedSignedLeaf): boolean {
  const slot = slotOf(first);
  const other = slotOf(second);
  return (
    equalBytes(first.publicKey, second.publicKey) &&
    first.statement.epoch === second.statement.epoch &&
    slot !== undefined &&
    other !== undefined &&
    equalBytes(slot, other) &&
    !equalBytes(first.body, second.body)
  );
}

function isBlobStatement({ statement, body }: SignedLeaf): boolean {
  if (
    statement.kind !== STATEMENT_KINDS.batch &&
    statement.kind !== STATEMENT_KINDS.promisedBatch
  ) {
    return false;
  }
  const isPromised = promiseSlotOf(parseBlobHeader(body).submissionIndex) !== undefined;
  return isPromised === (statement.kind === STATEMENT_KINDS.promisedBatch);
}

function isHandoverStatement({ statement, body }: SignedLeaf): boolean {
  const { kind, epoch, quorumId, count } = statement;
  if (kind !== STATEMENT_KINDS.handover || quorumId !== 0 || count !== 1) return false;
  return parseEpochHeader(body).epoch === epoch + 1;
}

function slasherHeader(body: Uint8Array): SlasherHeader {
  const { rowSizeBytes, sizeBytes, expirySeconds, ...rest } = parseBlobHeader(body);
  const renamed = { rowSize: rowSizeBytes, length: sizeBytes, expiry: expirySeconds };
  return { version: BLOB_HEADER_VERSION, ...rest, ...renamed };
}

function slasherEpochHeader(body: Uint8Array): SlasherEpochHeader {
  const { previous, startSeconds, endSeconds, ...rest } = parseEpochHeader(body);
  return { prev: previous, startTime: startSeconds, endTime: endSeconds, ...rest };
}

function slasherVote(
  { statement, leafIndex, path, signature }: SignedLeaf,
  backend: Pick<BlsBackend, 'expandSignature'>,
): SlasherVote {
  const { epoch, quorumId, count } = statement;
  return {
    epoch,
    quorumId,
    count,
    index: leafIndex,
    path,
    sig: signatureWords(signature, backend),
  };
}

function signatureWords(
  signature: Signature,
  backend: Pick<BlsBackend, 'expandSignature'>,
): Uint8Array[] {
  const words = signatureToWords(signature, backend);
  return Array.from({ length: 8 }, (_, word) => words.slice(word * 32, word * 32 + 32));
}
