import {
  fixPools,
  type Hub,
  type MiningCaller,
  readEpochInfo,
  readFeePool,
  readPhase,
  readRewardState,
  releaseFees,
} from '@cairn/chain-access/da';
import type { PayOutChain } from './pay-out.ts';

/** The chain as paying out uses it; the caller's account pays. */
export function payOutChainOf(hub: Hub, caller: MiningCaller): PayOutChain {
  const { mining } = caller;
  const { settings, domain } = mining.entrance;
  return {
    maxRetentionEpochs: settings.maxRetentionEpochs,
    graceSeconds: settings.graceSeconds,
    currentEpoch: async (options) => (await readPhase(hub, options)).epoch,
    endOf: async (epoch, options) => (await readEpochInfo(hub, epoch, options))?.endSeconds,
    newestSeconds: async (options) =>
      (await hub.client.getBlock('latest', options))?.timestamp ?? 0,
    feesOf: (pool, options) => readFeePool(mining, pool, options),
    release: async (pool, options) => {
      const { epoch, retentionEpochs, suite } = pool;
      const intent = `releaseFees:${domain.address}:${epoch}:${retentionEpochs}:${suite}`;
      await releaseFees(caller, pool, { ...options, intent });
    },
    pools: (options) => readRewardState(mining, options),
    fix: async ({ epoch, most }, options) => {
      const intent = `fixPools:${mining.domain.address}:${epoch}`;
      await fixPools(caller, most, { ...options, intent });
    },
  };
}
