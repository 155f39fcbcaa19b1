import {
  type Clock,
  isFault,
  type Logger,
  mapConcurrent,
  type Rng,
  type Root,
  Semaphore,
} from '@cairn/primitives';
import { chooseHolders, countOwnedSegments } from '@cairn/wire-protocol';
import type { FileReceipt } from './client.ts';
import type { HolderFailure } from './errors.ts';
import { findEntry } from './find-entry.ts';
import { failureOf, type Holder, type HolderBook } from './holders.ts';
import { payFor } from './pay-files.ts';
import type { PaidEntry } from './payer.ts';
import type { PrepareDeps, PreparedUpload } from './prepare-upload.ts';
import type { PutOptions } from './put-options.ts';
import type { EntryPlace } from './segment-door.ts';
import { storeAtHolder } from './send-file.ts';
import { notEnough, type UploadNetwork } from './upload-network.ts';

/** Segments in memory at once, over all holders, unless told: 2 MiB. */
const UPLOAD_PARALLEL = 8;
/** Files stored at the same time; their segments share the bound above. */
const FILES_AT_ONCE = 4;
/** Times nodes are asked about a file while others of its upload turn up. */
const MAX_LOOKS = 4;
/** The longest wait for a holder without progress, unless told. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** What uploading needs. */
export interface UploadDeps extends PrepareDeps {
  readonly book: HolderBook;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** The options of an upload that concern files which are hashed already. */
export type StoreOptions = Pick<
  PutOptions,
  | 'tags'
  | 'replicas'
  | 'finalityRequired'
  | 'timeoutMs'
  | 'parallel'
  | 'resubmit'
  | 'onQuote'
  | 'onProgress'
> & { readonly signal: AbortSignal };

/**
 * The Upload journey, for files that are hashed: known already? → price → pay, several files a
 * transaction → wait until the holders know the entries → send what they lack → wait until all
 * have everything.
 *
 * Every step looks before it acts, so the journey may be run again from the start after any cut:
 * a known file is not paid, a paid intent is not paid again, a held segment is not sent.
 *
 * @returns a receipt for each file, in order; files with the same root share the entry of the
 *   longest: they differ in trailing zeros only
 * @throws {SdkError} SDK_NOT_ENOUGH_HOLDERS, SDK_WRONG_NETWORK, SDK_NO_PAYER, SDK_DECLINED,
 *   SDK_NOT_FINAL, SDK_SOURCE_CHANGED; what the payer throws; the signal's reason
 */
export async function storeFiles(
  files: readonly PreparedUpload[],
  network: UploadNetwork,
  deps: UploadDeps,
  options: StoreOptions,
): Promise<readonly FileReceipt[]> {
  const { signal, parallel = UPLOAD_PARALLEL } = options;
  const different = longestOfEachRoot(files);
  const entries = await findKnown([...different.values()], network, options);
  const unpaid = [...different.values()].filter(({ root }) => !entries.has(root));
  for (const [root, entry] of await payFor(unpaid, network.payer, options))
    entries.set(root, entry);

  const inFlight = new Semaphore({
    limit: parallel,
    maxWaiting: parallel * network.holders.length * FILES_AT_ONCE,
  });
  const store = async (file: PreparedUpload, inner: AbortSignal): Promise<FileReceipt> => {
    const { root } = file;
    const known = entries.get(root);
    if (known === undefined) throw new Error(`no entry for ${root} after paying`);
    const entry: EntryPlace = {
      chainId: network.chainId,
      root,
      sequence: known.sequence,
      sizeBytes: file.sizeBytes,
      startSector: known.startSector,
    };
    const holders = await storeReplicas(
      file,
      entry,
      network,
      { ...deps, inFlight },
      { ...options, signal: inner },
    );
    return receiptOf(entry, known, network, holders, options);
  };
  const receipts = new Map<Root, FileReceipt>();
  const all = mapConcurrent(different.values(), store, { parallel: FILES_AT_ONCE, signal });
  for await (const receipt of all) receipts.set(receipt.root, receipt);
  return files.map(({ root }) => {
    const receipt = receipts.get(root);
    if (receipt === undefined) throw new Error(`no receipt for ${root}`);
    return receipt;
  });
}

/** A root does not fix how many trailing zeros there are, and the longest file holds all others. */
function longestOfEachRoot(files: readonly PreparedUpload[]): ReadonlyMap<Root, PreparedUpload> {
  const longest = new Map<Root, PreparedUpload>();
  for (const file of files) {
    const { sizeBytes = 0 } = longest.get(file.root) ?? {};
    if (file.sizeBytes > sizeBytes) longest.set(file.root, file);
  }
  return longest;
}

function receiptOf(
  { root, sequence, startSector, sizeBytes }: EntryPlace,
  { transactionHash, feeWei }: KnownEntry,
  { chainId, flow, shard }: UploadNetwork,
  holders: readonly StoredReplica[],
  { onProgress }: StoreOptions,
): FileReceipt {
  const finalised = holders.every(({ isFinal }) => isFinal);
  if (finalised) onProgress?.({ step: 'finalised', root, sequence });
  return {
    root,
    sequence,
    chainId,
    flow,
    ...(shard === undefined ? {} : { shard }),
    sizeBytes,
    ...(transactionHash === undefined ? {} : { transactionHash }),
    ...(feeWei === undefined ? {} : { feeWei }),
    finalised,
    holders: holders.map(({ holder: { url, shard } }) => ({
      url,
      shard,
      segments: countOwnedSegments(shard, startSector, sizeBytes),
    })),
  };
}

type KnownEntry = Pick<PaidEntry, 'sequence' | 'startSector'> &
  Partial<Pick<PaidEntry, 'transactionHash' | 'feeWei'>>;

/**
 * The entries that files have already, where they may be used instead of paying.
 *
 * Nodes may read a block between two questions. A payment is named by all its files, so one that
 * was asked about too early would be paid by itself: the rest is asked about again as long as that
 * finds more.
 */
async function findKnown(
  files: readonly PreparedUpload[],
  network: UploadNetwork,
  { tags = new Uint8Array(0), resubmit, signal }: StoreOptions,
): Promise<Map<Root, KnownEntry>> {
  const entries = new Map<Root, KnownEntry>();
  if (resubmit !== undefined) return entries;
  for (let round = 0; round < MAX_LOOKS; round += 1) {
    const found = entries.size;
    for (const file of files) {
      if (entries.has(file.root)) continue;
      const entry = await findEntry(file, tags, network, { signal });
      if (entry !== undefined) entries.set(file.root, entry);
    }
    if (entries.size === found || entries.size === files.length) break;
  }
  return entries;
}

interface StoredReplica {
  readonly holder: Holder;
  readonly isFinal: boolean;
}

/** Stores a file at enough holders; where one fails, others that cover its shard take its place. */
async function storeReplicas(
  file: PreparedUpload,
  entry: EntryPlace,
  { holders, failures }: UploadNetwork,
  { clock, hasher, rng, logger, inFlight }: UploadDeps & { readonly inFlight: Semaphore },
  options: StoreOptions,
): Promise<readonly StoredReplica[]> {
  const { replicas = 1, parallel = UPLOAD_PARALLEL, onProgress, signal } = options;
  const { timeoutMs = UPLOAD_TIMEOUT_MS, finalityRequired = true } = options;
  const stored = new Map<string, StoredReplica>();
  const lost = new Map<string, { readonly failure: HolderFailure; readonly error: unknown }>();
  const { root } = entry;
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  const storeAt = async (holder: Holder): Promise<void> => {
    const { url } = holder;
    const tell = (doneSegments: number, totalSegments: number): void =>
      onProgress?.({ step: 'sending', root, holder: url, doneSegments, totalSegments });
    try {
      const isFinal = await storeAtHolder(
        holder,
        entry,
        file,
        { clock, hasher, inFlight },
        { signal: inner, parallel, timeoutMs, finalityRequired, onProgress: tell },
      );
      stored.set(url, { holder, isFinal });
    } catch (error) {
      if (inner.aborted || isFault(error, 'SDK_SOURCE_CHANGED')) {
        stop.abort(error); // the other holders would only fail the same way
        throw error;
      }
      const failure = failureOf(url, error);
      lost.set(url, { failure, error });
      onProgress?.({ step: 'holderLost', root, holder: url, reason: failure.reason });
      logger.warn({ url, root, code: failure.code }, 'a holder failed during an upload');
    }
  };
  for (;;) {
    const alive = holders.filter(({ url }) => !lost.has(url));
    const preferred = alive.toSorted(
      (left, right) => Number(stored.has(right.url)) - Number(stored.has(left.url)),
    );
    const chosen = chooseHolders(preferred, replicas, 'min', rng);
    if (chosen === undefined) throw outOfHolders(replicas, alive.length, failures, lost);
    const todo = chosen.filter(({ url }) => !stored.has(url));
    if (todo.length === 0) {
      return chosen.map(({ url }) => stored.get(url)).filter((replica) => replica !== undefined);
    }
    onProgress?.({ step: 'waiting', root, holders: todo.map(({ url }) => url) });
    const outcomes = await Promise.allSettled(todo.map(storeAt)); // at most one for each node known
    signal.throwIfAborted();
    stop.signal.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** The last holder's own fault where it says more than that there are too few. */
function outOfHolders(
  replicas: number,
  answered: number,
  failures: readonly HolderFailure[],
  lost: ReadonlyMap<string, { readonly failure: HolderFailure; readonly error: unknown }>,
): unknown {
  const lostFailures = [...lost.values()];
  const slow = lostFailures.find(({ error }) => isFault(error, 'SDK_NOT_FINAL'));
  if (slow !== undefined) return slow.error;
  return notEnough(replicas, answered, [
    ...failures,
    ...lostFailures.map(({ failure }) => failure),
  ]);
}
