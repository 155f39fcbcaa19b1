import assert from 'node:assert/strict';
import {
  parseCertificate,
  parseSnapshot,
  verifyHandover,
  verifySnapshot,
} from '@cairn/attestation';
import { openMining, readReport, readRewardState } from '@cairn/chain-access/da';
import { rootOf } from '@cairn/primitives';
import { handoverPath, parseSignedHandover } from '@cairn/wire-protocol/da';
import { hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { OfficeWorld } from './office-world.ts';

describe('the office of signers', function () {
  this.timeout(180_000);
  let world: OfficeWorld;
  before(async function () {
    if (!hasAnvil) this.skip();
    world = await OfficeWorld.start();
    await world.turn();
  });
  after(async () => world?.stop());

  const balanceOf = async (address: string): Promise<bigint> =>
    BigInt(
      String(
        await world.chain.client.rpc('eth_getBalance', [address, 'latest'], {
          signal: testSignal(),
        }),
      ),
    );

  it('pays fees to those who serve rows, by what others got of them', async () => {
    const signal = testSignal(170_000);
    const mining = await openMining(world.chain.entrance, { signal });
    const leaves = await world.disperse(4);
    const idler = world.signers[3] ?? assert.fail();
    for (const leaf of leaves) await idler.signer.office.slices.remove(rootOf(leaf));
    const epoch = await world.turn(); // in which rows are drawn
    const report = () => readReport(mining, { epoch, quorumId: 0 }, { signal });
    await world.turn();
    await world.look(); // asks for the drawn rows
    assert.equal(await report(), undefined);
    await world.mine(20);
    await world.look();
    await world.look(); // everyone has everyone's sheet
    assert.equal(await report(), undefined, 'nobody proposes before half the time of grace');
    await world.mine(10);
    const before = await Promise.all(world.signers.map(({ address }) => balanceOf(address)));
    await world.look();
    const taken = (await report()) ?? assert.fail('no report');
    assert.ok(taken.drawn > 20 && taken.served > 0, `${taken.served} of ${taken.drawn}`);
    await world.payOut.look({ signal });
    await world.look();
    await world.look();
    assert.equal((await report())?.claimed, taken.served);
    const after = await Promise.all(world.signers.map(({ address }) => balanceOf(address)));
    for (const [index, { address }] of world.signers.entries()) {
      const gain = (after[index] ?? 0n) - (before[index] ?? 0n);
      if (address === idler.address) assert.ok(gain <= 0n, 'who does not serve is not paid');
      else assert.ok(gain > 0n, `signer ${index} gained ${gain}`);
    }
    assert.ok((await readRewardState(mining, { signal })).heldPotWei > 0n);
  });

  it('wins the held lottery with rows of suite 1, where a prize is more than it costs', async () => {
    const signal = testSignal();
    const mining = await openMining(world.chain.entrance, { signal });
    const { periodBlocks } = mining.settings;
    await world.disperse(2, { suite: 1, bytes: 60_000 });
    const block = await world.chain.client.blockNumber({ signal });
    await world.mine(periodBlocks - (block % periodBlocks) + 3);
    const before = await readRewardState(mining, { signal });
    await world.look();
    const after = await readRewardState(mining, { signal });
    assert.ok(after.heldPotWei < before.heldPotWei);
    const paid = await world.logsOf(mining.contract, 'HeldPaid');
    assert.ok(paid.length >= 4, `${paid.length} prizes`);
    const lines = paid.map(({ topics, data }) => `${topics[1]}/${topics[3]}/${data.slice(0, 130)}`);
    assert.equal(new Set(lines).size, lines.length, 'each row once in a period');
  });

  it('hands every epoch over by signatures alone', async () => {
    const signal = testSignal();
    const [first] = world.signers;
    const url = first?.host.address.url ?? assert.fail();
    let { snapshot } = await world.chain.epochs.committee({ epoch: 1, quorumId: 0 }, { signal });
    for (let epoch = 2; epoch <= 3; epoch += 1) {
      const reply = await fetch(`${url}${handoverPath(epoch)}`);
      const offer = parseSignedHandover(new Uint8Array(await reply.arrayBuffer()));
      const { network } = world.network.hub;
      const certificate = parseCertificate(offer.certificate, BLS);
      const { header } = verifyHandover(certificate, { network, snapshot }, BLS);
      assert.equal(header.epoch, epoch);
      snapshot = verifySnapshot(parseSnapshot(offer.snapshot, BLS), header);
    }
  });
});
