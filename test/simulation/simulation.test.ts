import assert from 'node:assert/strict';
import { loadHasher } from '@cairn/commitments';
import { isSoak, seedOf } from '../support/soak.ts';
import { FAULT_KINDS } from './faults.ts';
import { FileBank } from './file-bank.ts';
import { runInProcesses } from './run-in-processes.ts';
import { Simulation, type SimulationOptions, type SimulationResult } from './simulation.ts';

/** Networks of each size, and how many seeds of them run. */
const SIZES = isSoak
  ? [
      { seeds: 1000, nodes: 30, files: 200 },
      { seeds: 10, nodes: 200, files: 1000 },
    ]
  : [{ seeds: 30, nodes: 16, files: 40 }];
/** A few at a time: a thousand take longer than a test may. */
const SEEDS_A_TEST = 50;
/** So many networks run beside each other: each process takes seconds until its code is fast. */
const PROCESSES = isSoak ? 2 : 1;
/** Seeds among which one must find the planted fault. */
const MAX_SEEDS_TO_FIND = 5;
const FIRST_SEED = seedOf(1);

describe('a simulated network of storage nodes', () => {
  let bank: FileBank;
  const { stackTraceLimit } = Error;
  /** How often each kind of fault was done, and segments that readers got. */
  const done = new Map<string, number>();
  let given = 0;

  before(async () => {
    bank = new FileBank(await loadHasher());
    Error.stackTraceLimit = 0; // a tenth of the time: most faults here are peers that do not answer
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  function simulate(options: SimulationOptions): Promise<SimulationResult> {
    return new Simulation(bank, options).run();
  }

  for (const { seeds, nodes, files } of SIZES) {
    for (let from = 0; from < seeds; from += SEEDS_A_TEST) {
      const first = FIRST_SEED + from;
      const count = Math.min(SEEDS_A_TEST, seeds - from);
      it(`loses nothing, serves nothing bad and heals: ${nodes} nodes, ${files} files, seeds from ${first}`, async () => {
        const runs = await runInProcesses({ nodes, files, first, count }, PROCESSES);
        assert.equal(runs.length, count);
        for (const { seed, problems, faults, reads } of runs) {
          assert.deepEqual(problems, [], `CAIRN_SEED=${seed}`);
          given += reads.given;
          for (const [kind, times] of Object.entries(faults))
            done.set(kind, (done.get(kind) ?? 0) + times);
        }
      });
    }
  }

  it('went through every kind of fault, and through reads while they happened', () => {
    assert.deepEqual([...done.keys()].sort(), [...FAULT_KINDS].sort());
    assert.ok(given > 0, 'nobody could read anything');
  });

  it('runs seeds in several processes, each once', async () => {
    const range = { nodes: 8, files: 4, first: 7, count: 3 };
    const seeds = (await runInProcesses(range, 2)).map(({ seed }) => seed);
    assert.deepEqual([...seeds].sort(), [7, 8, 9]);
  });

  it('does the same again from the same seed', async () => {
    const options = { seed: FIRST_SEED, nodes: 8, files: 12 };
    const [first, second] = [await simulate(options), await simulate(options)];
    assert.equal(first.trace, second.trace);
    const other = await simulate({ ...options, seed: FIRST_SEED + 1 });
    assert.notEqual(first.trace, other.trace);
  });

  it('finds a store that acknowledges segments before they are on the disk', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= MAX_SEEDS_TO_FIND && found.length === 0; seed += 1) {
      const { problems } = await simulate({ seed, nodes: 8, files: 40, acknowledgesEarly: true });
      found.push(...problems.filter((problem) => problem.includes('which it acknowledged')));
    }
    assert.notDeepEqual(found, []);
  });
});
