/**
 * Protocol numbers of stake, seats and certificates. Contracts are deployed with them and light
 * clients judge by them, so a network never changes one without a new deployment.
 */

/** Groups of DA signers an epoch has at most: seats of one draw are counted in 16 bits a group of a 256-bit word. */
export const MAX_QUORUMS = 16;
/** Votes of one signer at most: 128 hashes of drawing, 241,000 gas on chain. */
export const MAX_VOTES = 1024;
/** Members of one group at most: certificates name an absent member by 16 bits. */
export const MAX_GROUP_MEMBERS = 65_535;
/** Parts of a whole in one basis point's count: shares below are given in basis points. */
export const BASIS_POINTS = 10_000;
/** The probability of a draw of 32 bits is this one's part: a threshold of 2^32 seats every vote. */
export const DRAW_RANGE: number = 2 ** 32;
/** Bit that tells a promised blob's index from one that the contract counted. */
export const PROMISED_INDEX_BIT = 63n;

/** How blocks divide an epoch, counted from its first block. */
export interface EpochSchedule {
  /** Blocks of an epoch. */
  readonly epochBlocks: number;
  /** Seconds between blocks that the times of this network were chosen for. */
  readonly blockSeconds: number;
  /** Until here changes of stake, key and role count two epochs ahead, later three. */
  readonly openBlocks: number;
  /** Blocks until the hub does not take one back; tickets may be posted `openBlocks + finalityBlocks` in. */
  readonly finalityBlocks: number;
  /** Until here tickets are taken. */
  readonly ticketsEndBlock: number;
  /** Blocks after that whose end gives the entropy: the last ticket is final before the seed is known. */
  readonly quietBlocks: number;
}

/** How seats are won and which statements a committee may make how long. */
export interface ConsensusParams {
  readonly schedule: EpochSchedule;
  /** Stake, in whole coins, of one vote: chosen so that a typical signer has at most 64 votes. */
  readonly coinsPerVote: number;
  /** Votes of one signer at most, so that one draw's cost is bounded. */
  readonly maxVotes: number;
  /**
   * Seats of a committee on average, where there are more votes; else every vote is seated. 2,048
   * keep an adversary of a quarter of the stake below a third of the seats but for 2^-56.
   */
  readonly committeeSeats: number;
  /** DA quorums at most; 1 until there are 1,024 votes, since tiny quorums fall to one signer. */
  readonly maxQuorums: number;
  /** Seats of a DA quorum on average: an adversary of a quarter of the stake wins 5/12 of 512 with 2^-52. */
  readonly seatsPerQuorum: number;
  /** Signers on average whose tickets make the next seed; 32 leave no honest one with 2^-35 at a quarter. */
  readonly contributors: number;
  /** Part of its stake, in basis points, that a contributor without a ticket pays: small, since it may be cut off. */
  readonly missPenaltyBps: number;
  /** Epochs for which it is refused, the one whose seed it held back included. */
  readonly missSuspensionEpochs: number;
  /**
   * Part of the expected seats, in basis points, that tickets must fill; below it the old committee
   * stays, since whoever keeps honest tickets out raises its own share.
   */
  readonly minSeatBps: number;
  /** Times in a row a committee may stay before the network halts. */
  readonly maxCarry: number;
  /** Epochs for which signers keep a blob at most. */
  readonly maxRetentionEpochs: number;
  /** Members of a DA quorum at most: half the rows of the smallest blob, so that every member holds one. */
  readonly maxQuorumMembers: number;
  /** Data rows of the smallest blob. */
  readonly minDataRows: number;
  /** Cosets of parity: 3 make a quarter of the rows enough, so that 5/12 of a quorum may be hostile. */
  readonly cosets: number;
  /** Blocks between checkpoints of a consensus shard. */
  readonly checkpointPeriodBlocks: number;
  /** Blocks until signers take a shard's block for final; `tag` where the chain says so itself. */
  readonly shardFinality: number | 'tag';
  /** Seconds after an epoch's end in which its certificates are still taken: its stake is still locked. */
  readonly graceSeconds: number;
  /** Seconds after an epoch's end for which light clients believe its committee about the next one. */
  readonly trustingSeconds: number;
  /** Seconds that evidence has to reach the hub. */
  readonly evidenceSeconds: number;
  /** Seconds from asking for stake back until it is free: longer than anyone believes its signatures. */
  readonly unbondSeconds: number;
  /** Seconds a case may freeze a stake. */
  readonly maxCaseSeconds: number;
  /** Cases that may freeze one stake at a time. */
  readonly maxCases: number;
  /** Blocks of a period of possession: the rows drawn in it must be served. */
  readonly samplePeriodBlocks: number;
  /** Auditors of a drawn row; at most as many as there are members. */
  readonly auditors: number;
  /** Their receipts that make a row count as served. */
  readonly auditorReceipts: number;
  /** Part of bonded and unbonding stake, in basis points, lost by signing against oneself: all of it. */
  readonly equivocationBps: number;
  /** Part lost, in basis points, by not answering a challenge for a set of rows. */
  readonly unavailableBps: number;
  /** The most of that in one epoch, in basis points. */
  readonly unavailableMaxBps: number;
}

