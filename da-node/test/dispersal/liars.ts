import type { Rng } from '@cairn/primitives';
import { MANNERS, type Manner, type SignerDoor } from './signer-door.ts';

/** Ways in which a signer breaks the rules. */
export const LIES: readonly Manner[] = MANNERS.filter((manner) => manner !== 'honest');

/** Seats of `members` signers, 1 … `most` each, by chance. */
export function seatsByChance(rng: Rng, members: number, most: number): number[] {
  return Array.from({ length: members }, () => 1 + rng.below(most));
}

/** Members by chance, as many as fit, with at most ⌊(S − 1) / 3⌋ of the S seats together. */
export function liarsByChance(rng: Rng, seats: readonly number[]): ReadonlySet<number> {
  const total = seats.reduce((sum, own) => sum + own, 0);
  let left = Math.floor((total - 1) / 3);
  const liars = new Set<number>();
  for (const index of shuffled(rng, seats.keys())) {
    const own = seats[index] ?? 0;
    if (own > left) continue;
    liars.add(index);
    left -= own;
  }
  return liars;
}

/** In an order by chance. */
export function shuffled<Item>(rng: Rng, items: Iterable<Item>): Item[] {
  const left = [...items];
  const taken: Item[] = [];
  while (left.length > 0) taken.push(...left.splice(rng.below(left.length), 1));
  return taken;
}

/** Gives each liar a way of its own, and the others their honesty back. */
export function corruptSigners(
  signers: readonly SignerDoor[],
  liars: ReadonlySet<number>,
  mannerOf: () => Manner,
): void {
  for (const signer of signers) signer.manner = liars.has(signer.index) ? mannerOf() : 'honest';
}
