import {
  type Address,
  assertNatural,
  assertPositiveInteger,
  bigEndianBytes,
  concatBytes,
  DRAW_RANGE,
  keccak256,
  MAX_QUORUMS,
  MAX_VOTES,
  viewOf,
} from '@cairn/primitives';
import { abiWords } from './abi-words.ts';
import { tagOf } from './digests.ts';

/** Draws of 32 bits in one hash. */
const DRAWS_PER_HASH = 8;

/** How many seats there are to win. */
export interface SeatPlan {
  /** Seats of the committee on average. */
  readonly committeeSeats: number;
  /** Votes registered for the epoch. */
  readonly totalVotes: number;
  readonly maxQuorums: number;
  readonly seatsPerQuorum: number;
}

/**
 * DA quorums of an epoch: as many as have `seatsPerQuorum` each, at least 1, at most the network's.
 *
 * @throws {RangeError} for numbers that are not natural, or more quorums than 16
 */
export function quorumCount(plan: SeatPlan): number {
  const { committeeSeats, totalVotes, maxQuorums, seatsPerQuorum } = plan;
  assertNatural(totalVotes, 'totalVotes');
  assertPositiveInteger(committeeSeats, 'committeeSeats');
  assertPositiveInteger(seatsPerQuorum, 'seatsPerQuorum');
  assertQuorums(maxQuorums);
  const seats = Math.min(committeeSeats, totalVotes);
  return Math.min(maxQuorums, Math.max(1, Math.floor(seats / seatsPerQuorum)));
}

/**
 * A draw below this wins a seat. 2^32, all of them, while there are seats for every vote; else
 * committeeSeats / totalVotes of that, rounded down to a multiple of the quorums so that the
 * remainder of a winning draw is even among them.
 *
 * @throws {RangeError} as `quorumCount`
 */
export function seatThreshold(
  { committeeSeats, totalVotes }: Pick<SeatPlan, 'committeeSeats' | 'totalVotes'>,
  quorums: number,
): number {
  assertNatural(totalVotes, 'totalVotes');
  assertPositiveInteger(committeeSeats, 'committeeSeats');
  assertQuorums(quorums);
  if (committeeSeats >= totalVotes) return DRAW_RANGE;
  const share = Number((BigInt(committeeSeats) * BigInt(DRAW_RANGE)) / BigInt(totalVotes));
  return share - (share % quorums);
}

/** What one signer won. */
export interface DrawnSeats {
  /** In the committee. */
  readonly total: number;
  /** Of these in each DA quorum, from quorum 1 on; they add up to `total`. */
  readonly perQuorum: readonly number[];
}

/** What a signer draws with. */
export interface Draw {
  /** Of its ticket, 32 bytes. */
  readonly beta: Uint8Array;
  /** 0 … 1,024. */
  readonly votes: number;
  /** From `seatThreshold`. */
  readonly threshold: number;
  /** From `quorumCount`. */
  readonly quorums: number;
}

/**
 * The seats of one signer: each of its votes draws 32 bits, lowest first from the hashes of beta with
 * 0, 1, 2, … One hash for eight votes.
 *
 * @throws {RangeError} for numbers beyond their bounds, or a beta that is not 32 bytes
 */
export function drawSeats({ beta, votes, threshold, quorums }: Draw): DrawnSeats {
  assertNatural(votes, 'votes');
  assertQuorums(quorums);
  if (votes > MAX_VOTES) throw new RangeError(`a signer has at most ${MAX_VOTES} votes`);
  if (beta.length !== 32) throw new RangeError(`a beta has 32 bytes, not ${beta.length}`);
  const perQuorum = new Array<number>(quorums).fill(0);
  let total = 0;
  let view = viewOf(beta);
  for (let vote = 0; vote < votes; vote += 1) {
    const place = vote % DRAWS_PER_HASH;
    if (place === 0) {
      view = viewOf(keccak256(concatBytes(beta, bigEndianBytes(vote / DRAWS_PER_HASH, 32))));
    }
    const draw = view.getUint32(28 - 4 * place);
    if (draw >= threshold) continue;
    const quorum = draw % quorums;
    perQuorum[quorum] = (perQuorum[quorum] ?? 0) + 1;
    total += 1;
  }
  return { total, perQuorum };
}

/** A signer that may have to contribute to the next seed. */
export interface ContributorDraw {
  /** Of the epoch, 32 bytes. */
  readonly seed: Uint8Array;
  readonly signer: Address;
  readonly votes: number;
  readonly totalVotes: number;
  /** Contributors on average. */
  readonly contributors: number;
}

/**
 * Whether a signer's ticket is a duty in this epoch: drawn in public, weighted by votes, so that
 * who holds its ticket back is known. In small networks everyone.
 *
 * Rule: the low 128 bits of the draw, times totalVotes, are below votes · contributors · 2^128.
 */
export function isContributor(draw: ContributorDraw): boolean {
  const { seed, signer, votes, totalVotes, contributors } = draw;
  const hash = keccak256(abiWords(tagOf('contrib'), seed, signer));
  const low = numberOf(hash.subarray(16));
  return low * BigInt(totalVotes) < (BigInt(votes) * BigInt(contributors)) << 128n;
}

/** What the seed of an epoch is made of. */
export interface SeedParts {
  /** Of the epoch before, 32 bytes; the first one takes the network's salt. */
  readonly seed: Uint8Array;
  /** The epoch whose seed it becomes. */
  readonly epoch: number;
  /** From `xorBetas` over the contributors that posted; 32 zeros for none. */
  readonly xorBeta: Uint8Array;
  /** Of the one block that the schedule names, 32 bytes. */
  readonly entropy: Uint8Array;
}

/** The seed of an epoch. */
export function nextSeed({ seed, epoch, xorBeta, entropy }: SeedParts): Uint8Array {
  return keccak256(abiWords(tagOf('seed'), seed, epoch, xorBeta, entropy));
}

/** All betas laid over each other bit by bit: whoever posts last chooses among few results. */
export function xorBetas(betas: Iterable<Uint8Array>): Uint8Array {
  const sum = new Uint8Array(32);
  for (const beta of betas) {
    for (const [index, byte] of beta.entries()) sum[index] = (sum[index] ?? 0) ^ byte;
  }
  return sum;
}

/** Where a blob was submitted or promised, as far as it decides who signs for it. */
export type BlobPlace =
  | { readonly submissionIndex: bigint }
  | { readonly payer: Address; readonly slot: number };

/**
 * The quorum that has to hold a blob, which its sender does not choose: 0 where the committee is the
 * only one, else 1 + a hash of seed and index, or of seed, payer and slot, modulo their number.
 */
export function quorumOfBlob(seed: Uint8Array, place: BlobPlace, quorums: number): number {
  assertQuorums(quorums);
  if (quorums === 1) return 0;
  const words =
    'payer' in place
      ? abiWords(seed, place.payer, place.slot)
      : abiWords(seed, place.submissionIndex);
  return 1 + Number(numberOf(keccak256(words)) % BigInt(quorums));
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

function assertQuorums(quorums: number): void {
  if (Number.isInteger(quorums) && quorums >= 1 && quorums <= MAX_QUORUMS) return;
  throw new RangeError(`an epoch has 1 to ${MAX_QUORUMS} quorums, not ${quorums}`);
}
