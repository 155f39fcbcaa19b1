import { deepEqual, equal, match } from 'node:assert/strict';
import fc from 'fast-check';
import { type BudgetShare, SharedBudget } from '../../src/upkeep/shared-budget.ts';

interface Chain extends BudgetShare {
  usedBytes: number;
  canHalve: boolean;
  isMoving: boolean;
}

function budgetOf(
  maxBytes: number,
  ...used: readonly number[]
): { readonly budget: SharedBudget; readonly chains: readonly Chain[] } {
  const budget = new SharedBudget({ maxBytes });
  const chains = used.map((usedBytes, index) => ({
    name: `chain ${index + 1}`,
    usedBytes,
    canHalve: true,
    isMoving: false,
  }));
  for (const chain of chains) budget.add(chain);
  return { budget, chains };
}

/** Which chains may halve now, asked in order. */
const claims = (budget: SharedBudget, chains: readonly Chain[]): readonly boolean[] =>
  chains.map((chain) => budget.claimsHalving(chain));

describe('the budget that chains share', () => {
  it('counts the sum, and tells who takes it', () => {
    const { budget, chains } = budgetOf(100, 60, 39);
    equal(budget.isSpent, false);
    (chains[1] as Chain).usedBytes = 40;
    equal(budget.isSpent, true);
    equal(
      budget.sentence,
      'all that storage.max_bytes allows this node to keep is taken, 100 of 100 bytes: chain 1 takes 60, chain 2 takes 40',
    );
    match(budgetOf(100, 101).budget.sentence, /101 of 100 bytes$/);
    equal(budgetOf(0, 1e15, 1e15).budget.isSpent, false, 'no bound');
  });

  it('has the chain that takes most halve its shard, and no other before its room is back', () => {
    const { budget, chains } = budgetOf(100, 30, 60);
    const [small, large] = chains as [Chain, Chain];
    deepEqual(claims(budget, chains), [false, true]);
    large.isMoving = true;
    small.usedBytes = 70; // grows meanwhile, and waits
    deepEqual(claims(budget, chains), [false, false]);
    large.isMoving = false;
    deepEqual(claims(budget, chains), [false, false], 'nobody has looked yet what came back');
    large.usedBytes = 30;
    budget.settled(large);
    deepEqual(claims(budget, chains), [true, false]);
  });

  it('turns to the next one where the largest cannot be made smaller', () => {
    const { budget, chains } = budgetOf(100, 30, 65);
    (chains[1] as Chain).canHalve = false;
    deepEqual(claims(budget, chains), [true, false]);
  });

  it('never lets two halve at once, nor any below nine tenths', () => {
    const bytes = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 16 }), (used) => {
        const { budget, chains } = budgetOf(1000, ...used);
        const sum = used.reduce((left, right) => left + right, 0);
        const claimed = claims(budget, chains).filter(Boolean).length;
        equal(claimed, sum >= 900 ? 1 : 0);
      }),
      { seed: 4711 },
    );
  });
});
