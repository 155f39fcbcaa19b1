import {
  type Hasher,
  ProofError,
  type Segment,
  type VerifiedSegment,
  verifySegment,
} from '@cairn/commitments';
import { type Clock, Fault, TransportError, withDeadline } from '@cairn/primitives';
import { firstGlobalSegment, ownsSegment, RpcError, WireError } from '@cairn/wire-protocol';
import type { HolderEvidence } from './client.ts';
import { type HolderFailure, SdkError } from './errors.ts';
import { evidenceOf, failureOf, type HolderBook } from './holders.ts';
import type { LocatedFile, LocatedHolder } from './locate-file.ts';
import { NodeRefusal } from './node-refusal.ts';

/** Times every holder is asked before a segment is given up. */
const ROUNDS = 3;
/** Wait before a second round; doubles for the third. */
const ROUND_DELAY_MS = 500;
/** A holder may take this many times what the next one needs before that one is asked as well. */
const HEDGE_FACTOR = 4;
const MIN_HEDGE_MS = 750;

/** What fetching needs. */
export interface FetchDeps {
  readonly book: HolderBook;
  readonly hasher: Hasher;
  readonly clock: Clock;
}

/**
 * One segment, proven. The holder that should be fastest is asked first; one that is slow gets
 * company; one that has nothing, or cannot be reached, is passed over; one whose answer does not
 * lead to the root loses its place and goes into `evidence`.
 *
 * @throws {SdkError} SDK_SEGMENT_UNAVAILABLE with what each holder said; the signal's reason
 */
