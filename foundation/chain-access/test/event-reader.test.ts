import assert from 'node:assert/strict';
import { type Hex, parseAddress } from '@cairn/primitives';
import fc from 'fast-check';
import type { ChainClient, LogFilter } from '../src/client/chain-client.ts';
import { ChainError } from '../src/client/errors.ts';
import type { LogRecord } from '../src/client/parse-replies.ts';
import { EventReader, indexedNumber } from '../src/log/event-reader.ts';
import { testSignal } from './anvil.ts';

const CONTRACT = parseAddress(`0x${'c0'.repeat(20)}`);
const TOPIC = indexedNumber(77);
const OTHER_TOPIC = indexedNumber(78);

/** A chain of blocks with events in some of them, behind an endpoint that refuses long ranges. */
class EventChain {
  readonly asked: [number, number][] = [];
  readonly #logs: readonly LogRecord[];
  readonly #mostBlocks: number;
  /** Reads of a header that show another fork, still to come. */
  moves = 0;

  constructor(blocks: readonly number[], mostBlocks: number) {
    this.#mostBlocks = mostBlocks;
    this.#logs = blocks.map((number, logIndex) => ({
      address: CONTRACT,
      topics: [TOPIC, indexedNumber(number % 3)],
      data: new Uint8Array(),
      block: { number, hash: hashOf(number) },
      transactionHash: hashOf(number),
      logIndex,
    }));
  }

  get client(): ChainClient {
    const asked = {
      getBlock: async (number: number) => ({
        number,
        hash: this.#isMoved() ? indexedNumber(1) : hashOf(number),
      }),
      getLogs: async (filter: LogFilter) => this.#getLogs(filter),
      clock: { sleep: async () => undefined },
    };
    return asked as unknown as ChainClient;
  }

  #isMoved(): boolean {
    if (this.moves === 0) return false;
    this.moves -= 1;
    return true;
  }

  #getLogs({ fromBlock, toBlock, topic, indexed }: LogFilter): LogRecord[] {
    if (toBlock - fromBlock + 1 > this.#mostBlocks) {
      const facts = {
        code: 'CHAIN_LOG_RANGE',
        fromBlock,
        toBlock,
        rpcMessage: 'too many',
      } as const;
      throw new ChainError(facts, 'the range is too long');
    }
    this.asked.push([fromBlock, toBlock]);
    return this.#logs.filter(
      ({ block, topics: [first, second] }) =>
        block.number >= fromBlock &&
        block.number <= toBlock &&
        [topic].flat().includes(first ?? '0x') &&
        (indexed ?? second) === second,
    );
  }
}

function hashOf(number: number): Hex {
  return indexedNumber(1000 + number);
}

describe('reading events', () => {
  const options = {
    get signal() {
      return testSignal(); // begins with its test, not with the module
    },
  };

  it('reads every block once, either way, whatever the endpoint takes', async () => {
    const cases = fc.record({
      blocks: fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { maxLength: 40 }),
      mostBlocks: fc.integer({ min: 1, max: 60 }),
      pageBlocks: fc.integer({ min: 1, max: 200 }),
      fromBlock: fc.integer({ min: 0, max: 60 }),
      length: fc.integer({ min: 0, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ blocks, mostBlocks, pageBlocks, fromBlock, length }) => {
        const sorted = [...blocks].sort((left, right) => left - right);
        const toBlock = fromBlock + length;
        const wanted = sorted.filter((number) => number >= fromBlock && number <= toBlock);
        for (const way of ['forward', 'backward'] as const) {
          const chain = new EventChain(sorted, mostBlocks);
          const reader = new EventReader({ client: chain.client, address: CONTRACT, pageBlocks });
          const pages: number[][] = [];
          const query = { topics: [TOPIC, OTHER_TOPIC], fromBlock, toBlock };
          for await (const { logs } of reader[way](query, options)) {
            pages.push(logs.map(({ block }) => block.number));
          }
          if (way === 'backward') pages.reverse();
          assert.deepEqual(pages.flat(), wanted);
          const covered = chain.asked.flatMap(([from, to]) =>
            Array.from({ length: to - from + 1 }, (_, index) => from + index),
          );
          assert.equal(new Set(covered).size, length + 1);
          assert.equal(covered.length, length + 1);
        }
      }),
      { seed: 20_261_122, numRuns: 100 },
    );
  });

  it('asks for events with one indexed value only, and reads no further than it is pulled', async () => {
    const chain = new EventChain([3, 4, 5, 6, 7, 8, 9], 5);
    const reader = new EventReader({ client: chain.client, address: CONTRACT, pageBlocks: 5 });
    const query = { topics: [TOPIC], indexed: indexedNumber(0), fromBlock: 0, toBlock: 9 };
    for await (const { logs } of reader.backward(query, options)) {
      assert.deepEqual(
        logs.map(({ block }) => block.number),
        [6, 9],
      );
      break;
    }
    assert.deepEqual(chain.asked, [[5, 9]]);
  });

  it('reads a page again that changed meanwhile, and gives up where it never holds still', async () => {
    const chain = new EventChain([2], 100);
    const reader = new EventReader({ client: chain.client, address: CONTRACT });
    const query = { topics: [TOPIC], fromBlock: 0, toBlock: 4 };
    chain.moves = 1;
    for await (const { logs } of reader.forward(query, options)) assert.equal(logs.length, 1);
    const restless = { ...chain.client, getBlock: restlessBlocks() } as unknown as ChainClient;
    const lost = new EventReader({ client: restless, address: CONTRACT }).forward(query, options);
    await assert.rejects(lost.next(), { code: 'CHAIN_LOGS_INCONSISTENT' });
  });
});

function restlessBlocks(): (number: number) => Promise<{ number: number; hash: Hex }> {
  let reads = 0;
  return async (number) => {
    reads += 1;
    return { number, hash: indexedNumber(reads) };
  };
}
