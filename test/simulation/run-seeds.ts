import { loadHasher } from '@cairn/commitments';
import { FileBank } from './file-bank.ts';
import { Simulation } from './simulation.ts';

// Runs networks of one size, one seed after another, and writes a line of JSON for each:
// node --import=tsx --conditions=@cairn/source test/simulation/run-seeds.ts NODES FILES FIRST COUNT [STEP]
const [nodes = 16, files = 40, first = 1, count = 1, step = 1] = process.argv.slice(2).map(Number);
const bank = new FileBank(await loadHasher());
for (let seed = first; seed < first + count; seed += step) {
  const before = process.cpuUsage();
  const simulation = new Simulation(bank, { seed, nodes, files });
  const { problems, convergedAfterMs, faults, reads } = await simulation.run();
  const { user, system } = process.cpuUsage(before);
  const cpuMs = Math.round((user + system) / 1000);
  const simulatedMs = simulation.clock.monotonic();
  const line = { seed, problems, convergedAfterMs, simulatedMs, faults, reads, cpuMs };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
