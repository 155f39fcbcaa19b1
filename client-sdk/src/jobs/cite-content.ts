import {
  anchorPlace,
  type CitedContent,
  proveContent,
  proveFile,
  readHead,
  readOrder,
  readPlaces,
  ShardError,
} from '@cairn/chain-access/shards';
import { type ChainId, isFault, type Root, toHex } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';

import type { JobNetwork } from './job-network.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/** Wait between looks at the order: a devnet's grows every few seconds, others' more slowly. */
const ORDER_POLL_MS = 1000;

/** A file that is stored, as receipts and `files.stat` tell it. */
export interface StoredContent {
  readonly chainId: ChainId;
  readonly sequence: number;
  readonly root: Root;
}

/**
 * Proves references for a call of a contract of the hub, all under one root of the order that the hub keeps: they stay good however
 * long the call takes. Where nobody has kept such a root yet, a transaction keeps one.
 *
 * @throws {ShardError} SHARD_PLACE_NOT_GIVEN for one that is not ordered yet, SHARD_NOT_LOGGED, SHARD_BAD_PROOF; {JobError}
 *   JOB_NO_CHAIN, JOB_NO_SIGNER; as `anchorPlace`
 */
export async function citeContents(
  network: JobNetwork,
  contents: readonly ContentReference[],
  { signal }: Waiting,
): Promise<readonly CitedContent[]> {
  const { ordering } = network;
  const last = contents.reduce((most, { globalIndex }) => Math.max(most, globalIndex), 0);
  let places = await readPlaces(ordering, { signal });
  const place = places[last];
  if (place === undefined) {
    throw new ShardError(
      { code: 'SHARD_PLACE_NOT_GIVEN', globalIndex: last, count: places.length },
      `place ${last} of the order is not given yet: it has ${places.length} places`,
    );
  }
  // Proven once before anything is paid for.
  const proveAll = async (count: number): Promise<readonly CitedContent[]> => {
    const cited: CitedContent[] = [];
    for (const content of contents) {
      const deps = await network.proverOf(content.chainId, { signal });
      cited.push(await proveContent(deps, content, { signal, places, count }));
    }
    return cited;
  };
  const cited = await proveAll(places.length);
  const count = await anchorPlace(network.caller(), place, { signal });
  if (count === places.length) return cited;
  if (count > places.length) places = await readPlaces(ordering, { signal });
  return proveAll(count);
}

/**
 * The reference to a stored file, at the place of the first checkpoint that has it.
 *
 * @throws {ShardError} SHARD_NOT_ORDERED while there is none, SHARD_BAD_PROOF; {JobError} JOB_NO_CHAIN
 */
export async function referToStored(
  network: JobNetwork,
  { chainId, sequence, root }: StoredContent,
  { signal }: Waiting,
): Promise<ContentReference> {
  const deps = await network.proverOf(chainId, { signal });
  const { record, ordered } = await proveFile(deps, sequence, { signal });
  const actual = toHex(record.fileRoot);
  if (actual !== root) {
    const { shardId } = deps.shard;
    const reason = `its log has ${actual} as file ${sequence}, not ${root}`;
    throw new ShardError(
      { code: 'SHARD_BAD_PROOF', shardId, reason },
      `of shard ${shardId}: ${reason}`,
    );
  }
  const { globalIndex } = ordered;
  const { sizeBytes } = record;
  return { chainId, globalIndex, root, sizeBytes, offset: 0, length: sizeBytes };
}

/**
 * As `referToStored`, once the file is ordered: until then the order is looked at every second, one call a look.
 *
 * @param onWait - told of the first look that found it not ordered yet; a throw ends the wait
 * @throws as `referToStored` but for SHARD_NOT_ORDERED; the signal's reason; what `onWait` throws
 */
export async function awaitOrdered(
  network: JobNetwork,
  stored: StoredContent,
  { signal, onWait }: Waiting & { readonly onWait?: () => Promise<void> | void },
): Promise<ContentReference> {
  const { shardId } = await network.shardOf(stored.chainId, { signal });
  for (;;) {
    const { number } = await readHead(network.ordering, shardId, { signal });
    try {
      return await referToStored(network, stored, { signal });
    } catch (error) {
      if (!isFault(error, 'SHARD_NOT_ORDERED')) throw error;
    }
    for (;;) {
      await onWait?.();
      await network.clock.sleep(ORDER_POLL_MS, signal);
      if ((await readHead(network.ordering, shardId, { signal })).number > number) break;
    }
  }
}

/**
 * Waits until the order has a place, with a look every second.
 *
 * @param onWait - told of each look that found it shorter; a throw ends the wait
 * @throws what the hub's endpoint throws; the signal's reason; what `onWait` throws
 */
export async function awaitPlace(
  network: JobNetwork,
  globalIndex: number,
  { signal, onWait }: Waiting & { readonly onWait?: () => Promise<void> | void },
): Promise<void> {
  while ((await readOrder(network.ordering, { signal })).count <= globalIndex) {
    await onWait?.();
    await network.clock.sleep(ORDER_POLL_MS, signal);
  }
}
