import type { Address, ChainId } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';
import { Duties, type DutiesDeps } from './duties.ts';
import { openDutyChain } from './open-duty-chain.ts';

export type { Duties } from './duties.ts';

/** Wires the keeping of duties for a node that is configured to; nothing happens before `run`. */
export function createDuties(
  { duty, chain, node }: StorageNodeConfig,
  deps: Omit<DutiesDeps, 'pollMs' | 'pageBlocks' | 'openChain'>,
  { flow, chainId }: { readonly flow: Address; readonly chainId: ChainId },
): Duties | undefined {
  if (duty === undefined) return undefined;
  const { dataDirectory } = node;
  const { rpcUrl, pollMs, pageBlocks } = chain;
  return new Duties({
    ...deps,
    pollMs: duty.pollMs,
    pageBlocks,
    openChain: (signal) =>
      openDutyChain({ rpcUrl, chainId, flow, pollMs, duty, dataDirectory }, deps, signal),
  });
}
