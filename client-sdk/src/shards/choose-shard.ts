import { readShardLoad } from '@cairn/chain-access/shards';
import { type Clock, Fault, keccak256, mapConcurrent, toHex, utf8Bytes } from '@cairn/primitives';
import { quoteOf } from '../cost.ts';
import { SdkError } from '../errors.ts';
import type { PricedFiles, PriceRequest } from '../files-client.ts';
import { findEntry } from '../find-entry.ts';
import { failureOf } from '../holders.ts';
import type { Price } from '../payer.ts';
import type { PreparedUpload } from '../prepare-upload.ts';
import type { Destination, DestinationRequest } from '../put-file.ts';
import type { PutOptions } from '../put-options.ts';
import type { UploadNetwork } from '../upload-network.ts';
import { requireShard } from './locate-on-shards.ts';
import {
  describeCandidates,
  type Placement,
  type PlacementReason,
  rankCandidates,
  type ShardCandidate,
  weightedWei,
} from './placement.ts';
import type { PlacementJournal } from './placement-journal.ts';
import type { KnownShard, ShardConnection, ShardDirectory } from './shard-directory.ts';

/** Shards asked at the same time. */
const SHARDS_PARALLEL = 16;

/** What choosing a shard needs. */
export interface ChooseDeps {
  readonly directory: Pick<ShardDirectory, 'name' | 'shards' | 'orderedNumber'>;
  readonly journal: PlacementJournal;
  readonly clock: Clock;
}

interface Call {
  readonly signal: AbortSignal;
}

type SettleOptions = Pick<PutOptions, 'tags' | 'resubmit' | 'onProgress'> & Call;

/** A shard whose nodes and chain were asked what they are. */
interface OpenShard {
  readonly known: KnownShard;
  readonly network: UploadNetwork | undefined;
  /** Why there is none. */
  readonly fault: ShardCandidate['fault'];
}

/** What a shard asks, and what makes of it a candidate. */
interface Weighed {
  readonly candidate: ShardCandidate;
  readonly network: UploadNetwork | undefined;
  readonly price?: Price;
}

/** The shard that the caller named. @throws {SdkError} SDK_OPTION, SDK_NO_SHARD; as `openUploadNetwork` */
export async function tellShard(
  { directory }: ChooseDeps,
  { shard, replicas, signal }: DestinationRequest & { readonly shard: number },
): Promise<Destination> {
  const known = requireShard(shard, await directory.shards({ signal }));
  const network = await connectionOf(known).openNetwork({ replicas, signal });
  const { chainId, flow } = network;
  const placement: Placement = {
    ...{ shard, chainId, reason: 'told' },
    candidates: [{ shard, chainId, flow }],
  };
  return {
    name: `${chainId} ${flow}`,
    settle: async (_, { onProgress }) => {
      onProgress?.({ step: 'placed', placement });
      return { ...network, placement };
    },
    done: async () => undefined,
  };
}

/**
 * Any shard: which one is decided once the files are hashed, by what an earlier run began, by who has them already, or
 * by price and backlog at that time.
 *
 * @throws {SdkError} SDK_NO_SHARD if none can be written to
 */
export async function openShards(
  deps: ChooseDeps,
  { replicas, signal }: Omit<DestinationRequest, 'shard'>,
): Promise<Destination> {
  const { directory, journal } = deps;
  const all = await directory.shards({ signal });
  const shards = await eachOf(all, (known, inner) => openOne(known, replicas, inner), signal);
  if (shards.every(({ network }) => network === undefined)) {
    throw noShard(shards.map((shard) => weighedWithoutPrice(shard).candidate));
  }
  let key: string | undefined;
  let settled: UploadNetwork | undefined;
  return {
    name: directory.name,
    async settle(files, options) {
      if (settled !== undefined) return settled;
      key = keyOf(directory.name, files, options);
      const { network, placement } = await choose(deps, shards, files, key, options);
      options.onProgress?.({ step: 'placed', placement });
      settled = { ...remembered(network, journal, key, placement.shard), placement };
      return settled;
    },
    async done() {
      if (key !== undefined) await journal.delete(key);
    },
  };
}