/** A network on one machine: a block a second, an epoch a minute, everyone seated. */
export const DEVNET_CONSENSUS: ConsensusParams = {
  schedule: {
    epochBlocks: 60,
    blockSeconds: 1,
    openBlocks: 15,
    finalityBlocks: 2,
    ticketsEndBlock: 40,
    quietBlocks: 2,
  },
  coinsPerVote: 1,
  maxVotes: 64,
  committeeSeats: 2048,
  maxQuorums: 1,
  seatsPerQuorum: 512,
  contributors: 32,
  missPenaltyBps: 10,
  missSuspensionEpochs: 1,
  minSeatBps: 6700, // of four equal signers one may be absent
  maxCarry: 20,
  maxRetentionEpochs: 60,
  maxQuorumMembers: 32,
  minDataRows: 64,
  cosets: 3,
  checkpointPeriodBlocks: 10,
  shardFinality: 2,
  graceSeconds: 60,
  trustingSeconds: 30 * 60,
  evidenceSeconds: 10 * 60,
  unbondSeconds: 2 * 3600,
  maxCaseSeconds: 10 * 60,
  maxCases: 4,
  samplePeriodBlocks: 20,
  auditors: 3,
  auditorReceipts: 2,
  equivocationBps: BASIS_POINTS,
  unavailableBps: 200,
  unavailableMaxBps: 1000,
};

/** A small public network for tests: a block every two seconds, an epoch of twenty minutes. */
export const TESTNET_CONSENSUS: ConsensusParams = {
  schedule: {
    epochBlocks: 600,
    blockSeconds: 2,
    openBlocks: 150,
    finalityBlocks: 10,
    ticketsEndBlock: 450,
    quietBlocks: 10,
  },
  coinsPerVote: 10,
  maxVotes: 256,
  committeeSeats: 2048,
  maxQuorums: 2,
  seatsPerQuorum: 512,
  contributors: 32,
  missPenaltyBps: 50,
  missSuspensionEpochs: 2,
  minSeatBps: 8000,
  maxCarry: 6,
  maxRetentionEpochs: 90,
  maxQuorumMembers: 128,
  minDataRows: 256,
  cosets: 3,
  checkpointPeriodBlocks: 30,
  shardFinality: 10,
  graceSeconds: 3600,
  trustingSeconds: 3 * 86_400,
  evidenceSeconds: 86_400,
  unbondSeconds: 5 * 86_400,
  maxCaseSeconds: 86_400,
  maxCases: 4,
  samplePeriodBlocks: 50,
  auditors: 8,
  auditorReceipts: 5,
  equivocationBps: BASIS_POINTS,
  unavailableBps: 200,
  unavailableMaxBps: 1000,
};

/** The main network: a block every twelve seconds, an epoch of eight hours. */
export const MAINNET_CONSENSUS: ConsensusParams = {
  schedule: {
    epochBlocks: 2400,
    blockSeconds: 12,
    openBlocks: 700,
    finalityBlocks: 64,
    ticketsEndBlock: 1800,
    quietBlocks: 64,
  },
  coinsPerVote: 30,
  maxVotes: MAX_VOTES,
  committeeSeats: 2048,
  maxQuorums: 4,
  seatsPerQuorum: 512,
  contributors: 32,
  missPenaltyBps: 100,
  missSuspensionEpochs: 3,
  minSeatBps: 8500, // more absent stake than this would let a fifth of the stake reach a third of the seats
  maxCarry: 6,
  maxRetentionEpochs: 42, // 14 days
  maxQuorumMembers: 512,
  minDataRows: 1024,
  cosets: 3,
  checkpointPeriodBlocks: 25, // 5 minutes
  shardFinality: 'tag',
  graceSeconds: 2 * 3600,
  trustingSeconds: 14 * 86_400,
  evidenceSeconds: 3 * 86_400,
  unbondSeconds: 21 * 86_400,
  maxCaseSeconds: 5 * 86_400,
  maxCases: 4,
  samplePeriodBlocks: 300,
  auditors: 8,
  auditorReceipts: 5,
  equivocationBps: BASIS_POINTS,
  unavailableBps: 200,
  unavailableMaxBps: 1000,
};

/** Seconds of an epoch. */
export function epochSeconds({ epochBlocks, blockSeconds }: EpochSchedule): number {
  return epochBlocks * blockSeconds;
}

/**
 * Seconds that stake must stay locked at least: whoever leaves in epoch n may sit in n + 2, be kept
 * there `maxCarry` times, and be believed or owe its rows after that, while evidence still travels.
 *
 * @param challengeSeconds - how long an open challenge may go on after retention ended
 */
export function leastUnbondSeconds(params: ConsensusParams, challengeSeconds: number): number {
  const epoch = epochSeconds(params.schedule);
  const retained = params.maxRetentionEpochs * epoch + challengeSeconds;
  const believed = Math.max(params.trustingSeconds, retained);
  return (3 + params.maxCarry) * epoch + believed + params.evidenceSeconds;
}
