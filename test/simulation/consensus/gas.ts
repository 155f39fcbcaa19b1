import { readFile } from 'node:fs/promises';

/** Gas of whole transactions, as `contracts/test/forge/ShardGas.t.sol` holds them. */
export interface ShardGas {
  /** `submitBundle` by checkpoints. */
  readonly bundles: readonly (readonly [checkpoints: number, gas: number])[];
  /** `acceptEpoch` by groups of the epoch. */
  readonly handovers: readonly (readonly [groups: number, gas: number])[];
}

const README = new URL('../../../contracts/README.md', import.meta.url);

/** Reads the table of `contracts/README.md`. @throws if it has no such rows */
export async function readShardGas(): Promise<ShardGas> {
  const text = await readFile(README, 'utf8');
  const row = (name: string): (readonly [number, number])[] => {
    const found = new RegExp(`^\\| \`${name}\`, ([\\d /]+) \\w+ \\| ([\\d, /]+) \\|`, 'm').exec(
      text,
    );
    const [counts, gas] = [found?.[1], found?.[2]].map((cell = '') =>
      cell.split('/').map((part) => Number(part.replaceAll(',', '').trim())),
    );
    if (found === null || counts === undefined || gas?.length !== counts.length) {
      throw new Error(`contracts/README.md tells no gas of ${name}`);
    }
    return counts.map((count, index) => [count, gas[index] ?? Number.NaN] as const);
  };
  return { bundles: row('submitBundle'), handovers: row('acceptEpoch') };
}

/** A cost that grows with a count from a first part on. */
export interface Line {
  readonly base: number;
  readonly each: number;
  /** The largest share by which a point is off the line. */
  readonly residual: number;
  readonly at: (count: number) => number;
}

/** Least squares, each point weighed by its own size. */
export function fitLine(points: readonly (readonly [count: number, cost: number])[]): Line {
  let [ones, mixed, squares, first, second] = [0, 0, 0, 0, 0];
  for (const [count, cost] of points) {
    const [one, slope] = [1 / cost, count / cost];
    ones += one * one;
    mixed += one * slope;
    squares += slope * slope;
    first += one;
    second += slope;
  }
  const determinant = ones * squares - mixed * mixed;
  const base = (first * squares - second * mixed) / determinant;
  const each = (ones * second - mixed * first) / determinant;
  const at = (count: number): number => base + each * count;
  const residual = Math.max(...points.map(([count, cost]) => Math.abs(at(count) / cost - 1)));
  return { base, each, residual, at };
}
