import assert from 'node:assert/strict';
import {
  type Domain,
  parseCertificate,
  parseSnapshot,
  verifyHandover,
  verifySnapshot,
} from '@cairn/attestation';
import { recoverAddress } from '@cairn/chain-access';
import { openMining, readReport, readRewardState } from '@cairn/chain-access/da';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type Address, rootOf } from '@cairn/primitives';
import { parseProblem } from '@cairn/wire-protocol';
import {
  auditDigest,
  encodeReportRequest,
  handoverPath,
  parseSignedHandover,
  REPORT_REQUEST_TYPE,
  REPORT_VOTES_PATH,
  type SheetName,
} from '@cairn/wire-protocol/da';
import { hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { httpOfficePeers } from '../../src/signer/office/http-office-peers.ts';
import { OfficeWorld } from './office-world.ts';

describe('the office of signers', () => {
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

  /** What a member does not sign for: another root, or what leaves out its own sheet or another's. */
  const refusesOtherReports = async (epoch: number, mining: Domain): Promise<void> => {
    const signal = testSignal();
    const transport = createNodeTransport();
    const peers = httpOfficePeers(transport);
    const place = { epoch, quorumId: 0 };
    const [first, second] = world.signers.map(({ host }) => host.address.url);
    if (first === undefined || second === undefined) throw new Error('too few signers');
    const sheets: SheetName[] = [];
    for (const { address: auditor } of world.signers) {
      const sheet = await peers.audit(first, { ...place, auditor }, { signal });
      if (sheet === undefined) throw new Error(`no sheet of ${auditor}`);
      assert.equal(recoverAddress(auditDigest(sheet, mining), sheet.signature), auditor);
      sheets.push({ auditor, digest: auditDigest(sheet, mining) });
    }
    sheets.sort((left, right) => (left.auditor < right.auditor ? -1 : 1));
    const ask = async (named: readonly SheetName[]): Promise<unknown> => {
      const request = {
        ...place,
        root: new Uint8Array(32),
        proposer: sheets[0]?.auditor as Address,
      };
      const body = encodeReportRequest({ ...request, sheets: named });
      const headers = { 'content-type': REPORT_REQUEST_TYPE };
      const url = `${second}${REPORT_VOTES_PATH}`;
      const reply = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
      const { code, detail } = parseProblem(await reply.json());
      return [reply.status, code, /(root|own sheet|sheets) known/.exec(detail)?.[1]];
    };
    const own = world.signers[1]?.address;
    assert.deepEqual(await ask(sheets), [409, 'REPORT_DIFFERS', 'root']);
    const others = sheets.filter(({ auditor }) => auditor !== own);
    assert.deepEqual(await ask(others), [409, 'REPORT_DIFFERS', 'own sheet']);
    const alone = sheets.filter(({ auditor }) => auditor === own);
    assert.deepEqual(await ask(alone), [409, 'REPORT_DIFFERS', 'sheets']);
    const forged = sheets.map((sheet) => ({ ...sheet, digest: new Uint8Array(32) }));
    assert.deepEqual(await ask(forged), [409, 'REPORT_DIFFERS', 'sheets']);
    await transport.close();
  };

  it('pays fees to those who serve rows, by what others got of them', async () => {
    const signal = testSignal();
    const mining = await openMining(world.chain.entrance, { signal });
    const plain = await world.disperse(4);
    const leaves = [...plain, ...(await world.disperse(2, { suite: 1, bytes: 60_000 }))];
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
    await refusesOtherReports(epoch, mining.domain);
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
    const { heldPotWei } = await readRewardState(mining, { signal });
    assert.ok(heldPotWei > 0n, 'blobs of suite 1 pay for rows that are held, too');
  });

  it('wins the held lottery with rows of suite 1, where a prize is more than it costs', async () => {
    const signal = testSignal();
    const mining = await openMining(world.chain.entrance, { signal });
    const { periodBlocks } = mining.settings;
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
