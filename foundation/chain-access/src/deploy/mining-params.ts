/** What mining and its rewards are made with. */
export interface MiningParams {
  /** Hashes per answer of a miner of the whole flow, at first; 1,000,000 unless told. */
  readonly difficulty?: bigint;
  /** Difficulty never falls below this, however long nobody answers; a tenth of the first unless told. */
  readonly minDifficulty?: bigint;
  /** Answers wanted in a mining epoch, twice as many are taken; 100 unless told. */
  readonly answersPerEpoch?: number;
  /**
   * Blocks in which a miner may answer; 240 unless told, or those of a shorter epoch. More than 256 need
   * a chain with the history contract of EIP-2935.
   */
  readonly windowBlocks?: number;
  /** Windows that miners are spread over; as many as fit into an epoch unless told. */
  readonly windows?: number;
  /** Blocks from one window to the next; 250 unless told. */
  readonly windowIntervalBlocks?: number;
  /** Most shards that an answer may divide the flow into, a power of two up to 1,024; 256 unless told. */
  readonly maxShards?: number;
  /** Sum of the contract's development modes: 1 unsealed, 2 unproven, 4 every hash counts; 0 unless told. */
  readonly developmentModes?: number;
  /**
   * Sectors of a pricing chunk, whose fees are one pool; 2^25, 8 GiB, unless told. A file costs some
   * 22,000 gas for each that it fills.
   */
  readonly sectorsPerPrice?: number;
  /** Seconds for which an upload pays, and each renewal; those of 12 months of 31 days unless told. */
  readonly releaseSeconds?: number;
}

/**
 * Mining that a laptop can take part in and see: answers every few seconds, pools of 8 MiB that are paid
 * out within a day. One file may be 10 GiB, for which a block of 30 M gas is enough.
 */
export const DEVNET_MINING: MiningParams = {
  difficulty: 20_000n,
  minDifficulty: 10_000n,
  answersPerEpoch: 5,
  windowBlocks: 100,
  windows: 1,
  windowIntervalBlocks: 1,
  sectorsPerPrice: 2 ** 15,
  releaseSeconds: 86_400,
};

/** Blocks of a devnet's mining epoch. */
export const DEVNET_BLOCKS_PER_EPOCH: number = 120;

const DIFFICULTY = 1_000_000n;
const WINDOW_BLOCKS = 240;
const WINDOW_INTERVAL_BLOCKS = 250;
const SECTORS_PER_PRICE = 2 ** 25;
const RELEASE_SECONDS = 12 * 31 * 86_400;

/** Arguments of ChunkLinearReward that come before the addresses. */
export function rewardNumbers(params: MiningParams): readonly number[] {
  const { sectorsPerPrice = SECTORS_PER_PRICE, releaseSeconds = RELEASE_SECONDS } = params;
  return [sectorsPerPrice, releaseSeconds];
}

/** `MiningParameters` of contracts/src/pora/PoraTypes.sol, for epochs of so many blocks. */
export function miningParameters(params: MiningParams, blocksPerEpoch: number): object {
  const { difficulty = DIFFICULTY, windowIntervalBlocks = WINDOW_INTERVAL_BLOCKS } = params;
  // The last window ends before the epoch's last block.
  const room = blocksPerEpoch - 2;
  const windowBlocks = params.windowBlocks ?? Math.min(WINDOW_BLOCKS, room);
  return {
    difficulty,
    targetMineBlocks: windowBlocks,
    targetSubmissions: params.answersPerEpoch ?? 100,
    maxShards: params.maxShards ?? 256,
    nSubtasks: params.windows ?? 1 + Math.floor((room - windowBlocks) / windowIntervalBlocks),
    subtaskInterval: windowIntervalBlocks,
    minDifficulty: params.minDifficulty ?? difficulty / 10n,
  };
}
