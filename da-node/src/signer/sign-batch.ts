import {
  type BlobHeader,
  type EpochHeader,
  encodeBlobHeader,
  leafHash,
  promiseSlotOf,
  STATEMENT_KINDS,
  treeRoot,
} from '@cairn/attestation';
import { type Address, type Clock, forEachConcurrent, rootOf } from '@cairn/primitives';
import type { BatchVote, VoteRequest } from '@cairn/wire-protocol/da';
import { SignerError } from '../errors.ts';
import { assertSubmitted, misplaced, quorumOfHeader, requireLayout } from './check-blob.ts';
import { assertInTime } from './check-promise.ts';
import type { SignerMetrics } from './metrics.ts';
import type { BatchBook } from './office/batch-book.ts';
import type { CoveredPlace, PlaceBook } from './places.ts';
import type { ChainOptions, SignerChain } from './ports.ts';
import type { PromiseCover } from './promise-cover.ts';
import { type ProtectionLog, signProtected } from './protection-log.ts';
import { requireOffice, requireSeat, type SignerIdentity } from './seat.ts';
import { type HeldSlice, leafOf } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';
import type { VoteBook } from './vote-book.ts';

/** What signing a batch needs. */
export interface BatchSignerDeps {
  readonly places: Pick<PlaceBook, 'home' | 'of' | 'require'>;
  readonly identity: SignerIdentity;
  readonly store: Pick<SliceStore, 'get'>;
  readonly protection: ProtectionLog;
  readonly votes: VoteBook;
  /** Headers of what was signed, which the chain does not keep. */
  readonly batches: Pick<BatchBook, 'put'>;
  readonly clock: Clock;
  readonly metrics: SignerMetrics;
}

/** Submissions looked up at once. */
const PARALLEL_LOOKUPS = 16;

/**
 * Signs batches, each in the name of the shard that its first blob is of: the epoch signs now and this signer has a seat → every header is of this epoch, quorum
 * and kind, and submitted for good or promised and covered → all its rows are on the disk → its slot is
 * this leaf's for good → only then the signature. One header that fails refuses the whole batch.
 *
 * @see the rules for signers of data-availability batches: kind 1 and kind 5
 */
export class BatchSigner {
  readonly #deps: BatchSignerDeps;

  constructor(deps: BatchSignerDeps) {
    this.#deps = deps;
  }

  /**
   * The vote for a batch; the one that was given before, if it was.
   *
   * @throws {SignerError} for every rule that is not met; {CodecError}; {StorageError} DISK_FULL;
   *   {QueueFullError}; what the chain throws; the signal's reason
   */
  async sign(request: VoteRequest, { signal }: ChainOptions): Promise<BatchVote> {
    const { identity, protection, votes, clock } = this.#deps;
    const { chain, network, cover } = this.#placeOf(request);
    const bodies = request.headers.map(encodeBlobHeader);
    const known = await votes.get(rootOf(treeRoot(bodies.map(leafHash))));
    if (known !== undefined && isFor(known, request)) return known;
    const { kind, epoch, quorumId } = request;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const office = await requireOffice({ epoch, nowSeconds }, { chain, network }, { signal });
    await requireSeat({ epoch, quorumId }, { chain, identity }, { signal });
    assertPlaces(request, { network, office, nowSeconds });
    const slices = request.headers.map((header) => this.#requireHeld(header, request));
    if (kind === STATEMENT_KINDS.batch) await assertFinal(request, chain, signal);
    else await assertPromised(slices, { cover, office, nowSeconds, quorumId }, signal);
    const about = { kind, domain: network.entrance, epoch, quorumId };
    const statement = await protection.protect(about, bodies, { signal });
    const signature = signProtected(identity.key, network.network, statement);
    const { count, root } = statement;
    const vote = { kind, epoch, quorumId, count, root, signer: identity.address, signature };
    await this.#deps.batches.put(request);
    await votes.put(vote, office.endSeconds + network.graceSeconds);
    this.#deps.metrics.signedBlobs.add(count);
    return vote;
  }

  /** The shard in whose turn a request is worked on: one that is not served here takes the own one's. */
  turnOf({ headers: [first] }: VoteRequest): number {
    const { places } = this.#deps;
    const { network } = (first === undefined ? undefined : places.of(first.shardId)) ?? places.home;
    return network.shardId;
  }

  /** @throws {SignerError} SHARD_AWAY, BLOB_MISPLACED */
  #placeOf({ headers: [first] }: VoteRequest): CoveredPlace {
    const { places } = this.#deps;
    return first === undefined ? places.home : places.require(first);
  }

