import { setMaxListeners } from 'node:events';
import { type Committee, isQuorum } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import {
  assignRows,
  type CommittedBlob,
  packedSliceBytes,
  packedSliceOf,
  type RowArc,
} from '@cairn/erasure-codec';
import {
  type Clock,
  describeError,
  isFault,
  type Logger,
  retry,
  withDeadline,
} from '@cairn/primitives';
import { requireSuite } from './blob-id.ts';
import type { BlobOrder } from './blob-order.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { EpochSource, SignerPeers } from './ports.ts';

/** How patiently a signer is asked. */
export interface SignerPatience {
  /** Time for one try; a delivery has more, by its length. */
  readonly timeoutMs: number;
  /** Tries in all. */
  readonly attempts: number;
  /** Wait after the first failure; doubles. */
  readonly delayMs: number;
  /** Time that those have who are behind when a quorum has answered, beside what the quorum took. */
  readonly laggardMs: number;
}

/** A quorum waits this part of its own time for the others: one of the first may not sign. */
const LINGER_PART = 4;

/** The least rate of a line to a signer that is worth waiting for, half a megabit a second. */
const LEAST_BYTES_PER_MS = 64;

/** What delivering works with. */
export interface DeliveryDeps {
  readonly peers: Pick<SignerPeers, 'deliver'>;
  readonly epochs: Pick<EpochSource, 'socketOf'>;
  readonly suites: readonly RowSuite[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<DispersalMetrics, 'sentBytes' | 'deliveries'>;
  readonly patience: SignerPatience;
}

/** What to deliver to whom. */
export interface DeliveryPlan {
  readonly blob: CommittedBlob;
  readonly order: BlobOrder;
  readonly committee: Committee;
  /** Members that hold their slice already. */
  readonly holders: readonly number[];
}

/** A delivery under way. */
export interface RunningDelivery {
  /** Members that hold their slices shortly after these have a quorum, or once nobody is left to ask. */
  readonly quorum: Promise<readonly number[]>;
  /** All that hold theirs in the end; the rows are in use until then. */
  readonly all: Promise<readonly number[]>;
}

/** Seats of members, by index. */
export function seatsOf(committee: Committee, members: Iterable<number>): bigint {
  let seats = 0n;
  for (const index of members) seats += BigInt(committee.members[index]?.seats ?? 0);
  return seats;
}

/** The rows of each member of a quorum, in its order. @throws {CodecError} QUORUM_TOO_LARGE */
export function arcsOf(
  { blob, committee }: Pick<DeliveryPlan, 'blob' | 'committee'>,
  suite: RowSuite,
): readonly RowArc<number>[] {
  const members = committee.members.map(({ index, seats }) => ({ id: index, seats }));
  const { seed } = committee.snapshot.office;
  return assignRows(members, blob.layout, { suite, commitment: blob.commitment, seed });
}

/**
 * Hands all members their slices at once, at most 512 of them. Each has its own deadline and its own
 * tries: one that is slow, silent or refuses costs only itself. Once a quorum holds theirs, the others
 * have as long again as it took, and a little more.
 *
 * @throws {CodecError} QUORUM_TOO_LARGE; the signal's reason, from either promise
 */
export function deliverSlices(
  plan: DeliveryPlan,
  deps: DeliveryDeps,
  { signal }: { readonly signal: AbortSignal },
): RunningDelivery {
  const { committee } = plan;
  const { clock, patience } = deps;
  const { totalWeight } = committee.snapshot;
  const held = new Set(plan.holders);
  const arcs = arcsOf(plan, requireSuite(deps.suites, plan.blob.suite)).filter(
    ({ id }) => !held.has(id),
  );
  const startedMs = clock.monotonic();
  const laggards = new AbortController();
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const reachIfQuorum = (): void => {
    if (isQuorum(seatsOf(committee, held), totalWeight)) reach();
  };
  reachIfQuorum();
  const inner = AbortSignal.any([signal, laggards.signal]);
  setMaxListeners(0, inner); // some for each member
  const each = Promise.all(
    arcs.map(async (arc) => {
      if (!(await deliverTo(arc, plan, deps, inner))) return;
      held.add(arc.id);
      reachIfQuorum();
    }),
  ).then(() => laggards.abort(new Error('all have answered')));
  const cut = async (): Promise<void> => {
    await reached;
    const waitMs = clock.monotonic() - startedMs + patience.laggardMs;
    await clock.sleep(waitMs, inner).then(
      () => laggards.abort(new Error('a quorum holds its slices')),
      () => undefined, // all have answered, or the caller's signal ends them anyway
    );
  };
  const cutting = cut();
  const all = each.then(async () => {
    reach();
    await cutting;
    signal.throwIfAborted();
    return [...held].sort((left, right) => left - right);
  });
  const quorum = reached.then(async () => {
    const waitMs = Math.min((clock.monotonic() - startedMs) / LINGER_PART, patience.laggardMs);
    await clock.sleep(waitMs, inner).catch(() => undefined); // all have answered, or nobody waits
    signal.throwIfAborted();
    return [...held].sort((left, right) => left - right);
  });
  quorum.catch(() => undefined); // whoever waits for it hears of it
  all.catch(() => undefined);
  return { quorum, all };
}

/** Time for one try at a delivery of so many bytes, rounded up. */
export function deliveryMs(
  bytes: number,
  { timeoutMs }: Pick<SignerPatience, 'timeoutMs'>,
): number {
  return timeoutMs + Math.ceil(bytes / LEAST_BYTES_PER_MS);
}

/** Whether a member holds its slice now. */
async function deliverTo(
  arc: RowArc<number>,
  { blob, order, committee }: DeliveryPlan,
  { peers, epochs, clock, logger, metrics, patience }: DeliveryDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const signer = committee.members[arc.id]?.signer;
  if (signer === undefined) return false;
  try {
    const socket = await epochs.socketOf(signer, { signal });
    if (socket === undefined) throw new Error('it told no address');
    const { attempts, delayMs } = patience;
    const timeoutMs = deliveryMs(packedSliceBytes(blob.layout, arc), patience);
    const sentBytes = await retry(
      () =>
        withDeadline(
          `a delivery to ${signer}`,
          timeoutMs,
          async (inner) => {
            const slice = await packedSliceOf(blob, arc, { signal: inner });
            return peers.deliver(socket, { order, slice }, { timeoutMs, signal: inner });
          },
          { clock, signal },
        ),
      {
        clock,
        signal,
        attempts,
        delayMs,
        isRetryable: (error) => !isFault(error, 'SIGNER_REFUSED'),
      },
    );
    metrics.sentBytes.add(sentBytes);
    metrics.deliveries.add(1, { result: 'held' });
    return true;
  } catch (error) {
    const reason = describeError(error);
    metrics.deliveries.add(1, { result: 'failed' });
    logger.debug({ signer, reason }, 'a signer did not take its slice');
    return false;
  }
}
