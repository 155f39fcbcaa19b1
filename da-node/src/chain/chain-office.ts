import type { Committee, EpochHeader } from '@cairn/attestation';
import { readPhase } from '@cairn/chain-access/da';
import type { OfficeChain } from '../signer/office/ports.ts';
import type { ChainOptions, EpochOptions } from '../signer/ports.ts';
import { committeeOf } from './chain-epochs.ts';
import type { DaChain } from './connect-chain.ts';

/** What a signer's office asks about epochs, from final blocks. */
export function chainOffice({ hub, epochs }: Pick<DaChain, 'hub' | 'epochs'>): OfficeChain {
  return {
    currentEpoch: async ({ signal }: ChainOptions): Promise<number> => {
      const block = await hub.finalBlock({ signal });
      return (await readPhase(hub, { signal, block })).epoch;
    },
    epochHeader: async (epoch: number, options: EpochOptions): Promise<EpochHeader | undefined> =>
      (await epochs.sealed(epoch, options))?.header,
    committee: (
      epoch: number,
      quorumId: number,
      { signal }: ChainOptions,
    ): Promise<Committee | undefined> => committeeOf(epochs, { epoch, quorumId }, signal),
  };
}
