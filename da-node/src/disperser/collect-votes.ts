import { setMaxListeners } from 'node:events';
import {
  type BlsBackend,
  type Committee,
  encodeBlobHeader,
  isQuorum,
  leafHash,
  type Statement,
  treeRoot,
  type VerifiedVote,
  verifyVote,
  weightOf,
} from '@cairn/attestation';
import {
  type Clock,
  describeError,
  isFault,
  type Logger,
  retry,
  withDeadline,
} from '@cairn/primitives';
import type { BatchKind } from '@cairn/wire-protocol/da';
import { type BlobOrder, batchKindOf } from './blob-order.ts';
import type { SignerPatience } from './deliver-slices.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { DispersalNetwork, EpochSource, SignerPeers } from './ports.ts';

/** What votes are collected with. */
export interface VoteDeps {
  readonly peers: Pick<SignerPeers, 'vote'>;
  readonly epochs: Pick<EpochSource, 'socketOf'>;
  readonly backend: Pick<BlsBackend, 'parseSignature' | 'verify'>;
  readonly network: DispersalNetwork;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<DispersalMetrics, 'votes'>;
  readonly patience: SignerPatience;
}

/** Blobs of one epoch, quorum and kind, in the order of their leaves. */
export interface Batch {
  readonly epoch: number;
  readonly quorumId: number;
  readonly orders: readonly BlobOrder[];
}

/** What came of asking. */
export interface CollectedVotes {
  readonly statement: Statement;
  readonly votes: readonly VerifiedVote[];
  /** Members that answered, but did not sign: they may lack rows. */
  readonly refusals: readonly number[];
}

/** The kind of a batch, which is that of all its blobs. @throws {RangeError} for one without blobs */
export function kindOfBatch([first]: readonly BlobOrder[]): BatchKind {
  if (first === undefined) throw new RangeError('a batch has at least one blob');
  return batchKindOf(first);
}

/** What a quorum signs for a batch. */
export function statementOfBatch(
  { epoch, quorumId, orders }: Batch,
  { entrance }: Pick<DispersalNetwork, 'entrance'>,
): Statement {
  return {
    kind: kindOfBatch(orders),
    domain: entrance,
    epoch,
    quorumId,
    count: orders.length,
    root: treeRoot(orders.map(({ header }) => leafHash(encodeBlobHeader(header)))),
  };
}

/**
 * Asks members to sign for a batch, all at once, and verifies each vote by itself: a wrong one costs
 * only who sent it. Ends once votes with more than two thirds of the seats are there, or all have
 * answered, given up or run out of time.
 *
 * @param members - who is asked, by index: those that hold every slice of the batch
 * @throws the signal's reason
 */
export async function collectVotes(
  batch: Batch,
  committee: Committee,
  members: readonly number[],
  deps: VoteDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<CollectedVotes> {
  const { network } = deps;
  const statement = statementOfBatch(batch, network);
  const votes: VerifiedVote[] = [];
  const refusals: number[] = [];
  const enough = new AbortController();
  const inner = AbortSignal.any([signal, enough.signal]);
  setMaxListeners(0, inner); // some for each member
  await Promise.all(
    members.map(async (memberIndex) => {
      const bytes = await askFor(memberIndex, batch, committee, deps, inner);
      if (bytes === 'refused') refusals.push(memberIndex);
      if (bytes === 'refused' || bytes === undefined) return;
      const vote = voteIn(bytes, memberIndex, { statement, committee }, deps);
      deps.metrics.votes.add(1, { result: vote === undefined ? 'wrong' : 'signed' });
      if (vote === undefined) return;
      votes.push(vote);
      if (isQuorum(weightOf(votes), committee.snapshot.totalWeight)) {
        enough.abort(new Error('a quorum has signed'));
      }
    }),
  );
  signal.throwIfAborted();
  return { statement, votes, refusals };
}

/** What a member answers; `undefined` if nothing came of it. */
async function askFor(
  memberIndex: number,
  { epoch, quorumId, orders }: Batch,
  committee: Committee,
  { peers, epochs, clock, logger, metrics, patience }: VoteDeps,
  signal: AbortSignal,
): Promise<Uint8Array | 'refused' | undefined> {
  const signer = committee.members[memberIndex]?.signer;
  if (signer === undefined) return undefined;
  try {
    const socket = await epochs.socketOf(signer, { signal });
    if (socket === undefined) return undefined;
    const { timeoutMs, attempts, delayMs } = patience;
    const ask = (inner: AbortSignal): Promise<Uint8Array> =>
      peers.vote(socket, { epoch, quorumId, orders }, { signal: inner });
    return await retry(
      () => withDeadline(`a vote of ${signer}`, timeoutMs, ask, { clock, signal }),
      { clock, signal, attempts, delayMs, isRetryable: (error) => !isRefusal(error) },
    );
  } catch (error) {
    if (signal.aborted) return undefined;
    metrics.votes.add(1, { result: 'refused' });
    logger.debug({ signer, reason: describeError(error) }, 'a signer did not sign for a batch');
    return isRefusal(error) ? 'refused' : undefined;
  }
}

/** The vote, if it is the member's over the statement. */
function voteIn(
  bytes: Uint8Array,
  memberIndex: number,
  about: { readonly statement: Statement; readonly committee: Committee },
  { backend, network, logger }: VoteDeps,
): VerifiedVote | undefined {
  try {
    const signature = backend.parseSignature(bytes);
    return verifyVote({ memberIndex, signature }, { network: network.network, ...about }, backend);
  } catch (error) {
    const signer = about.committee.members[memberIndex]?.signer;
    logger.warn(
      { signer, reason: describeError(error) },
      'a signer sent a vote that is not its own',
    );
    return undefined;
  }
}

/** Whether the signer itself said no: asking again at once gives the same. */
function isRefusal(error: unknown): boolean {
  return isFault(error, 'SIGNER_REFUSED');
}
