import type { Address } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';
import { Mining, type MiningDeps } from './mining.ts';
import { openMiningChain } from './open-mining-chain.ts';

export type { Mining } from './mining.ts';

/** Wires mining for a node that is configured to mine; nothing happens before `run`. */
export function createMining(
  { mining, chain, node }: StorageNodeConfig,
  deps: Omit<MiningDeps, 'config' | 'dataDirectory' | 'openChain'>,
  flow: Address,
): Mining | undefined {
  if (mining === undefined) return undefined;
  const { dataDirectory } = node;
  const { rpcUrl, pollMs } = chain;
  return new Mining({
    ...deps,
    config: mining,
    dataDirectory,
    openChain: (signal) =>
      openMiningChain({ rpcUrl, flow, pollMs, mining, dataDirectory }, deps, signal),
  });
}
