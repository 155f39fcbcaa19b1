import { silentLogger } from '@cairn/primitives';
import { SliceStore } from '../../src/signer/slice-store.ts';
import { verifiedSlices } from './verified-slices.ts';

/**
 * A process that stores slices until it is killed, four at a time, and gives every fifth up again.
 * Each line names what is durable, as the answer to a delivery does.
 */
const [directory = '', start = '0'] = process.argv.slice(2);
const { signal } = new AbortController();
const store = await SliceStore.open(
  { directory, capacityBytes: 2 ** 40, reserveBytes: 0, logger: silentLogger() },
  { signal },
);
for (let round = Number(start); ; round += 4) {
  await Promise.all(
    [0, 1, 2, 3].map(async (at) => {
      const { claim, slice } = await verifiedSlices(round + at);
      const { leaf } = await store.put(claim, slice, { signal });
      if ((round + at) % 5 === 4) await store.remove(leaf);
      process.stdout.write(`${JSON.stringify({ index: round + at, leaf })}\n`);
    }),
  );
}