  /** All rows of this signer, proven when they came. @throws {SignerError} BLOB_NOT_HELD */
  #requireHeld(header: BlobHeader, { epoch, quorumId }: VoteRequest): HeldSlice {
    const held = this.#deps.store.get(leafOf(header));
    if (held?.epoch === epoch && held.quorumId === quorumId) return held;
    const { submissionIndex } = header;
    throw new SignerError(
      { code: 'BLOB_NOT_HELD', submissionIndex },
      `the rows of blob ${submissionIndex} are not held here`,
    );
  }
}

/** Every header is what its event in a final block says. */
async function assertFinal(
  request: VoteRequest,
  chain: Pick<SignerChain, 'submission'>,
  signal: AbortSignal,
): Promise<void> {
  const check = async (header: BlobHeader, inner: AbortSignal): Promise<void> => {
    const { submissionIndex } = header;
    const submitted = await chain.submission(submissionIndex, { signal: inner });
    assertSubmitted(header, submitted, request);
    if (submitted.isFinal) return;
    throw new SignerError(
      { code: 'BLOB_NOT_FINAL', submissionIndex },
      `the block of submission ${submissionIndex} can still be taken back`,
    );
  };
  await forEachConcurrent(request.headers, check, { parallel: PARALLEL_LOOKUPS, signal });
}

/** Every promise can still be signed for, and its payer's deposit covers all that are open. */
async function assertPromised(
  slices: readonly HeldSlice[],
  {
    cover,
    office,
    nowSeconds,
    quorumId,
  }: {
    readonly cover: PromiseCover;
    readonly office: EpochHeader;
    readonly nowSeconds: number;
    readonly quorumId: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const payers = new Set<Address>();
  for (const { header, promise } of slices) {
    if (promise !== undefined) assertInTime(promise.terms, nowSeconds);
    payers.add(header.submitter);
  }
  const check = (payer: Address, inner: AbortSignal): Promise<void> =>
    cover.assertCovered({ payer, office, quorumId }, { signal: inner });
  await forEachConcurrent(payers, check, { parallel: PARALLEL_LOOKUPS, signal });
}

/** A batch with any blob of another place, or twice the same, is refused before anything is looked up. */
function assertPlaces(
  { kind, quorumId, headers }: VoteRequest,
  context: Parameters<typeof requireLayout>[1],
): void {
  const seen = new Set<string>();
  for (const header of headers) {
    const isPromised = promiseSlotOf(header.submissionIndex) !== undefined;
    const expected = isPromised ? STATEMENT_KINDS.promisedBatch : STATEMENT_KINDS.batch;
    if (kind !== expected) throw misplaced(header, 'kind', kind, expected);
    requireLayout(header, context);
    const quorum = quorumOfHeader(header, context.office);
    if (quorum !== quorumId) throw misplaced(header, 'quorum', quorumId, quorum);
    const leaf = leafOf(header);
    if (seen.has(leaf)) {
      const { submissionIndex } = header;
      throw new SignerError(
        { code: 'BATCH_REPEATS', submissionIndex },
        `blob ${submissionIndex} is twice in the batch`,
      );
    }
    seen.add(leaf);
  }
}

function isFor(vote: BatchVote, { kind, epoch, quorumId, headers }: VoteRequest): boolean {
  return (
    vote.kind === kind &&
    vote.epoch === epoch &&
    vote.quorumId === quorumId &&
    vote.count === headers.length
  );
}
