import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { openMine, readPayments } from '@cairn/chain-access/pora';
import { parseAddress, SEGMENT_BYTES, toHex } from '@cairn/primitives';
import {
  ANVIL_KEYS,
  hasAnvil,
  testSignal,
} from '../../../../foundation/chain-access/test/anvil.ts';
import type { ScrubPass } from '../../../src/upkeep/scrub.ts';
import { type TestFile, testFile, until } from '../../harness.ts';
import { MiningNetwork, MiningNode } from '../network.ts';

describe('mining on a real chain', () => {
  let network: MiningNetwork;
  let files: readonly TestFile[];
  before(async function () {
    if (!hasAnvil) this.skip();
    network = await MiningNetwork.start();
    // A small file, one of two segments with an end of zeros, and one of three and a half.
    files = await Promise.all([testFile(10_000, 1), testFile(300_000, 2), testFile(900_000, 3)]);
    for (const file of files) await network.submit(file);
    await network.nextEpoch();
  });
  after(async () => network?.stop());

  it('seals what it stores, and its answers are accepted and paid', async () => {
    const node = new MiningNode(await network.config('whole'));
    await node.start();
    try {
      for (const [sequence, file] of files.entries()) await node.upload(file, sequence);
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 6);
      await node.until(({ answers }) => answers.accepted >= 2);
      const { answers, rewardWei, minerId } = node.status();
      assert.equal(answers.wrong, 0);
      assert.match(minerId, /^0x[0-9a-f]{64}$/);
      const account = signerFromKey(ANVIL_KEYS[1]).address;
      const mine = await openMine(
        network.anvil.client,
        { mine: network.deployment.contracts.poraMine, flow: network.deployment.contracts.flow },
        { signal: testSignal() },
      );
      const waiting = await readPayments(mine, account, { signal: testSignal() });
      assert.ok(waiting > 0n && waiting >= BigInt(rewardWei), `${waiting} ${rewardWei}`);
    } finally {
      await node.stop();
    }
  });

  it('goes on with its id and its seals after a stop, and stops mining when told to', async () => {
    const node = new MiningNode(await network.config('whole', { mining: { autostart: false } }));
    await node.start();
    try {
      await node.until(({ state }) => state === 'stopped');
      const before = node.status();
      assert.ok(before.sealedSegments >= 6);
      await node.until(({ isSealed }) => isSealed);
      assert.equal(before.answers.accepted, 0);
      await network.nextEpoch();
      node.node.mining?.start();
      await node.until(({ answers }) => answers.accepted >= 1);
      node.node.mining?.stop();
      assert.equal(node.status().state, 'stopped');
    } finally {
      await node.stop();
    }
  });

  it('mines a shard with nothing but what the shard holds', async () => {
    const node = new MiningNode(await network.config('half', { shard: '1/2' }));
    await node.start();
    try {
      const file = files[2];
      if (file === undefined) throw new Error('there are three files');
      await node.upload(file, 2);
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments === 2);
      await network.nextEpoch();
      await node.until(({ answers }) => answers.accepted >= 1);
      assert.equal(node.status().answers.wrong, 0);
    } finally {
      await node.stop();
    }
  });

  it('says why it cannot mine, and stores on', async () => {
    const minerId = toHex(new Uint8Array(32).fill(7));
    const differs = new MiningNode(await network.config('whole', { mining: { minerId } }));
    await differs.start();
    try {
      await differs.until(({ state }) => state === 'degraded');
      assert.match(differs.status().reason, /is sealed for miner/);
      assert.equal((await differs.rpc('zgs_getStatus', [])).error, undefined);
    } finally {
      await differs.stop();
    }
    const unknown = new MiningNode(await network.config('fresh', { mining: { minerId } }));
    await unknown.start();
    try {
      await unknown.until(({ state }) => state === 'degraded');
      assert.match(unknown.status().reason, /knows no miner/);
    } finally {
      await unknown.stop();
    }
    const nobody = parseAddress(`0x${'12'.repeat(20)}`);
    const wrong = new MiningNode(await network.config('fresh', { mining: { contract: nobody } }));
    await wrong.start();
    try {
      await wrong.until(({ state }) => state === 'degraded');
    } finally {
      await wrong.stop();
    }
  });

  it('notices rot in sealed copies, by the scrub and by answers, and seals anew without paying', async () => {
    const config = await network.config('rot', { mining: { autostart: false } });
    const node = new MiningNode(config);
    await node.start();
    try {
      const file = files[2];
      if (file === undefined) throw new Error('there are three files');
      await node.upload(file, 2);
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 4);
      const { scrubber, budget } = node.node.upkeep;
      await budget.look();
      const sealedFile = join(config.node.dataDirectory, 'sealed', '00000000.flat');
      const sealedBytes = async (): Promise<number> => (await stat(sealedFile)).blocks * 512;
      assert.ok(budget.usedBytes > file.bytes.length + (await sealedBytes()), 'both copies count');
      const entry = await node.rpc('zgs_getFileInfoByTxSeq', [2]);
      const start = Number(entry.result.tx.startEntryIndex) * 256;

      const scrub = async (): Promise<ScrubPass | undefined> => {
        const before = scrubber.report.lastPass?.startedAt;
        scrubber.start(1e12);
        await until(async () => (scrubber.report.lastPass?.startedAt ?? before) !== before);
        return scrubber.report.lastPass;
      };
      await flip(sealedFile, start + SEGMENT_BYTES + 5000);
      const { sealedChecked, sealedDamaged, damaged } = (await scrub()) ?? {};
      assert.deepEqual([sealedChecked, sealedDamaged, damaged], [4, 1, 0]);
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 4);
      assert.equal((await scrub())?.sealedDamaged, 0, 'it was sealed anew');

      for (let at = start; at < start + 850_000; at += 4096) await flip(sealedFile, at);
      await network.nextEpoch();
      node.node.mining?.start();
      await node.until(({ answers }) => answers.wrong >= 1);
      await node.until(({ answers }) => answers.accepted >= 1);
      const { refused, failed } = node.status().answers;
      assert.deepEqual([refused, failed], [0, 0]);

      node.node.mining?.stop();
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 4);
      const whole = await sealedBytes();
      await node.node.upkeep.changeShard({ id: 1, count: 2 });
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments === 2);
      assert.ok((await sealedBytes()) <= whole / 2, 'room of the other half is free');
    } finally {
      await node.stop();
    }
  });

  it('says on a full disk that sealing waits, reads on, and seals once there is room', async function () {
    const disk = join(network.directory, 'small');
    await mkdir(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    if (mounted.status !== 0) this.skip(); // needs the right to mount
    const node = new MiningNode(await network.config('small'));
    try {
      await node.start();
      const [file] = files;
      if (file === undefined) throw new Error('there are three files');
      await node.upload(file, 0);
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 1);
      const late = await testFile(700_000, 4);
      await network.submit(late);
      await node.upload(late, 3);
      await fill(join(disk, 'filler'));
      await network.nextEpoch();
      await node.until(({ sealingWaitsFor }) => sealingWaitsFor !== null);
      const { body } = await node.ready(); // also behind the chain, where its index found no room
      const waits = (reason: string): boolean => reason.startsWith('sealing waits for room');
      assert.ok(body.reasons.some(waits), JSON.stringify(body));
      assert.match(body.facts.mining, /1 segments of shard 0\/1 are sealed, sealing goes on/);
      const { result } = await node.rpc('zgs_downloadSegmentByTxSeq', [3, 0, 1024]);
      assert.deepEqual(Buffer.from(result, 'base64'), Buffer.from(late.bytes.subarray(0, 262_144)));

      await rm(join(disk, 'filler'));
      await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 4);
      assert.equal(node.status().sealingWaitsFor, null);
      assert.ok(!(await node.ready()).body.reasons.some(waits));
    } finally {
      await node.stop();
      spawnSync('umount', ['-l', disk]);
    }
  });
});

/** Writes until the disk takes no byte more. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'a');
  for (const part of [65_536, 4096]) {
    for (let isFull = false; !isFull; ) {
      const written = await file.write(new Uint8Array(part)).catch(() => ({ bytesWritten: 0 }));
      isFull = written.bytesWritten < part;
    }
  }
  await file.close();
}

/** Turns one bit over. */
async function flip(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
  await file.write(Uint8Array.of((buffer[0] ?? 0) ^ 4), 0, 1, offset);
  await file.close();
}
