import assert from 'node:assert/strict';
import { memoryKeyValueStore, parseAddress } from '@cairn/primitives';
import { deployContracts } from '../../src/deploy/deploy-contracts.ts';
import { parseDeployment, readDirectory, verifyDeployment } from '../../src/deploy/deployment.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { ANVIL_KEYS, Anvil, FIRST_ACCOUNT, hasAnvil, testSignal } from '../anvil.ts';

describe('deploying the contracts', () => {
  let anvil: Anvil;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
  });
  after(async () => anvil?.stop());

  it('makes contracts that know each other and the Directory', async () => {
    const deployment = await anvil.deploy();
    const signal = testSignal();
    await verifyDeployment(anvil.client, deployment, { signal });
    const { directory } = deployment.contracts;
    assert.deepEqual(await readDirectory(anvil.client, directory, { signal }), {
      ...deployment.contracts,
    });
    assert.deepEqual(parseDeployment(JSON.parse(JSON.stringify(deployment))), deployment);
  });

  it('goes on where a journalled deployment ended, without making anything twice', async () => {
    const journal = memoryKeyValueStore();
    const signer = signerFromKey(ANVIL_KEYS[0]);
    const options = { client: anvil.client, signer, journal, pollMs: 10 };
    const first = await deployContracts(options, { signal: testSignal() });
    const nonce = () =>
      anvil.client.getTransactionCount(FIRST_ACCOUNT, 'latest', { signal: testSignal() });
    const before = await nonce();
    assert.deepEqual(await deployContracts(options, { signal: testSignal() }), first);
    assert.equal(await nonce(), before);
  });

  it('notices a contract that is not the one it should be', async () => {
    const deployment = await anvil.deploy();
    const { contracts } = deployment;
    const wrong = { ...deployment, contracts: { ...contracts, market: contracts.reward } };
    await assert.rejects(verifyDeployment(anvil.client, wrong, { signal: testSignal() }), {
      code: 'DEPLOY_MISMATCH',
    });
    const nobody = parseAddress(`0x${'12'.repeat(20)}`);
    const absent = { ...deployment, contracts: { ...contracts, flow: nobody } };
    await assert.rejects(verifyDeployment(anvil.client, absent, { signal: testSignal() }), {
      code: 'DEPLOY_MISMATCH',
    });
  });

  it('refuses a description that lacks a field, naming it', () => {
    const whole = {
      chainId: 1,
      block: 2,
      contracts: { directory: FIRST_ACCOUNT, flow: FIRST_ACCOUNT, market: FIRST_ACCOUNT },
    };
    assert.throws(() => parseDeployment(whole), /contracts\.reward/);
    assert.throws(() => parseDeployment({ ...whole, chainId: '1' }), /chainId/);
  });
});
