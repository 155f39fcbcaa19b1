import assert from 'node:assert/strict';
import { fromHex, type Hex, isHexOf, parseAddress, toHex } from '@cairn/primitives';
import { Interface } from 'ethers/abi';
import { Contract } from '../src/da/contract.ts';
import { finalBlock } from '../src/da/finality.ts';
import { seatsIn } from '../src/da/tickets.ts';
import { testSignal } from './anvil.ts';

const ABI = [
  'function numbers() view returns (uint64 small, uint256 large, uint64 never)',
  'function pair() view returns ((address who, bool open) of)',
  'event Said(address indexed who, string text)',
];
const WHO = parseAddress(`0x${'0a'.repeat(20)}`);
const ethersAbi = new Interface(ABI);

function contractWith(name: string, values: readonly unknown[]): Contract {
  const reply = fromHex(ethersAbi.encodeFunctionResult(name, values));
  return new Contract({ callRaw: async () => reply }, WHO, ABI);
}

describe('what contracts answer', () => {
  const options = {
    get signal() {
      return testSignal(); // begins with its test, not with the module
    },
  };

  it('comes in the types it has', async () => {
    const max = 2n ** 64n - 1n;
    const numbers = await contractWith('numbers', [5, 2n ** 200n, max]).read(
      'numbers',
      [],
      options,
    );
    assert.equal(numbers.number('small'), 5);
    assert.equal(numbers.wide('large'), 2n ** 200n);
    assert.equal(numbers.number('never'), Number.MAX_SAFE_INTEGER);
    const pair = await contractWith('pair', [[WHO, true]]).read('pair', [], options);
    assert.equal(pair.inner('of').address('who'), WHO);
    assert.equal(pair.inner(0).flag('open'), true);
    assert.throws(() => pair.inner(0).number('open'), TypeError);
  });

  it('is refused where it is no result of the function', async () => {
    const silent = new Contract({ callRaw: async () => new Uint8Array() }, WHO, ABI);
    await assert.rejects(silent.read('numbers', [], options), { code: 'CHAIN_BAD_REPLY' });
  });

  it('may hold text that is none, which only the reader of it hears of', () => {
    const contract = new Contract({ callRaw: async () => new Uint8Array() }, WHO, ABI);
    const { data, topics } = ethersAbi.encodeEventLog('Said', [WHO, 'ab']);
    const log = { topics: topics.filter((topic): topic is Hex => isHexOf(topic, 32)) };
    assert.equal(
      contract.decode('Said', { ...log, data: fromHex(data) }).foreignText('text'),
      'ab',
    );
    const garbled = fromHex(data);
    garbled[64] = 0xff; // no UTF-8 begins with it
    const values = contract.decode('Said', { ...log, data: garbled });
    assert.equal(values.foreignText('text'), undefined);
    assert.equal(values.address('who'), WHO);
    assert.throws(() => contract.decode('Said', { topics: [], data: garbled }), {
      code: 'DA_BAD_EVENT',
    });
    assert.equal(toHex(garbled).length, 2 + 2 * 96);
  });
});

describe('seats of a draw', () => {
  it('are read group by group, in the order of tickets', () => {
    const ticket = (byte: string, seats: number, quorumSeats: bigint) => ({
      signer: parseAddress(`0x${byte.repeat(20)}`),
      seats,
      isContributor: true,
      quorumSeats,
    });
    const tickets = [
      ticket('01', 3, 2n | (1n << 16n)),
      ticket('02', 0, 0n),
      ticket('03', 65_535, 65_535n << 240n),
    ];
    assert.deepEqual(
      [0, 1, 2, 3, 16].map((id) => seatsIn(tickets, id).map(({ seats }) => seats)),
      [[3, 65_535], [2], [1], [], [65_535]],
    );
  });
});

describe('the newest block that stays', () => {
  const options = {
    get signal() {
      return testSignal(); // begins with its test, not with the module
    },
  };

  it('is as deep as told, or the one that the chain names', async () => {
    const block = { number: 70, hash: '0x', parentHash: '0x', timestamp: 0 };
    const chain = {
      blockNumber: async () => 100,
      getBlock: async () => ({ ...block, baseFeePerGas: undefined, gasLimit: 0n }) as never,
    };
    assert.equal(await finalBlock(chain, 0, options), 100);
    assert.equal(await finalBlock(chain, 12, options), 88);
    assert.equal(await finalBlock(chain, 200, options), 0);
    assert.equal(await finalBlock(chain, 'tag', options), 70);
    const without = { ...chain, getBlock: async () => undefined };
    await assert.rejects(finalBlock(without, 'tag', options), { code: 'CHAIN_BAD_REPLY' });
  });
});