/** The price of files on the shard that would be chosen for them now, or on the one named. */
export async function chooseByPrice(
  directory: ChooseDeps['directory'],
  { files, shard, signal }: PriceRequest,
): Promise<PricedFiles> {
  const all = await directory.shards({ signal });
  const asked = shard === undefined ? all : [requireShard(shard, all)];
  const weighed = await eachOf(
    asked,
    (known, inner) =>
      weigh(directory, { known, network: undefined, fault: undefined }, files, inner),
    signal,
  );
  const candidates = rankCandidates(weighed.map(({ candidate }) => candidate));
  const best = weighed.find(({ candidate }) => candidate === candidates[0]);
  if (best?.price === undefined) throw noShard(candidates);
  const { candidate, price } = best;
  const reason: PlacementReason = shard === undefined ? 'cheapest' : 'told';
  return { price, placement: placementOf(candidate, reason, candidates) };
}

async function choose(
  { directory, journal }: ChooseDeps,
  shards: readonly OpenShard[],
  files: readonly PreparedUpload[],
  key: string,
  options: SettleOptions,
): Promise<{ readonly network: UploadNetwork; readonly placement: Placement }> {
  const { signal } = options;
  const begun = await journal.get(key);
  const listed = (mark: (shard: OpenShard) => Partial<ShardCandidate>): ShardCandidate[] =>
    shards.map((shard) => ({ ...weighedWithoutPrice(shard).candidate, ...mark(shard) }));
  if (begun !== undefined) {
    const shard = shards.find(({ known }) => known.shard === begun);
    const candidates = listed(() => ({}));
    if (shard?.network === undefined) throw noShard(candidates, begun);
    return chosen(shard.network, begun, 'begun', candidates);
  }
  const having = await eachOf(
    shards,
    (shard, inner) => hasAll(shard, files, options, inner),
    signal,
  );
  const isKnown = new Map(shards.map((shard, index) => [shard, having[index] === true]));
  const owner = shards.find((shard) => isKnown.get(shard) === true);
  if (owner?.network !== undefined) {
    const marked = listed((shard) => ({ isKnown: isKnown.get(shard) === true }));
    return chosen(owner.network, owner.known.shard, 'known', marked);
  }
  const { tags = new Uint8Array(0) } = options;
  const payable = files.map(({ sizeBytes }) => ({ sizeBytes, tags }));
  const weighed = await eachOf(
    shards,
    (shard, inner) => weigh(directory, shard, payable, inner),
    signal,
  );
  const candidates = rankCandidates(
    weighed.map(({ candidate }) => ({ ...candidate, isKnown: false })),
  );
  // Where nobody can pay anywhere, paying says why.
  const best =
    weighed.find(
      ({ candidate }) => candidate.shard === candidates[0]?.shard && isUsable(candidate),
    ) ??
    weighed.find(({ network, price }) => network !== undefined && price !== undefined) ??
    weighed.find(({ network }) => network !== undefined);
  if (best?.network === undefined) throw noShard(candidates);
  return chosen(best.network, best.candidate.shard, 'cheapest', candidates);
}

function isUsable({ fault }: ShardCandidate): boolean {
  return fault === undefined;
}

function chosen(
  network: UploadNetwork,
  shard: number,
  reason: PlacementReason,
  candidates: readonly ShardCandidate[],
): { readonly network: UploadNetwork; readonly placement: Placement } {
  const own = candidates.filter((candidate) => candidate.shard === shard);
  const others = candidates.filter((candidate) => candidate.shard !== shard);
  const { chainId } = network;
  return { network, placement: { shard, chainId, reason, candidates: [...own, ...others] } };
}

function placementOf(
  { shard, chainId }: ShardCandidate,
  reason: PlacementReason,
  candidates: readonly ShardCandidate[],
): Placement {
  return { shard, chainId, reason, candidates };
}

/** The same network, whose payer has the journal know the shard before anything is paid. */
function remembered(
  network: UploadNetwork,
  journal: PlacementJournal,
  key: string,
  shard: number,
): UploadNetwork {
  const { payer } = network;
  if (payer === undefined) return network;
  return {
    ...network,
    payer: {
      ...payer,
      async submit(files, options) {
        await journal.put(key, shard);
        return payer.submit(files, options);
      },
    },
  };
}

async function openOne(
  known: KnownShard,
  replicas: number,
  signal: AbortSignal,
): Promise<OpenShard> {
  try {
    const network = await connectionOf(known).openNetwork({ replicas, signal });
    return { known, network, fault: undefined };
  } catch (error) {
    return { known, network: undefined, fault: faultOf(known, error, signal) };
  }
}

/** Whether a shard's log has every one of the files already. */
async function hasAll(
  { network }: OpenShard,
  files: readonly PreparedUpload[],
  { tags = new Uint8Array(0), resubmit }: SettleOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (network === undefined || resubmit !== undefined) return false;
  for (const file of files) {
    if ((await findEntry(file, tags, network, { signal })) === undefined) return false;
  }
  return true;
}

