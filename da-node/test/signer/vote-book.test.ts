import { deepEqual, equal } from 'node:assert/strict';
import {
  bigEndianBytes,
  keccak256,
  memoryKeyValueStore,
  type Root,
  rootOf,
} from '@cairn/primitives';
import type { BatchVote } from '@cairn/wire-protocol/da';
import { VoteBook } from '../../src/signer/vote-book.ts';
import { accountOf } from './headers.ts';

const { signal } = new AbortController();

function voteOf(index: number): BatchVote {
  const root = keccak256(bigEndianBytes(index, 4));
  const signature = new Uint8Array(96).fill(index);
  return { kind: 1, epoch: 5, quorumId: 0, count: 1, root, signer: accountOf(1), signature };
}

const keyOf = (index: number): Root => rootOf(voteOf(index).root);

describe('the votes that were given', () => {
  it('are there after a restart, until their time is over', async () => {
    const store = memoryKeyValueStore();
    const book = await VoteBook.open(store, { signal });
    await book.put(voteOf(1), 100);
    await book.put(voteOf(2), 200);
    await book.put(voteOf(1), 100);
    const again = await VoteBook.open(store, { signal });
    equal(again.size, 2);
    deepEqual(await again.get(keyOf(1)), voteOf(1));
    equal(await again.get(keyOf(3)), undefined);
    await again.prune(100);
    equal(again.size, 2, 'up to the last second');
    await again.prune(101);
    equal(await again.get(keyOf(1)), undefined);
    deepEqual(await again.get(keyOf(2)), voteOf(2));
    equal((await VoteBook.open(store, { signal })).size, 1);
  });

  it('are so many and no more: the oldest go', async () => {
    const store = memoryKeyValueStore();
    const book = await VoteBook.open(store, { signal }, { maxVotes: 2 });
    for (const index of [1, 2, 3]) await book.put(voteOf(index), 100 + index);
    equal(book.size, 2);
    equal(await book.get(keyOf(1)), undefined);
    deepEqual(await book.get(keyOf(3)), voteOf(3));
    equal((await VoteBook.open(store, { signal })).size, 2);
  });
});
