import { loadHasher } from '@cairn/commitments';
import { FileBank } from './file-bank.ts';
import type { ScaleRow } from './scale-model.ts';
import { shardsOf } from './seats.ts';
import { Simulation } from './simulation.ts';

// What a simulated node costs while nothing goes wrong, as a line of `scale-rows.jsonl`:
// node --expose-gc --import=tsx --conditions=@cairn/source test/simulation/measure-scale.ts NODES FILES [SHARDS]
const [nodes = 100, files = 40, shards = shardsOf(nodes)] = process.argv.slice(2).map(Number);

/** Bytes of objects that are in use. */
function heapBytes(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('memory is measured with --expose-gc only');
  gc();
  return process.memoryUsage().heapUsed;
}

const bank = new FileBank(await loadHasher());
const totals = { diskBytes: 0, heapBytes: 0, segments: 0, segmentBytes: 0 };
const before = heapBytes();
const onEnd = (): void => {
  for (const { disk } of simulation.nodes) {
    totals.diskBytes += disk.sizeBytes;
    disk.wipe(); // the simulated disks lie in memory too, and are no part of a node's
  }
  for (const { file } of simulation.chain.files) {
    totals.segments += file.segments.length;
    for (const { length } of file.segments) totals.segmentBytes += length;
  }
  totals.heapBytes = heapBytes() - before;
};
const simulation = new Simulation(bank, { seed: 1, nodes, files, shards, isCalm: true, onEnd });
const { traffic, problems } = await simulation.run();
if (problems.length > 0) throw new Error(problems.join('; '));
const { requests, requestBytes, gossip, gossipBytes } = traffic;
const row: ScaleRow = {
  nodes,
  shards,
  files,
  segments: totals.segments,
  segmentBytes: totals.segmentBytes,
  seconds: Math.round(simulation.clock.monotonic() / 1000),
  requests: requests / nodes,
  requestBytes: Math.round(requestBytes / nodes),
  gossip: gossip / nodes,
  gossipBytes: Math.round(gossipBytes / nodes),
  diskBytes: Math.round(totals.diskBytes / nodes),
  heapBytes: Math.round(totals.heapBytes / nodes),
};
process.stdout.write(`${JSON.stringify(row)}\n`);
