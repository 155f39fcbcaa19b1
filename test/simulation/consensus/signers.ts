import {
  drawSeats,
  type EpochDraw,
  quorumCount,
  type RegisteredSigner,
  seatThreshold,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  type Address,
  bigEndianBytes,
  keccak256,
  MAINNET_CONSENSUS,
  MAX_VOTES,
  parseAddress,
  type Rng,
  seededRng,
  utf8Bytes,
} from '@cairn/primitives';

/** Counts of signers that the tables are about. */
export const SIGNER_COUNTS: readonly number[] = [100, 1000, 10_000];
/** Shares of the stake that are an adversary's, in hundredths. */
export const ADVERSARY_PERCENTS: readonly number[] = [20, 25, 30, 33];
/** Stake spreads as the logarithm of a normal law: half of all signers have fewer votes than this. */
const MEDIAN_VOTES = 5;
const SPREAD = 1.2;
/** Keys that signers share: sums of 64 keys cost what sums of as many others do, and size does not depend on it. */
const KEYS = 64;
const SEED = 20_261_123;

/** The network whose signers these are: the main one's numbers. */
export const PARAMS: typeof MAINNET_CONSENSUS = MAINNET_CONSENSUS;

/** Everyone with votes, and who of them is an adversary's. */
export interface Signers {
  readonly registered: readonly RegisteredSigner[];
  readonly totalVotes: number;
  /** By hundredths of the stake: how many of the register's first it has, and their votes. */
  readonly adversaries: ReadonlyMap<number, { readonly signers: number; readonly votes: number }>;
}

const backend = blstBackend();
const keys = Array.from({ length: KEYS }, (_, index) => {
  const material = keccak256(utf8Bytes(`scale key ${index}`));
  return backend.openKey(backend.secretFromMaterial(material));
});

/** The key of a signer, by its place in the register. */
export function keyOf(index: number): (typeof keys)[number] {
  return keys[index % KEYS] ?? raise();
}

/** Signers with votes by a seed: the same for ever. An adversary has the first of them, as many as its share allows. */
export function signersOf(count: number): Signers {
  const rng = seededRng(SEED + count);
  const registered = Array.from({ length: count }, (_, index) => {
    const votes = Math.floor(MEDIAN_VOTES * Math.exp(SPREAD * normal(rng)));
    return {
      signer: addressOf(index),
      votes: Math.min(MAX_VOTES, Math.max(1, votes)),
      publicKey: keyOf(index).publicKey,
    };
  });
  const totalVotes = registered.reduce((sum, { votes }) => sum + votes, 0);
  const adversaries = new Map(
    ADVERSARY_PERCENTS.map((percent) => {
      let [signers, votes] = [0, 0];
      for (const next of registered) {
        if ((votes + next.votes) * 100 > percent * totalVotes) break;
        signers += 1;
        votes += next.votes;
      }
      return [percent, { signers, votes }];
    }),
  );
  return { registered, totalVotes, adversaries };
}

/** The seed and all tickets of an epoch; a ticket's beta is evenly spread, so chance stands for its signature. */
export function drawOf({ registered }: Signers, epoch: number): EpochDraw {
  const rng = seededRng(SEED + registered.length + 2 ** 32 * epoch);
  const seed = keccak256(bigEndianBytes(epoch, 8));
  const tickets = registered.map(({ signer }) => ({ signer, beta: rng.fill(new Uint8Array(32)) }));
  return { epoch, seed, registered, tickets };
}

/** Seats of one group, and how many of them each adversary won, by its hundredths of the stake. */
export interface GroupSeats {
  readonly seats: number;
  readonly adversaries: ReadonlyMap<number, number>;
}

/** The seats of an epoch's committee and of its DA quorums, by the draw that the contract makes; nothing is summed or hashed besides. */
export function seatsOf(signers: Signers, epoch: number): readonly GroupSeats[] {
  const { registered, totalVotes, adversaries } = signers;
  const quorums = quorumCount({ ...PARAMS, totalVotes });
  const threshold = seatThreshold({ ...PARAMS, totalVotes }, quorums);
  const groups = quorums === 1 ? 1 : quorums + 1;
  const seats = new Array<number>(groups).fill(0);
  const won = Array.from({ length: groups }, () => new Map<number, number>());
  const { tickets } = drawOf(signers, epoch);
  for (const [index, { votes }] of registered.entries()) {
    const { beta } = tickets[index] ?? raise();
    const drawn = drawSeats({ beta, votes, threshold, quorums });
    const held = groups === 1 ? [drawn.total] : [drawn.total, ...drawn.perQuorum];
    for (const [group, count] of held.entries()) {
      seats[group] = (seats[group] ?? 0) + count;
      for (const [percent, { signers: first }] of adversaries) {
        if (index >= first) continue;
        won[group]?.set(percent, (won[group]?.get(percent) ?? 0) + count);
      }
    }
  }
  return seats.map((count, group) => ({ seats: count, adversaries: won[group] ?? new Map() }));
}

/** A normal law by the transformation of Box and Muller. */
function normal(rng: Rng): number {
  const [radius, angle] = [1, 1].map((one) => (rng.below(2 ** 32) + one) / 2 ** 32);
  return Math.sqrt(-2 * Math.log(radius ?? 1)) * Math.cos(2 * Math.PI * (angle ?? 0));
}

function addressOf(index: number): Address {
  return parseAddress(`0x${(0xa11ce000000 + index).toString(16).padStart(40, '0')}`);
}

function raise(): never {
  throw new RangeError('no such signer');
}
