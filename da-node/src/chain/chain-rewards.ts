import type { BlsBackend } from '@cairn/attestation';
import { ChainError } from '@cairn/chain-access';
import {
  BatchLog,
  type BlockEntropy,
  claimHeld,
  claimServed,
  confirmReport,
  estimateMining,
  type MiningCaller,
  openPeriod,
  publishArcs,
  readBlockEntropy,
  readGasPrice,
  readHasArcs,
  readHeaderRlp,
  readOpenPeriod,
  readReport,
  readRewardState,
  readServedPool,
  refusalOf,
} from '@cairn/chain-access/da';
import { LruCache } from '@cairn/primitives';
import type { LotteryChain } from '../signer/office/claim-held.ts';
import type { ClaimChain } from '../signer/office/claim-served.ts';
import type { DrawChain } from '../signer/office/draw-rows.ts';
import type { ReportChain } from '../signer/office/report-served.ts';

/** Seeds of periods kept: of all epochs that are looked at. */
const MAX_SEEDS = 1024;

/** Draws, reports, claims and the lottery, on the contract that pays fees out. Seeds and batches are from final blocks. */
export function chainRewards(
  caller: MiningCaller,
  backend: Pick<BlsBackend, 'expandSignature'>,
): DrawChain & ReportChain & ClaimChain & LotteryChain {
  const { mining } = caller;
  const { client, entrance, settings } = mining;
  const batches = new BatchLog(entrance);
  const seeds = new LruCache<number, BlockEntropy>({ maxWeight: MAX_SEEDS });
  return {
    periodBlocks: settings.periodBlocks,
    drawTarget: settings.drawTarget,
    finalBlock: (options) => entrance.finalBlock(options),
    entropyOf: async (block, options) => {
      const known = seeds.get(block);
      if (known !== undefined) return known;
      const found = await readBlockEntropy(client, block, options);
      if (found !== undefined) seeds.set(block, found);
      return found;
    },
    batchesSince: (epoch, options) => batches.since(epoch, options),
    reportOf: (place, options) => readReport(mining, place, options),
    confirm: (report, options) =>
      isMade(confirmReport(caller, report, backend, options), ['AlreadyReported', 'ReportClosed']),
    quote: async (claim, options) => {
      const { epoch, entries, index } = claim;
      const { nextEpoch } = await readRewardState(mining, options);
      if (epoch >= nextEpoch) return 'later';
      const report = await readReport(mining, claim, options);
      if (report === undefined) return 'over';
      const { poolWei } = await readServedPool(mining, epoch, options);
      const served = BigInt(entries[index]?.served ?? 0);
      const amountWei = (poolWei * served) / BigInt(report.quorums * report.drawn);
      try {
        const gas = await estimateMining(caller, { claim }, options);
        return { amountWei, costWei: gas * (await readGasPrice(mining, options)) };
      } catch (error) {
        if (isRefusal(error)) return 'over';
        throw error;
      }
    },
    maxRowBytes: settings.maxRowBytes,
    prizesPerPeriod: settings.prizesPerPeriod,
    potShare: settings.potShare,
    openPeriod: (options) => readOpenPeriod(mining, options),
    potWei: async (options) => (await readRewardState(mining, options)).heldPotWei,
    gasPriceWei: (options) => readGasPrice(mining, options),
    open: async (period, options) => {
      const headerRlp = await readHeaderRlp(client, period * settings.periodBlocks, options);
      if (headerRlp === undefined) return;
      await isMade(openPeriod(caller, { period, headerRlp }, options), ['WrongPeriod', 'NoHash']);
    },
    hasArcs: (snapshotHash, rows, options) => readHasArcs(mining, { snapshotHash, rows }, options),
    publishArcs: async (committee, rows, options) => {
      await publishArcs(caller, { committee, rows }, options);
    },
    gasOf: async (held, options) => {
      try {
        return await estimateMining(caller, { held }, options);
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },
    claimHeld: async (held, options) => {
      await isMade(claimHeld(caller, held, options), ['WrongPeriod', 'AlreadyPaid', 'NotDrawn']);
    },
    claim: async (claim, options) => {
      await isMade(claimServed(caller, claim, options), ['AlreadyClaimed', 'MoreThanTotal']);
    },
  };
}

/** Whether the contract itself refuses a call on trial. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') return false;
  return error.facts.rpcData !== undefined;
}

/** Whether a call was made. @throws what it throws, but for refusals that say it is too late for it */
async function isMade(call: Promise<unknown>, late: readonly string[]): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (late.includes(refusalOf(error) ?? '')) return false;
    throw error;
  }
}
