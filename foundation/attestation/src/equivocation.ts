import {
  type Address,
  bigEndianBytes,
  type ChainId,
  concatBytes,
  equalBytes,
  fromHex,
  readSafeU64,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { WORD_BYTES } from './abi-words.ts';
import { BLOB_HEADER_VERSION, parseBlobHeader, promiseSlotOf } from './blob-header.ts';
import type { BlsBackend, Signature } from './bls-backend.ts';
import { parseCheckpoint } from './checkpoint.ts';
import type { Network } from './digests.ts';
import { parseEpochHeader } from './epoch-header.ts';
import { keyToStorageWords, signatureToWords } from './points.ts';
import type { SignedLeaf, VerifiedSignedLeaf } from './signed-leaf.ts';
import { STATEMENT_KINDS, type StatementKind } from './statement.ts';

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

/** A checkpoint as the slasher's ABI names its fields. */
export interface SlasherCheckpoint {
  readonly shardId: number;
  readonly number: number;
  readonly prev: Uint8Array;
  readonly flowRoot: Uint8Array;
  readonly flowLength: number;
  readonly logRoot: Uint8Array;
  readonly logCount: number;
  readonly daRoot: Uint8Array;
  readonly daCount: number;
  readonly blockNumber: number;
  readonly blockHash: Uint8Array;
  readonly time: number;
}

/** Where in which statement a header was signed for, as the slasher's ABI names it. */
export interface SlasherVote {
  /** Of the statement: a batch of submitted or of promised blobs, or a bundle of checkpoints. */
  readonly kind: StatementKind;
  readonly epoch: number;
  readonly quorumId: number;
  readonly count: number;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** Eight words. */
  readonly signature: readonly bigint[];
}

/** Chain and entrance that batches were for, as the slasher's ABI names them. */
export interface SlasherDomain {
  readonly chainId: ChainId;
  readonly entrance: Address;
}

/** What convicts a signer: the slasher's call and its arguments, by name and in order. */
export type Evidence =
  | {
      readonly call: 'slashDA';
      readonly domain: SlasherDomain;
      /** Three words. */
      readonly key: readonly bigint[];
      readonly first: SlasherHeader;
      readonly firstVote: SlasherVote;
      readonly second: SlasherHeader;
      readonly secondVote: SlasherVote;
    }
  | {
      readonly call: 'slashCheckpoint';
      /** Three words. */
      readonly key: readonly bigint[];
      readonly first: SlasherCheckpoint;
      readonly firstVote: SlasherVote;
      readonly second: SlasherCheckpoint;
      readonly secondVote: SlasherVote;
    }
  | {
      readonly call: 'slashHandover';
      /** Three words. */
      readonly key: readonly bigint[];
      readonly first: SlasherEpochHeader;
      /** Eight words. */
      readonly firstSignature: readonly bigint[];
      readonly second: SlasherEpochHeader;
      readonly secondSignature: readonly bigint[];
    };

/** First byte of a slot: what kind of thing is signed for once. */
const SLOT_TAGS = { blob: 1, checkpoint: 2, handover: 3 } as const;

/** What a slot follows from. */
export interface SlotClaim {
  readonly statement: Pick<SignedLeaf['statement'], 'kind' | 'domain'>;
  readonly body: Uint8Array;
}

/**
 * What a signer may sign for once only: a blob's place on its entrance, a number in a shard's stream of
 * checkpoints, or the header of an epoch. Two bodies with one slot must be the same; a signer's log is
 * kept by it.
 *
 * Entrance, chain, shard and index of a submitted blob, also its payer for a promised one; ordering
 * hub, shard and number for a checkpoint, in whatever epoch; hub and epoch for a handover. `undefined`
 * for what may be stated anew.
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
    case STATEMENT_KINDS.checkpoints: {
      const { shardId, number } = parseCheckpoint(body);
      const stream = [bigEndianBytes(shardId, 4), bigEndianBytes(number, 8)];
      return concatBytes(Uint8Array.of(SLOT_TAGS.checkpoint), place, ...stream);
    }
    case STATEMENT_KINDS.handover: {
      const epoch = bigEndianBytes(parseEpochHeader(body).epoch, 8);
      return concatBytes(Uint8Array.of(SLOT_TAGS.handover), place, epoch);
    }
    case STATEMENT_KINDS.served:
      return undefined;
  }
}

/** The number of the checkpoint whose slot this is; `undefined` for a slot of another kind. */
export function checkpointNumberOf(slot: Uint8Array): number | undefined {
  if (slot[0] !== SLOT_TAGS.checkpoint || slot.length < 8) return undefined;
  return readSafeU64(viewOf(slot), slot.length - 8);
}

/**
 * The evidence that a key signed two bodies for one slot, in whatever epochs, quorums and kinds of
 * batch. `undefined` where it did not, as for the same body in two batches, and for what the slasher
 * cannot rebuild: checkpoints for a contract of another chain than the hub's, handovers to another
 * contract than the sortition, or by another group than the committee.
 *
 * @throws {MessageError} for bodies that are not of their kind
 */
export function findEquivocation(
  first: VerifiedSignedLeaf,
  second: VerifiedSignedLeaf,
  backend: Pick<BlsBackend, 'expandSignature'>,
): Evidence | undefined {
  const isRebuilt = rebuiltAs(first);
  if (!isRebuilt(first) || !isRebuilt(second) || !isConflict(first, second)) return undefined;
  const key = keyToStorageWords(first.publicKey).map(numberOf);
  if (isRebuilt === isBundle) {
    return {
      call: 'slashCheckpoint',
      key,
      first: slasherCheckpoint(first.body),
      firstVote: slasherVote(first, backend),
      second: slasherCheckpoint(second.body),
      secondVote: slasherVote(second, backend),
    };
  }
  if (isRebuilt === isBatch) {
    const { chainId, address: entrance } = first.statement.domain;
    return {
      call: 'slashDA',
      domain: { chainId, entrance },
      key,
      first: slasherHeader(first.body),
      firstVote: slasherVote(first, backend),
      second: slasherHeader(second.body),
      secondVote: slasherVote(second, backend),
    };
  }
  return {
    call: 'slashHandover',
    key,
    first: slasherEpochHeader(first.body),
    firstSignature: signatureWords(first.signature, backend),
    second: slasherEpochHeader(second.body),
    secondSignature: signatureWords(second.signature, backend),
  };
}

function isConflict(first: VerifiedSignedLeaf, second: VerifiedSignedLeaf): boolean {
  const slot = slotOf(first);
  const other = slotOf(second);
  return (
    equalBytes(first.publicKey, second.publicKey) &&
    isSameNetwork(first.network, second.network) &&
    slot !== undefined &&
    other !== undefined &&
    equalBytes(slot, other) &&
    !equalBytes(first.body, second.body)
  );
}

function isSameNetwork(first: Network, second: Network): boolean {
  return first.hubChainId === second.hubChainId && first.hub === second.hub;
}

/** What the slasher's call for a kind of statement asks of both. */
function rebuiltAs(signed: SignedLeaf): typeof isBatch | typeof isBundle | typeof isHandover {
  if (isBatch(signed)) return isBatch;
  return signed.statement.kind === STATEMENT_KINDS.checkpoints ? isBundle : isHandover;
}

function isBundle({ statement: { kind, domain }, network }: VerifiedSignedLeaf): boolean {
  return kind === STATEMENT_KINDS.checkpoints && domain.chainId === network.hubChainId;
}

function isBatch({ statement: { kind } }: SignedLeaf): boolean {
  return kind === STATEMENT_KINDS.batch || kind === STATEMENT_KINDS.promisedBatch;
}

function isHandover({ statement, body, network }: VerifiedSignedLeaf): boolean {
  const { kind, domain, epoch, quorumId, count } = statement;
  if (kind !== STATEMENT_KINDS.handover || quorumId !== 0 || count !== 1) return false;
  if (domain.chainId !== network.hubChainId || domain.address !== network.hub) return false;
  return parseEpochHeader(body).epoch === epoch + 1;
}

function slasherHeader(body: Uint8Array): SlasherHeader {
  const { rowSizeBytes, sizeBytes, expirySeconds, ...rest } = parseBlobHeader(body);
  const renamed = { rowSize: rowSizeBytes, length: sizeBytes, expiry: expirySeconds };
  return { version: BLOB_HEADER_VERSION, ...rest, ...renamed };
}

function slasherCheckpoint(body: Uint8Array): SlasherCheckpoint {
  const { previous, timeSeconds, ...rest } = parseCheckpoint(body);
  return { prev: previous, time: timeSeconds, ...rest };
}

function slasherEpochHeader(body: Uint8Array): SlasherEpochHeader {
  const { previous, startSeconds, endSeconds, ...rest } = parseEpochHeader(body);
  return { prev: previous, startTime: startSeconds, endTime: endSeconds, ...rest };
}

function slasherVote(
  { statement, leafIndex, path, signature }: SignedLeaf,
  backend: Pick<BlsBackend, 'expandSignature'>,
): SlasherVote {
  const { kind, epoch, quorumId, count } = statement;
  return {
    kind,
    epoch,
    quorumId,
    count,
    index: leafIndex,
    path,
    signature: signatureWords(signature, backend),
  };
}

function signatureWords(
  signature: Signature,
  backend: Pick<BlsBackend, 'expandSignature'>,
): bigint[] {
  const words = signatureToWords(signature, backend);
  return Array.from({ length: words.length / WORD_BYTES }, (_, word) =>
    numberOf(words.subarray(word * WORD_BYTES, (word + 1) * WORD_BYTES)),
  );
}

function numberOf(word: Uint8Array): bigint {
  return BigInt(toHex(word));
}
