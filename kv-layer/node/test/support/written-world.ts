import { type Rng, seededRng, utf8Bytes } from '@cairn/primitives';
import { LogWorld } from './log-world.ts';
import { streamNumber } from './replayed.ts';

/** Streams of `writtenWorld`. */
export const WRITTEN_STREAMS = [streamNumber(1), streamNumber(2)] as const;
/** Bytes of a value that lies outside the index. */
const LONG_VALUE_BYTES = 5000;

/** A world with the same `batches` batches for the same seed, in blocks of several, among files. */
export async function writtenWorld(seed: number, batches: number): Promise<LogWorld> {
  const world = await LogWorld.make(seed);
  const rng = seededRng(seed);
  for (let index = 0; index < batches; index += 1) {
    if (rng.below(4) === 0) await world.file(`an ordinary file ${index}`);
    const stream = WRITTEN_STREAMS[rng.below(2)] ?? WRITTEN_STREAMS[0];
    await world.batch([stream], (batch) => {
      for (let write = 0; write <= rng.below(8); write += 1) {
        const key = utf8Bytes(`key ${rng.below(100)}`);
        if (rng.below(8) === 0) batch.delete(stream, key);
        else batch.put(stream, key, someValue(rng, index));
      }
    });
    if (rng.below(3) === 0) world.chain.mine();
  }
  world.chain.mine();
  return world;
}

function someValue(rng: Rng, index: number): Uint8Array {
  return rng.below(4) === 0
    ? rng.fill(new Uint8Array(LONG_VALUE_BYTES))
    : utf8Bytes(`value ${index} ${rng.below(1000)}`);
}
