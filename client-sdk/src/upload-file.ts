import { MAX_BATCH_SUBMISSIONS } from '@cairn/chain-access';
import {
  type Address,
  type Clock,
  concatBytes,
  isFault,
  keccak256,
  type Logger,
  mapConcurrent,
  type Rng,
  type Root,
  Semaphore,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { chooseHolders, countOwnedSegments } from '@cairn/wire-protocol';
import type { FileReceipt, PutOptions } from './client.ts';
import { quoteOf } from './cost.ts';
import { type HolderFailure, SdkError } from './errors.ts';
import { findEntry } from './find-entry.ts';
import { type Answers, failureOf, type Holder, type HolderBook } from './holders.ts';
import type { PaidEntry, Payer } from './payer.ts';
import type { PrepareDeps, PreparedUpload } from './prepare-upload.ts';
import type { EntryPlace } from './segment-door.ts';
import { storeAtHolder } from './send-file.ts';

/** Segments in memory at once, over all holders, unless told: 2 MiB. */
const UPLOAD_PARALLEL = 8;
/** Files stored at the same time; their segments share the bound above. */
const FILES_AT_ONCE = 4;
/** The longest wait for a holder without progress, unless told. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** What uploading needs. */
export interface UploadDeps extends PrepareDeps {
  readonly book: HolderBook;
  /** Nodes that can be written to, described anew for each upload. */
  readonly writableHolders: (options: { readonly signal: AbortSignal }) => Promise<Answers<Holder>>;
  /** Whether the contract was given: then nodes of other logs are passed over, not believed. */
  readonly isFlowKnown: boolean;
  /** The log contract, which nodes say is `flow`, and who pays; `undefined` without a chain. */
  readonly payer: (
    flow: Address,
    options: { readonly signal: AbortSignal },
  ) => Promise<Payer | undefined>;
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
 * @returns a receipt for each file, in order; files with the same root share an entry
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
  const different = new Map(files.map((file) => [file.root, file]));
  const entries = new Map<Root, KnownEntry>();
  for (const [root, file] of different) {
    const known = await findKnown(file, network.holders, options);
    if (known !== undefined) entries.set(root, known);
  }
  const unpaid = [...different.values()].filter(({ root }) => !entries.has(root));
  for (const [root, entry] of await pay(unpaid, network, options)) entries.set(root, entry);

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

function receiptOf(
  { root, sequence, startSector, sizeBytes }: EntryPlace,
  { transactionHash, feeWei }: KnownEntry,
  { chainId, flow }: UploadNetwork,
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

/** Nodes and chain of one network, ready to be written to. */
export interface UploadNetwork {
  readonly chainId: Holder['chainId'];
  readonly flow: Holder['flow'];
  readonly holders: readonly Holder[];
  readonly failures: readonly HolderFailure[];
  readonly payer: Payer | undefined;
}

/**
 * Asks nodes and chain what they are, before anything is read or paid.
 *
 * @throws {SdkError} SDK_NOT_ENOUGH_HOLDERS, SDK_WRONG_NETWORK if nodes and chain, or nodes among
 *   themselves, serve different logs
 */
export async function openUploadNetwork(
  replicas: number,
  { writableHolders, isFlowKnown, payer: openPayer, rng }: UploadDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<UploadNetwork> {
  const { answers, failures } = await writableHolders({ signal });
  const [first] = answers;
  if (first === undefined) throw notEnough(replicas, 0, failures);
  const payer = await openPayer(first.flow, { signal });
  const { chainId, flow } = payer ?? first;
  const holders = answers.filter((node) => node.chainId === chainId && node.flow === flow);
  const stranger = answers.find((node) => !holders.includes(node));
  // Who names the contract is paid: while nodes disagree about it, nobody is.
  if (stranger !== undefined && (!isFlowKnown || holders.length === 0)) {
    throw new SdkError(
      {
        code: 'SDK_WRONG_NETWORK',
        what: stranger.url,
        expected: `chain ${chainId}, flow ${flow}`,
        actual: `chain ${stranger.chainId}, flow ${stranger.flow}`,
      },
      `${stranger.url} serves the log ${stranger.flow} of chain ${stranger.chainId}, not ${flow} of chain ${chainId}`,
    );
  }
  if (chooseHolders(holders, replicas, 'min', rng) === undefined) {
    throw notEnough(replicas, holders.length, failures);
  }
  return { chainId, flow, holders, failures, payer };
}

/** The entry a file has already, if it may be used instead of paying. */
async function findKnown(
  file: PreparedUpload,
  holders: readonly Holder[],
  { tags, resubmit, signal }: StoreOptions,
): Promise<KnownEntry | undefined> {
  if (resubmit !== undefined) return undefined;
  return findEntry(file, tags ?? new Uint8Array(0), holders, { signal });
}

async function pay(
  files: readonly PreparedUpload[],
  { payer }: UploadNetwork,
  { tags = new Uint8Array(0), resubmit, signal, onQuote, onProgress }: StoreOptions,
): Promise<ReadonlyMap<Root, PaidEntry>> {
  const paid = new Map<Root, PaidEntry>();
  if (files.length === 0) return paid;
  const roots = files.map(({ root }) => root);
  if (payer === undefined || !payer.canPay) {
    throw new SdkError(
      { code: 'SDK_NO_PAYER', roots },
      `${roots.length} file(s) have to be paid for and the client has no rpc and signer; first: ${roots[0]}`,
    );
  }
  const payable = files.map(({ root, sizeBytes, nodes }) => ({ root, sizeBytes, nodes, tags }));
  if (onQuote !== undefined || onProgress !== undefined) {
    const price = await payer.price(payable, { signal });
    const quote = quoteOf(
      files.map(({ sizeBytes }) => sizeBytes),
      price,
    );
    onProgress?.({ step: 'quoted', quote });
    if ((await onQuote?.(quote)) === false) {
      const { totalWei } = quote;
      throw new SdkError(
        { code: 'SDK_DECLINED', totalWei },
        `the price of ${totalWei} wei was declined; nothing was paid`,
      );
    }
  }
  for (let start = 0; start < payable.length; start += MAX_BATCH_SUBMISSIONS) {
    const batch = payable.slice(start, start + MAX_BATCH_SUBMISSIONS);
    onProgress?.({ step: 'submitting', roots: batch.map(({ root }) => root) });
    const intent = intentOf(payer, batch, tags, resubmit);
    const entries = await payer.submit(batch, { intent, signal });
    for (const [index, { root }] of batch.entries()) {
      const entry = entries[index];
      if (entry === undefined) throw new Error(`no entry for ${root} in the payer's answer`);
      paid.set(root, entry);
      const { sequence, transactionHash } = entry;
      onProgress?.({ step: 'submitted', root, sequence, transactionHash });
    }
  }
  return paid;
}

/**
 * Names a payment by everything that makes it this one: chain, contract, roots, tags and the
 * caller's own word. The same again is the same payment.
 */
export function intentOf(
  { chainId, flow }: Pick<Payer, 'chainId' | 'flow'>,
  files: readonly { readonly root: Root }[],
  tags: Uint8Array,
  resubmit: string | undefined,
): string {
  const [only] = files;
  const what =
    files.length === 1 && only !== undefined
      ? only.root
      : toHex(keccak256(utf8Bytes(files.map(({ root }) => root).join())));
  const word = utf8Bytes(resubmit ?? '');
  const rest =
    tags.length === 0 && word.length === 0
      ? '0x'
      : toHex(keccak256(concatBytes(keccak256(tags), word)));
  return `${chainId}:${flow}:${what}:${rest}`;
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

function notEnough(
  replicas: number,
  answered: number,
  failures: readonly HolderFailure[],
): SdkError {
  const [first] = failures;
  return new SdkError(
    { code: 'SDK_NOT_ENOUGH_HOLDERS', replicas, answered, failures },
    `${answered} usable node(s) do not keep every segment ${replicas} time(s)` +
      (first === undefined ? '' : `; ${first.url}: ${first.reason}`),
  );
}
