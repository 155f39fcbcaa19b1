import {
  type Address,
  type ChainId,
  type ConsensusParams,
  epochSeconds,
  type Hex,
  parseAddress,
  toHex,
} from '@cairn/primitives';

/** Wei of a coin. */
const COIN_WEI = 10n ** 18n;

/** What a network's contracts of stake, epochs and blobs are made with. */
export interface DaParams {
  /** Protocol numbers, such as `DEVNET_CONSENSUS`. */
  readonly consensus: ConsensusParams;
  /** 32 bytes that stand for the seed before the first; unlike those of any other network. */
  readonly genesisSalt: Uint8Array;
  /**
   * Blocks from the draw's creation until the first epoch begins, in which signers join; those of two
   * open phases unless told.
   */
  readonly genesisDelayBlocks?: number;
  /** Wei for each blob; 0 unless told. */
  readonly basePerBlobWei?: bigint;
  /** Wei for each byte of all rows and each epoch of retention; 1 unless told. */
  readonly pricePerByteEpochWei?: bigint;
  /** Seconds before an epoch's end in which submissions are refused; those to finality unless told. */
  readonly marginSeconds?: number;
  /** Part of a penalty, in basis points, that goes to who reports; a tenth unless told. */
  readonly reporterBps?: number;
  /** Seconds after a blob's end in which its absence can still be claimed; 0 unless told. */
  readonly challengeSeconds?: number;
  /** One row of this many is drawn in a period; 4,096 unless told. */
  readonly drawOneRowIn?: number;
  /** Prizes for drawn rows that a period pays on average; 8 unless told. */
  readonly prizesPerPeriod?: number;
  /** Seconds by which a mirror takes the hub's clock to be ahead of its chain's; half an epoch unless told. */
  readonly mirrorDriftSeconds?: number;
  /** A prize for 4 KiB is this part of the pot; a 64th unless told. */
  readonly prizeDivisor?: number;
}

/** `StakeParameters` of contracts/src/stake/StakeTypes.sol. */
export function stakeParameters({ consensus, reporterBps = 1000 }: DaParams): object {
  return {
    tokensPerVote: BigInt(consensus.coinsPerVote) * COIN_WEI,
    maxVotes: consensus.maxVotes,
    unbondDelay: consensus.unbondSeconds,
    maxCaseTime: consensus.maxCaseSeconds,
    maxCases: consensus.maxCases,
    reporterBps,
  };
}

/** `SortitionParameters` of contracts/src/stake/SortitionTypes.sol. */
export function sortitionParameters(params: DaParams): object {
  const { consensus, genesisSalt, challengeSeconds = 0 } = params;
  const { schedule } = consensus;
  return {
    genesisDelay: params.genesisDelayBlocks ?? 2 * schedule.openBlocks,
    genesisSalt: toHex(genesisSalt),
    epochBlocks: schedule.epochBlocks,
    openBlocks: schedule.openBlocks,
    finalityBlocks: schedule.finalityBlocks,
    ticketEnd: schedule.ticketsEndBlock,
    quietBlocks: schedule.quietBlocks,
    secondsPerBlock: schedule.blockSeconds,
    seatTarget: consensus.committeeSeats,
    maxQuorums: consensus.maxQuorums,
    seatsPerQuorum: consensus.seatsPerQuorum,
    contributors: consensus.contributors,
    missPenaltyBps: consensus.missPenaltyBps,
    suspensionEpochs: consensus.missSuspensionEpochs,
    minSeatBps: consensus.minSeatBps,
    maxCarry: consensus.maxCarry,
    maxRetentionEpochs: consensus.maxRetentionEpochs,
    trustingPeriod: consensus.trustingSeconds,
    challengeWindow: challengeSeconds,
    evidenceTime: consensus.evidenceSeconds,
  };
}

/**
 * A blob of 1,024 rows has one drawn every four periods, the largest four in each: rows are looked at by
 * several members, so that what is drawn, not what is put, would soon be most of a signer's work.
 */
