import { WRITTEN_STREAMS, writtenWorld } from './written-world.ts';

/** A process that replays a written world into a directory, to be killed while it does. */
const [directory = '', seed = '', batches = ''] = process.argv.slice(2);
const world = await writtenWorld(Number(seed), Number(batches));
world.delayMs = 4; // each file takes a moment, so that there are many moments to be killed at
const { node } = await world.start(
  { streams: { ids: WRITTEN_STREAMS }, replay: { prefetch_files: 3 } },
  directory,
);
process.stdout.write('started\n');
const count = world.chain.entries().length;
while (node.status.nextSequence < count) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
process.stdout.write('replayed\n');
await new Promise((resolve) => setTimeout(resolve, 3_600_000));
