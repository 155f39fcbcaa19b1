import { join } from 'node:path';
import type { ChainId } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';

/** Path below which chains are found, and folder of the data directory with those beside the first. */
export const CHAINS = 'chains';

/** A chain that a node is to keep. */
export interface ChainPlan {
  /** For people: `chain 31337`, or with its name, `chain 31338 (shard-1)`. */
  readonly name: string;
  /** What the node would be configured with if it kept this chain alone, in its share of the memory. */
  readonly config: StorageNodeConfig;
}

/** Slowest scrub that a configuration may ask for, bytes a second. */
const MIN_SCRUB_BYTES = 65_536;

/**
 * The chains of a node, the first one first: it keeps the data directory as a node with one chain has it, so that
 * chains can be added later; the others have folders below. Caches and the scrub's rate are shared out equally,
 * mining and duties are the first one's.
 */
export function chainPlans(config: StorageNodeConfig): readonly ChainPlan[] {
  const { chain, shards, storage, scrub, node, p2p } = config;
  if (shards.length === 0) return [{ name: titleOf(chain.chainId), config }];
  const count = shards.length + 1;
  const shared: StorageNodeConfig = {
    ...config,
    storage: {
      ...storage,
      // A file that may wait has to fit.
      cachedBytes: Math.max(storage.cachedFileBytes, Math.floor(storage.cachedBytes / count)),
      readCacheBytes: Math.floor(storage.readCacheBytes / count),
    },
    scrub: {
      ...scrub,
      bytesPerSecond: Math.max(MIN_SCRUB_BYTES, Math.floor(scrub.bytesPerSecond / count)),
      duty: scrub.duty / count,
    },
  };
  const others = shards.map(({ name, shard, ...own }): ChainPlan => {
    const { publicUrl } = p2p;
    const isUrl = publicUrl !== undefined && publicUrl !== 'listener';
    return {
      name: `${titleOf(own.chainId)} (${name})`,
      config: {
        ...shared,
        node: { ...node, dataDirectory: chainDirectory(node.dataDirectory, own.chainId) },
        chain: own,
        storage: { ...shared.storage, shard },
        mining: undefined,
        duty: undefined,
        p2p: { ...p2p, ...(isUrl ? { publicUrl: `${publicUrl}${chainPath(own.chainId)}` } : {}) },
      },
    };
  });
  return [{ name: titleOf(chain.chainId), config: shared }, ...others];
}

/** Where a chain that is not the first lies. */
export function chainDirectory(dataDirectory: string, chainId: ChainId): string {
  return join(dataDirectory, CHAINS, String(chainId));
}

/** Path below which a chain's doors are, on both listeners. */
export function chainPath(chainId: ChainId): string {
  return `/${CHAINS}/${chainId}`;
}

function titleOf(chainId: ChainId | undefined): string {
  return chainId === undefined ? 'the chain' : `chain ${chainId}`;
}