const DRAW_ONE_ROW_IN = 4096;

/** `HeldLottery.LotterySettings` of contracts/src/da/HeldLottery.sol. */
export function lotterySettings(params: DaParams, entropy: Address): object {
  const {
    consensus,
    drawOneRowIn = DRAW_ONE_ROW_IN,
    prizesPerPeriod = 8,
    prizeDivisor = 64,
  } = params;
  return {
    entropy,
    periodBlocks: consensus.samplePeriodBlocks,
    drawTarget: Math.floor((2 ** 32 - 1) / drawOneRowIn),
    prizesPerPeriod,
    potShare: prizeDivisor,
  };
}

/** `DAEntrance.Settings` of contracts/src/da/DAEntrance.sol, for the hub's own chain unless told. */
export function entranceSettings(
  params: DaParams,
  places: { readonly verifier: Address; readonly rewards: Address; readonly admin: Address },
  shardId = 0,
): object {
  const { consensus, basePerBlobWei = 0n, pricePerByteEpochWei = 1n } = params;
  const { finalityBlocks, blockSeconds } = consensus.schedule;
  return {
    ...places,
    shardId,
    cosets: consensus.cosets,
    minLog2K: Math.log2(consensus.minDataRows),
    maxRetention: consensus.maxRetentionEpochs,
    epochSeconds: epochSeconds(consensus.schedule),
    marginSeconds: params.marginSeconds ?? finalityBlocks * blockSeconds,
    graceSeconds: consensus.graceSeconds,
    basePerBlob: basePerBlobWei,
    pricePerByteEpoch: pricePerByteEpochWei,
  };
}

/** `MirrorSettings` of contracts/src/shards/EpochMirror.sol. */
export function mirrorSettings(
  { consensus, mirrorDriftSeconds }: DaParams,
  hub: { readonly chainId: ChainId; readonly sortition: Address; readonly orderingHub: Address },
): object {
  return {
    hubChainId: hub.chainId,
    hub: hub.sortition,
    orderingHub: hub.orderingHub,
    trustingPeriod: consensus.trustingSeconds,
    // A header says when its epoch begins, which is so many blocks after the seal at most.
    maxDrift: mirrorDriftSeconds ?? epochSeconds(consensus.schedule) / 2,
    graceSeconds: consensus.graceSeconds,
  };
}

/** `addShard` of the ordering hub, in its order. */
export function shardArguments({ consensus }: DaParams, shard: ShardEntry): readonly unknown[] {
  const { shardId, chainId, flow, daEntrance, epochMirror, firstCheckpoint = 1 } = shard;
  const finality = shardId === 0 ? consensus.schedule.finalityBlocks : consensus.shardFinality;
  const blocks = finality === 'tag' ? 0 : finality; // the registry's word for a block that the chain names
  const places = [flow ?? NOBODY, daEntrance ?? NOBODY, epochMirror ?? NOBODY];
  const { checkpointPeriodBlocks } = consensus;
  return [shardId, chainId, ...places, blocks, checkpointPeriodBlocks, firstCheckpoint];
}

/** A consensus shard as the ordering hub has it; what it has none of is left out. */
export interface ShardEntry {
  readonly shardId: number;
  readonly chainId: ChainId;
  readonly flow?: Address | undefined;
  readonly daEntrance?: Address | undefined;
  readonly epochMirror?: Address | undefined;
  /** Number of its first checkpoint: 1 unless told, which suits a chain that is young. */
  readonly firstCheckpoint?: number;
}

/** Address zero. */
export const NOBODY: Address = parseAddress(`0x${'00'.repeat(20)}`);

/** A name as the Directory holds it: ASCII, left-aligned in 32 bytes. */
export function directoryName(name: string): Hex {
  const digits = [...name].map((letter) => letter.charCodeAt(0).toString(16)).join('');
  return `0x${digits.padEnd(64, '0')}`;
}
