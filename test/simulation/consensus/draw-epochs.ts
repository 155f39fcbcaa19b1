import { writeFile } from 'node:fs/promises';
import { DRAWS, type KeptDraws } from './draw-files.ts';
import { drawnShares } from './margins.ts';
import { signersOf } from './signers.ts';

/** Epochs by count of signers, a minute of CPU time together. All of 100 signers are seated, so nothing is drawn. */
const EPOCHS: readonly (readonly [signers: number, epochs: number, first: number])[] = [
  [1000, 1000, 5],
  [10_000, 100, 1],
];

// Draws the seats of many epochs and keeps what came of it in draws.json, always the same:
// node --import=tsx --conditions=@cairn/source test/simulation/consensus/draw-epochs.ts
const kept = EPOCHS.map(([count, epochs, first]): KeptDraws => {
  const signers = signersOf(count);
  const shares = drawnShares(signers, epochs);
  return {
    ...{ signers: count, epochs, shares },
    first: { epochs: first, shares: drawnShares(signers, first) },
  };
});
await writeFile(DRAWS, `${JSON.stringify(kept, null, 2)}\n`);
