import { systemClock } from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';

/**
 * Has a chain go on until some work is done: block after block, each once the one before is there, so that
 * a machine that stands still for a moment does not find an epoch gone afterwards.
 *
 * @param pauseMs - milliseconds before the next block, by how many there were
 * @throws what the work or a block throws
 */
export async function whileTicking<Result>(
  mine: () => Promise<unknown>,
  work: Promise<Result>,
  pauseMs: (blocks: number) => number = () => 20,
): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined); // awaited below
  for (let blocks = 1; !isDone; blocks += 1) {
    await mine();
    await systemClock().sleep(pauseMs(blocks), testSignal());
  }
  return done;
}
