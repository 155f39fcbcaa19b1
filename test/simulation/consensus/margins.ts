import { log2SeatOdds } from '@cairn/attestation';
import { ADVERSARY_PERCENTS, type GroupSeats, PARAMS, type Signers, seatsOf } from './signers.ts';

/** A share of a group's seats that an adversary must not exceed, and what it could do beyond. */
export interface Limit {
  readonly name: 'third' | 'fiveTwelfths' | 'twoThirds';
  readonly numerator: number;
  readonly denominator: number;
}

const THIRD: Limit = { name: 'third', numerator: 1, denominator: 3 };
const FIVE_TWELFTHS: Limit = { name: 'fiveTwelfths', numerator: 5, denominator: 12 };
const TWO_THIRDS: Limit = { name: 'twoThirds', numerator: 2, denominator: 3 };

/** A kind of group, and the limits that it is asked about. */
export interface GroupKind {
  readonly name: 'committee' | 'quorum';
  readonly seats: number;
  readonly limits: readonly Limit[];
}

/** The committee orders and hands over; a DA quorum promises that enough rows are held. */
export const GROUP_KINDS: readonly GroupKind[] = [
  { name: 'committee', seats: PARAMS.committeeSeats, limits: [THIRD, TWO_THIRDS] },
  { name: 'quorum', seats: PARAMS.seatsPerQuorum, limits: [FIVE_TWELFTHS, TWO_THIRDS] },
];

/** What draws came to, for one kind of group and one adversary. */
export interface DrawnShare {
  readonly group: GroupKind['name'];
  readonly percent: number;
  /** Groups that were drawn. */
  readonly groups: number;
  /** The largest share of one group's seats, in millionths. */
  readonly largest: number;
  /** How many groups were beyond each limit. */
  readonly beyond: Readonly<Partial<Record<Limit['name'], number>>>;
}

/** What `epochs` epochs of these signers came to. Those of fewer votes than the committee has seats are not drawn. */
export function drawnShares(signers: Signers, epochs: number): readonly DrawnShare[] {
  const drawn = Array.from({ length: epochs }, (_, epoch) => seatsOf(signers, epoch + 1));
  return GROUP_KINDS.flatMap((kind) => {
    const groups = drawn.flatMap((all) =>
      kind.name === 'committee' ? all.slice(0, 1) : all.slice(1),
    );
    return ADVERSARY_PERCENTS.map((percent) => shareOf(kind, percent, groups));
  });
}

function shareOf(kind: GroupKind, percent: number, groups: readonly GroupSeats[]): DrawnShare {
  let largest = 0;
  const beyond: Partial<Record<Limit['name'], number>> = {};
  for (const { name } of kind.limits) beyond[name] = 0;
  for (const { seats, adversaries } of groups) {
    const won = adversaries.get(percent) ?? 0;
    largest = Math.max(largest, Math.floor((won * 1e6) / seats));
    for (const { name, numerator, denominator } of kind.limits) {
      if (won * denominator > numerator * seats) beyond[name] = (beyond[name] ?? 0) + 1;
    }
  }
  return { group: kind.name, percent, groups: groups.length, largest, beyond };
}

/** Exact odds that were worked out: each takes some ten milliseconds, and tables and tests ask for the same. */
const known = new Map<string, number>();

/** log2 of the exact probability that an adversary exceeds a limit: by its votes, which are a little less than its share. */
export function oddsOf(signers: Signers, kind: GroupKind, percent: number, limit: Limit): number {
  const { totalVotes: votes, adversaries } = signers;
  const adversaryVotes = adversaries.get(percent)?.votes ?? 0;
  const key = [votes, adversaryVotes, kind.seats, limit.name].join(' ');
  const log2 = known.get(key) ?? log2SeatOdds({ seats: kind.seats, votes, adversaryVotes, limit });
  known.set(key, log2);
  return log2;
}