/** Asks a shard's chain what the files cost there, and how far it is behind. */
async function weigh(
  directory: Pick<ShardDirectory, 'orderedNumber'>,
  shard: OpenShard,
  files: PriceRequest['files'],
  signal: AbortSignal,
): Promise<Weighed> {
  const bare = weighedWithoutPrice(shard);
  if (shard.fault !== undefined) return bare;
  const { known } = shard;
  try {
    const connection = connectionOf(known);
    const contract = await connection.contract({ signal });
    const orderedNumber = await directory.orderedNumber(known.shard, { signal });
    const { periodBlocks, finality, coinWeight } = known;
    const order =
      periodBlocks === undefined || orderedNumber === undefined
        ? undefined
        : { periodBlocks, orderedNumber };
    const load = await readShardLoad(contract, { finality, order }, { signal });
    const { price } = await connection.price(files, { shard: undefined, signal });
    const sizes = files.map(({ sizeBytes }) => sizeBytes);
    const { pricePerSectorWei, feeWei, gas, gasFeeWei, totalWei } = quoteOf(sizes, price);
    const { waitingEntries, lateCheckpoints, headBlock, finalBlock } = load;
    const candidate: ShardCandidate = {
      ...bare.candidate,
      cost: {
        ...{ pricePerSectorWei, feeWei, totalWei },
        ...(gas === undefined || gasFeeWei === undefined ? {} : { gas, gasFeeWei }),
      },
      backlog: { waitingEntries, lateCheckpoints, headBlock, finalBlock },
      weightedWei: weightedWei(totalWei, load, coinWeight),
      ...(shard.network?.payer?.canPay === true && gas === undefined ? CANNOT_PAY : {}),
    };
    return { candidate, network: shard.network, price };
  } catch (error) {
    const fault = faultOf(known, error, signal);
    return { candidate: { ...bare.candidate, fault }, network: shard.network };
  }
}

/** A gas estimate fails where the account has too few coins, or the log takes nothing now. */
const CANNOT_PAY = {
  fault: {
    code: 'SDK_CANNOT_PAY',
    reason: 'its chain does not let the account pay now: too few coins there, or the log is paused',
  },
} as const;

function weighedWithoutPrice({ known, network, fault }: OpenShard): Weighed {
  const { shard, chainId, flow } = known;
  const candidate = {
    ...{ shard, chainId },
    ...(flow === undefined ? {} : { flow }),
    ...(fault === undefined ? {} : { fault }),
  };
  return { candidate, network };
}

function connectionOf({ connection, shard, chainId }: KnownShard): ShardConnection {
  if (connection !== undefined) return connection;
  const candidate = {
    shard,
    chainId,
    fault: { code: 'SDK_NO_SHARD', reason: 'no address is known' },
  };
  throw new SdkError(
    { code: 'SDK_NO_SHARD', shards: [candidate] },
    `shard ${shard} is on chain ${chainId}, of which no address is known`,
  );
}

function faultOf(
  { shard }: KnownShard,
  error: unknown,
  signal: AbortSignal,
): { readonly code: string; readonly reason: string } {
  if (signal.aborted || !(error instanceof Fault)) throw error;
  const { code, reason } = failureOf(`shard ${shard}`, error);
  return { code, reason };
}

/** The upload, by everything that makes it this one: where it is paid is remembered under this name. */
function keyOf(
  name: string,
  files: readonly PreparedUpload[],
  { tags = new Uint8Array(0), resubmit = '' }: SettleOptions,
): string {
  const roots = files.map(({ root, sizeBytes }) => `${root}:${sizeBytes}`).join();
  return [name, toHex(keccak256(utf8Bytes(roots))), toHex(tags), resubmit].join(' ');
}

function noShard(candidates: readonly ShardCandidate[], begun?: number): SdkError {
  const text = describeCandidates(candidates);
  return new SdkError(
    { code: 'SDK_NO_SHARD', shards: candidates },
    begun === undefined
      ? `no shard can take the files now: ${text}`
      : `the upload was begun on shard ${begun}, which cannot be reached now: ${text}`,
  );
}

/** Asks shards at once, each outcome in the order of the shards. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  ask: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const all = mapConcurrent(items, ask, { parallel: SHARDS_PARALLEL, signal });
  for await (const result of all) results.push(result);
  return results;
}
