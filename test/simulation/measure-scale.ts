import { loadHasher } from '@cairn/commitments';
import { FileBank } from './file-bank.ts';
import { Simulation } from './simulation.ts';

// What a simulated node costs while nothing goes wrong: see docs/scale.md for how to run it.
const [nodes = 100, files = 40] = process.argv.slice(2).map(Number);
const hasher = await loadHasher();
const bank = new FileBank(hasher);
const simulation = new Simulation(bank, { seed: 1, nodes, files, isCalm: true });
const { traffic, diskBytes, problems } = await simulation.run();
const { requests, requestBytes, gossip, gossipBytes } = traffic;
const row = {
  nodes,
  files,
  simulatedMs: simulation.clock.monotonic(),
  requestsPerNode: requests / nodes,
  requestBytesPerNode: requestBytes / nodes,
  gossipPerNode: gossip / nodes,
  gossipBytesPerNode: gossipBytes / nodes,
  diskBytesPerNode: diskBytes / nodes,
  problems: problems.length,
};
process.stdout.write(`${JSON.stringify(row)}\n`);