export async function fetchSegment(
  file: LocatedFile,
  index: number,
  evidence: HolderEvidence[],
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<VerifiedSegment> {
  const failures: HolderFailure[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await deps.clock.sleep(ROUND_DELAY_MS * 2 ** (round - 1), signal);
    failures.length = 0;
    const wanted: Wanted = { file, index, evidence, failures, mayComeLater: false };
    const segment = await firstProven(wanted, rank(file, index, deps.book), deps, signal);
    if (segment !== undefined) return segment;
    if (!wanted.mayComeLater) break;
  }
  const { root } = file;
  throw new SdkError(
    {
      code: 'SDK_SEGMENT_UNAVAILABLE',
      root,
      index,
      failures: [...failures],
      evidence: [...evidence],
    },
    `none of ${file.holders.length} holders gave segment ${index} of ${root}` +
      (failures[0] === undefined ? '' : `; ${failures[0].url}: ${failures[0].reason}`),
  );
}

/** Consecutive segments. */
export interface SegmentRun {
  readonly first: number;
  readonly count: number;
  /** Gives memory for those that come together; it is asked once at most. */
  readonly allocate?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Consecutive segments, each proven, in order. One request to the fastest holder gets them all where
 * it keeps everything and answers in time; whatever else happens, each is fetched by itself.
 *
 * @throws as `fetchSegment`
 */
export async function fetchRun(
  file: LocatedFile,
  run: SegmentRun,
  evidence: HolderEvidence[],
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<readonly VerifiedSegment[]> {
  const { first, count } = run;
  const together = count > 1 ? await fetchTogether(file, run, evidence, deps, signal) : [];
  const rest: Promise<VerifiedSegment>[] = [];
  for (let index = first + together.length; index < first + count; index += 1) {
    rest.push(fetchSegment(file, index, evidence, deps, signal));
  }
  const settled = await Promise.allSettled(rest);
  const alone = settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return [...together, ...alone];
}

/** As many proven segments from the start of the run as one request to one holder gives. */
async function fetchTogether(
  file: LocatedFile,
  { first, count, allocate }: SegmentRun,
  evidence: HolderEvidence[],
  { book, hasher, clock }: FetchDeps,
  signal: AbortSignal,
): Promise<readonly VerifiedSegment[]> {
  const [holder] = rank(file, first, book);
  if (holder?.door.fetchRun === undefined || holder.shard.count > 1) return [];
  const { door, entry, url } = holder;
  const proven: VerifiedSegment[] = [];
  try {
    const timeoutMs = Math.max(MIN_HEDGE_MS, HEDGE_FACTOR * book.expectedMs(url)) * count;
    const ask = async (inner: AbortSignal): Promise<readonly Segment[]> => {
      const options = allocate === undefined ? {} : { allocate };
      return (await door.fetchRun?.(entry, first, count, { ...options, signal: inner })) ?? [];
    };
    const inTime = (): Promise<readonly Segment[]> =>
      withDeadline('a run of segments', timeoutMs, ask, { clock, signal });
    const run = await book.measure(url, inTime, count);
    for (const segment of run) proven.push(verifySegment(segment, hasher));
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    if (isLie(error)) {
      const found = evidenceOf(url, file.root, error, first + proven.length);
      evidence.push(found);
      book.convict(found);
    } else {
      book.penalise(url); // each one is asked for by itself now
    }
  }
  return proven;
}

interface Wanted {
  readonly file: LocatedFile;
  readonly index: number;
  readonly evidence: HolderEvidence[];
  readonly failures: HolderFailure[];
  /** Set where a holder failed in a way that may pass. */
  mayComeLater: boolean;
}

/** Holders whose shard keeps the segment, fastest first, then the rest: shards may have changed. */
function rank(file: LocatedFile, index: number, book: HolderBook): LocatedHolder[] {
  return file.holders
    .filter(({ url }) => !book.isConvicted(url))
    .map((holder) => {
      const { entry, shard, url } = holder;
      const isOwner = ownsSegment(shard, firstGlobalSegment(entry.startSector) + index);
      return { holder, expectedMs: book.expectedMs(url) + (isOwner ? 0 : 1e9) };
    })
    .toSorted((left, right) => left.expectedMs - right.expectedMs)
    .map(({ holder }) => holder);
}

/** What asking one holder came to. */
interface Attempt {
  readonly segment: VerifiedSegment | undefined;
  /** Takes it out of the race. */
  readonly end: () => void;
}

/** Asks holders in order until one gives the segment; a slow one and its successor run a race. */
async function firstProven(
  wanted: Wanted,
  ranked: readonly LocatedHolder[],
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<VerifiedSegment | undefined> {
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  const running = new Set<Promise<Attempt>>();
  const waiting = [...ranked];
  const start = (): void => {
    const holder = waiting.shift();
    if (holder === undefined) return;
    const attempt: Promise<Attempt> = askHolder(wanted, holder, deps, inner).then((segment) => ({
      segment,
      end: () => running.delete(attempt),
    }));
    attempt.catch(() => undefined); // raced below; a loser's abort is nobody's news
    running.add(attempt);
  };
  try {
    start();
    while (running.size > 0) {
      const won = await Promise.race([...running, hedgeTimer(waiting, deps, inner)]);
      if (won !== 'late') {
        if (won.segment !== undefined) return won.segment;
        won.end(); // only now: another's answer may have come in the same turn
      }
      start();
    }
    return undefined;
  } finally {
    stop.abort(new Error('another holder was faster'));
    await Promise.allSettled(running);
  }
}

/** Resolves when it is time to ask the next holder as well; never, if there is none. */
async function hedgeTimer(
  waiting: readonly LocatedHolder[],
  { book, clock }: FetchDeps,
  signal: AbortSignal,
): Promise<'late'> {
  const [next] = waiting;
  const waitMs =
    next === undefined ? 2 ** 30 : Math.max(MIN_HEDGE_MS, HEDGE_FACTOR * book.expectedMs(next.url));
  const timer = clock.sleep(waitMs, signal);
  timer.catch(() => undefined); // aborted with the race it belongs to
  await timer;
  return 'late';
}

/** Whether a fault means that a holder gave something that cannot be, not that it failed. */
function isLie(error: unknown): error is ProofError | WireError {
  return error instanceof ProofError || error instanceof WireError;
}

/** Whether the same question may be answered another time. */
function mayPass(error: unknown): boolean {
  if (error instanceof NodeRefusal) return error.facts.retry === 'later';
  return error instanceof TransportError || error instanceof RpcError;
}

/** A proven segment of one holder; `undefined` after noting why there is none. */
async function askHolder(
  wanted: Wanted,
  { url, door, entry }: LocatedHolder,
  { book, hasher }: FetchDeps,
  signal: AbortSignal,
): Promise<VerifiedSegment | undefined> {
  const { file, index, evidence, failures } = wanted;
  try {
    const segment = await book.measure(url, () => door.fetch(entry, index, { signal }));
    if (segment === undefined) {
      failures.push({ url, code: 'SEGMENT_NOT_HELD', reason: 'it has no such segment' });
      return undefined;
    }
    return verifySegment(segment, hasher);
  } catch (error) {
    if (signal.aborted) throw error;
    failures.push(failureOf(url, error));
    if (isLie(error)) {
      const found = evidenceOf(url, file.root, error, index);
      evidence.push(found);
      book.convict(found);
      return undefined;
    }
    if (!(error instanceof Fault)) throw error;
    if (mayPass(error)) wanted.mayComeLater = true;
    book.penalise(url);
    return undefined;
  }
}
