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
  type Vote,
  verifyVotes,
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
import { type SignerPatience, seatsOf } from './deliver-slices.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { DispersalNetwork, EpochSource, SignerPeers } from './ports.ts';

/** What votes are collected with. */
export interface VoteDeps {
  readonly peers: Pick<SignerPeers, 'vote'>;
  readonly epochs: Pick<EpochSource, 'socketOf'>;
  readonly backend: Pick<BlsBackend, 'parseSignature' | 'verify' | 'addKeys' | 'addSignatures'>;
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
 * Asks members to sign for a batch, all at once, and verifies their votes together as soon as they may
 * be a quorum; a wrong one costs only who sent it. Ends once votes with more than two thirds of the seats
 * are there, or all have answered, given up or run out of time.
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
  const { totalWeight } = committee.snapshot;
  const statement = statementOfBatch(batch, network);
  const votes: VerifiedVote[] = [];
  const waiting: Vote[] = [];
  const refusals: number[] = [];
  const enough = new AbortController();
  const inner = AbortSignal.any([signal, enough.signal]);
  setMaxListeners(0, inner); // some for each member
  const verifyWaiting = (): void => {
    votes.push(...rightVotes(waiting.splice(0), { statement, committee }, deps));
    if (isQuorum(weightOf(votes), totalWeight)) enough.abort(new Error('a quorum has signed'));
  };
  await Promise.all(
    members.map(async (memberIndex) => {
      const bytes = await askFor(memberIndex, batch, committee, deps, inner);
      if (bytes === 'refused') refusals.push(memberIndex);
      if (bytes === 'refused' || bytes === undefined || enough.signal.aborted) return;
      const vote = voteIn(bytes, memberIndex, committee, deps);
      if (vote === undefined) return;
      waiting.push(vote);
      const seats = seatsOf(
        committee,
        waiting.map((each) => each.memberIndex),
      );
      if (isQuorum(weightOf(votes) + seats, totalWeight)) verifyWaiting();
    }),
  );
  signal.throwIfAborted();
  if (waiting.length > 0) verifyWaiting();
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

/** The vote in a member's answer; `undefined` if it is no signature. */
function voteIn(
  bytes: Uint8Array,
  memberIndex: number,
  committee: Committee,
  deps: VoteDeps,
): Vote | undefined {
  try {
    return { memberIndex, signature: deps.backend.parseSignature(bytes) };
  } catch (error) {
    noteWrong(memberIndex, committee, describeError(error), deps);
    return undefined;
  }
}

/** Those of the votes that are their members' over the statement. */
function rightVotes(
  votes: readonly Vote[],
  about: { readonly statement: Statement; readonly committee: Committee },
  deps: VoteDeps,
): readonly VerifiedVote[] {
  const { backend, network, metrics } = deps;
  const right = verifyVotes(votes, { network: network.network, ...about }, backend);
  metrics.votes.add(right.length, { result: 'signed' });
  for (const { memberIndex } of votes) {
    if (right.some((vote) => vote.memberIndex === memberIndex)) continue;
    noteWrong(memberIndex, about.committee, 'it is not signed by its key', deps);
  }
  return right;
}

function noteWrong(
  memberIndex: number,
  committee: Committee,
  reason: string,
  { logger, metrics }: VoteDeps,
): void {
  const signer = committee.members[memberIndex]?.signer;
  metrics.votes.add(1, { result: 'wrong' });
  logger.warn({ signer, reason }, 'a signer sent a vote that is not its own');
}

/** Whether the signer itself said no: asking again at once gives the same. */
function isRefusal(error: unknown): boolean {
  return isFault(error, 'SIGNER_REFUSED');
}
