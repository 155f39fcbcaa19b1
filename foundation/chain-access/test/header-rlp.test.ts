import assert from 'node:assert/strict';
import { keccak256, toHex } from '@cairn/primitives';
import { readHeaderRlp } from '../src/client/header-rlp.ts';
import { testSignal } from './anvil.ts';

/** Ethereum's first block as every endpoint returns it: a header without any appended field. */
const GENESIS = {
  hash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
  parentHash: `0x${'00'.repeat(32)}`,
  sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
  miner: `0x${'00'.repeat(20)}`,
  stateRoot: '0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544',
  transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  receiptsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  logsBloom: `0x${'00'.repeat(256)}`,
  difficulty: '0x400000000',
  number: '0x0',
  gasLimit: '0x1388',
  gasUsed: '0x0',
  timestamp: '0x0',
  extraData: '0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa',
  mixHash: `0x${'00'.repeat(32)}`,
  nonce: '0x0000000000000042',
};

describe('a header as the chain hashes it', () => {
  const options = {
    get signal() {
      return testSignal(); // begins with its test, not with the module
    },
  };
  const clientOf = (reply: unknown) => ({ rpc: async () => reply });

  it('hashes to the hash of the block', async () => {
    const rlp = await readHeaderRlp(clientOf(GENESIS), 0, options);
    assert.ok(rlp !== undefined);
    assert.equal(toHex(keccak256(rlp)), GENESIS.hash);
  });

  it('is refused where a field is missing, is not hex, or belongs to another block', async () => {
    const bad = { code: 'CHAIN_BAD_REPLY' };
    const { nonce: _, ...short } = GENESIS;
    const replies = [
      short,
      'text',
      { ...GENESIS, miner: 'nobody' },
      { ...GENESIS, gasUsed: '0x1' },
      { ...GENESIS, baseFeePerGas: '0x7' },
      { ...GENESIS, hash: null },
    ];
    for (const reply of replies) {
      await assert.rejects(readHeaderRlp(clientOf(reply), 0, options), bad);
    }
    assert.equal(await readHeaderRlp(clientOf(null), 0, options), undefined);
  });
});
