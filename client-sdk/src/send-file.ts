import { type Hasher, segmentDataBytes, segmentLeaves, segmentRealBytes } from '@cairn/commitments';
import {
  type Clock,
  equalBytes,
  forEachConcurrent,
  retry,
  SEGMENT_BYTES,
  type Semaphore,
  TransportError,
} from '@cairn/primitives';
import { countOwnedSegments, ownedSegments } from '@cairn/wire-protocol';
import { SdkError } from './errors.ts';
import type { Holder } from './holders.ts';
import type { PreparedUpload } from './prepare-upload.ts';
import type { EntryPlace, HolderProgress, OutgoingSegment } from './segment-door.ts';

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 1000;
/** Tries of one request whose transport fails. */
const SEND_ATTEMPTS = 4;
const SEND_DELAY_MS = 300;

/** What sending needs. */
export interface SendDeps {
  readonly clock: Clock;
  readonly hasher: Hasher;
  /** Bounds the segments in memory over all holders. */
  readonly inFlight: Semaphore;
}

/** How one file is stored at one holder. */
export interface SendOptions {
  readonly signal: AbortSignal;
  readonly parallel: number;
  /** The longest wait without progress. */
  readonly timeoutMs: number;
  readonly finalityRequired: boolean;
  readonly onProgress: (doneSegments: number, totalSegments: number) => void;
}

/**
 * Stores at one holder what its shard keeps of a file: waits until it knows the log entry, asks
 * what it has, sends the rest, waits until it says that it has everything.
 *
 * @returns whether the holder said that it is final
 * @throws {SdkError} SDK_NOT_FINAL after `timeoutMs` without progress, SDK_SOURCE_CHANGED; what
 *   the holder refuses with; the signal's reason
 */
export async function storeAtHolder(
  holder: Holder,
  entry: EntryPlace,
  file: PreparedUpload,
  deps: SendDeps,
  options: SendOptions,
): Promise<boolean> {
  const { signal, onProgress, finalityRequired } = options;
  const total = countOwnedSegments(holder.shard, entry.startSector, entry.sizeBytes);
  const known = await poll('the log entry', holder, entry, deps, options, (progress) => progress);
  if (known.finalized) {
    onProgress(total, total);
    return true;
  }
  const { holds } = known;
  const missing: number[] = [];
  for (const index of ownedSegments(holder.shard, entry.startSector, entry.sizeBytes)) {
    if (holds?.(index) !== true) missing.push(index);
  }
  let done = total - missing.length;
  onProgress(done, total);
  const lastStep = { atMs: deps.clock.monotonic() };
  const isComplete = { yes: false };
  const send = async (index: number, inner: AbortSignal): Promise<void> => {
    if (isComplete.yes) return;
    const outcome = await sendSegment(index, holder, entry, file, deps, options, lastStep, inner);
    lastStep.atMs = deps.clock.monotonic();
    if (outcome === 'complete') isComplete.yes = true;
    done = isComplete.yes ? total : done + 1;
    onProgress(done, total);
  };
  await forEachConcurrent(missing, send, { parallel: options.parallel, signal });
  if (!finalityRequired) return false;
  const isFinal = (progress: HolderProgress): true | undefined => progress.finalized || undefined;
  return poll('finality', holder, entry, deps, options, isFinal);
}

