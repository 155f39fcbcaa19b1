import type { Placement, PutReceipt, ShardCandidate } from '@cairn/client-sdk';
import { formatCoin, type Json } from '@cairn/primitives';

const REASONS: Readonly<Record<Placement['reason'], string>> = {
  told: 'as was asked',
  begun: 'where an earlier run began',
  known: 'which has it already',
  cheapest: 'the cheapest now',
};

/** " of shard 1 (chain 31338), the cheapest now"; nothing where the network has one log. */
export function shardInWords({
  shard,
  chainId,
  placement,
}: Pick<PutReceipt, 'shard' | 'chainId' | 'placement'>): string {
  if (shard === undefined) return '';
  const reason = placement === undefined ? '' : `, ${REASONS[placement.reason]}`;
  return ` of shard ${shard} (chain ${chainId})${reason}`;
}

/** A line for each candidate, best first. */
export function placementInWords({ shard, reason, candidates }: Placement): string {
  const lines = candidates.map((candidate) => {
    const mark = candidate.shard === shard ? `, ${REASONS[reason]}` : '';
    return `shard ${candidate.shard} (chain ${candidate.chainId})${mark}: ${candidateInWords(candidate)}\n`;
  });
  return lines.join('');
}

function candidateInWords({ cost, backlog, fault }: ShardCandidate): string {
  const price = cost === undefined ? [] : [`${formatCoin(cost.totalWei)} coins`];
  const waiting =
    backlog === undefined
      ? []
      : [
          `${backlog.waitingEntries} entries not final`,
          `${backlog.lateCheckpoints} checkpoints late`,
        ];
  return [...price, ...waiting, ...(fault === undefined ? [] : [fault.reason])].join(', ');
}

/** A receipt's shard and why it is there, as JSON. */
export function placeJson({
  shard,
  placement,
}: Pick<PutReceipt, 'shard' | 'placement'>): Record<string, Json> {
  return {
    ...(shard === undefined ? {} : { shard }),
    ...(placement === undefined ? {} : { placement: placementJson(placement) }),
  };
}

/** A choice of a shard as JSON, amounts as decimal texts. */
export function placementJson({ shard, chainId, reason, candidates }: Placement): Json {
  return { shard, chainId, reason, candidates: candidates.map(candidateJson) };
}

function candidateJson({ cost, backlog, fault, weightedWei, ...place }: ShardCandidate): Json {
  return {
    ...place,
    cost:
      cost === undefined
        ? undefined
        : {
            pricePerSectorWei: cost.pricePerSectorWei.toString(),
            feeWei: cost.feeWei.toString(),
            gas: cost.gas?.toString(),
            gasFeeWei: cost.gasFeeWei?.toString(),
            totalWei: cost.totalWei.toString(),
          },
    backlog: backlog === undefined ? undefined : { ...backlog },
    weightedWei: weightedWei?.toString(),
    fault: fault === undefined ? undefined : { ...fault },
  };
}
