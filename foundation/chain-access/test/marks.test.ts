import assert from 'node:assert/strict';
import type { BlockMark, Hex } from '@cairn/primitives';
import type { ChainBlock } from '../src/client/parse-replies.ts';
import { ChainMoved } from '../src/log/errors.ts';
import { Marks } from '../src/log/marks.ts';

const markOf = (number: number, fork: string): BlockMark => ({
  number,
  hash: `0x${fork}${number}` as Hex,
});

describe('the newest mark that stands', () => {
  const options = { signal: new AbortController().signal };
  const known = Array.from({ length: 100 }, (_, number) => markOf(number, 'a'));
  /** A chain whose blocks from `forked` on are others, with `unknown` left out. */
  const chainOf = (forked: number, unknown: (number: number) => boolean = () => false) => ({
    getBlock: async (block: unknown): Promise<ChainBlock | undefined> => {
      const number = Number(block);
      if (unknown(number)) return undefined;
      return markOf(number, number < forked ? 'a' : 'b') as ChainBlock;
    },
  });

  it('is where the forks part', async () => {
    for (const forked of [1, 37, 99]) {
      const to = await new Marks(known).findCommon(chainOf(forked), 120, options);
      assert.equal(to?.number, forked - 1);
    }
    assert.equal(await new Marks(known).findCommon(chainOf(0), 120, options), undefined);
  });

  it('is not above the head', async () => {
    const to = await new Marks(known).findCommon(
      chainOf(50, (at) => at > 60),
      60,
      options,
    );
    assert.equal(to?.number, 49);
    assert.equal((await new Marks(known).findCommon(chainOf(99), 20, options))?.number, 20);
  });

  it('is not decided by an endpoint that does not know its own blocks', async () => {
    for (const unknown of [() => true, (at: number) => at < 40]) {
      await assert.rejects(
        new Marks(known).findCommon(chainOf(30, unknown), 120, options),
        ChainMoved,
      );
    }
  });
});