async function sendSegment(
  index: number,
  holder: Holder,
  entry: EntryPlace,
  file: PreparedUpload,
  deps: SendDeps,
  { timeoutMs }: SendOptions,
  lastStep: { readonly atMs: number },
  signal: AbortSignal,
): Promise<'stored' | 'complete'> {
  const { clock, inFlight, hasher } = deps;
  let waitMs = FIRST_POLL_MS;
  for (;;) {
    const outcome = await inFlight.run(async () => {
      const segment = await outgoingSegment(file, index, entry, signal);
      if (file.isRechecked) assertUnchanged(file, segment, hasher);
      try {
        return await retry(() => holder.door.send(entry, segment, { signal }), {
          clock,
          signal,
          attempts: SEND_ATTEMPTS,
          delayMs: SEND_DELAY_MS,
          isRetryable: (error) => error instanceof TransportError,
        });
      } catch (error) {
        assertUnchanged(file, segment, hasher);
        throw error;
      }
    }, signal);
    if (outcome !== 'later') return outcome;
    const waitedMs = clock.monotonic() - lastStep.atMs;
    if (waitedMs > timeoutMs)
      throw notFinal(holder, entry, waitedMs, `segment ${index} was put off`);
    await clock.sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 2, MAX_POLL_MS);
  }
}

/** Segment `index` as it travels: whole sectors, the last one filled up with zeros. */
async function outgoingSegment(
  { source, tree, sizeBytes }: PreparedUpload,
  index: number,
  entry: EntryPlace,
  signal: AbortSignal,
): Promise<OutgoingSegment> {
  const { shape } = tree;
  const realBytes = segmentRealBytes(shape, index);
  const wireBytes = segmentDataBytes(shape, index);
  let data = await source.read(index * SEGMENT_BYTES, realBytes, { signal });
  if (data.length !== realBytes) {
    throw new SdkError(
      {
        code: 'SDK_SOURCE_CHANGED',
        expected: `${realBytes} bytes`,
        actual: `${data.length} bytes`,
      },
      `the file gave ${data.length} bytes where segment ${index} of ${entry.root} has ${realBytes}`,
    );
  }
  if (wireBytes > realBytes) {
    const padded = new Uint8Array(wireBytes);
    padded.set(data);
    data = padded;
  }
  return {
    root: tree.root,
    sizeBytes,
    index,
    data,
    proof: tree.proofAt(index),
    segmentRoot: tree.segmentRootAt(index),
    paddedSegments: shape.paddedSegments,
  };
}

/** A holder refused: perhaps because the file is no longer what was hashed. */
function assertUnchanged({ tree }: PreparedUpload, segment: OutgoingSegment, hasher: Hasher): void {
  const { index, data, segmentRoot } = segment;
  const actual = hasher.segmentRoot(data, segmentLeaves(tree.shape, index));
  if (equalBytes(actual, segmentRoot)) return;
  throw new SdkError(
    { code: 'SDK_SOURCE_CHANGED', expected: 'the bytes that were hashed', actual: 'other bytes' },
    `segment ${index} is no longer what it was when the file was hashed`,
  );
}

/** Asks a holder, ever less often, until `take` is satisfied with its answer. */
async function poll<Result>(
  what: string,
  holder: Holder,
  entry: EntryPlace,
  { clock }: SendDeps,
  { signal, timeoutMs }: SendOptions,
  take: (progress: HolderProgress) => Result | undefined,
): Promise<Result> {
  const startedMs = clock.monotonic();
  let waitMs = FIRST_POLL_MS;
  let lastFault: TransportError | undefined;
  for (;;) {
    try {
      const progress = await holder.door.progress(entry, { signal });
      const result = progress === undefined ? undefined : take(progress);
      if (result !== undefined) return result;
      lastFault = undefined;
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError)) throw error;
      lastFault = error; // a node that restarts is waited for
    }
    const waitedMs = clock.monotonic() - startedMs;
    if (waitedMs > timeoutMs) throw lastFault ?? notFinal(holder, entry, waitedMs, `no ${what}`);
    await clock.sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 1.5, MAX_POLL_MS);
  }
}

function notFinal(
  holder: Holder,
  { root }: EntryPlace,
  waitedMs: number,
  reason: string,
): SdkError {
  const missing = [{ url: holder.url, code: 'SDK_NOT_FINAL', reason }];
  return new SdkError(
    { code: 'SDK_NOT_FINAL', root, waitedMs, missing },
    `${holder.url} made no progress with ${root} for ${Math.round(waitedMs)} ms: ${reason}`,
  );
}
