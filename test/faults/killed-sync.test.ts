import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@cairn/client-sdk';
import { openP2pKey, peerIdOf } from '@cairn/node-runtime/p2p';
import { isFault, seededRng, sequenceOf, silentLogger } from '@cairn/primitives';
import { openOffline, scrubDatabase } from '@cairn/storage-node/db';
import { contentOf } from '../support/content.ts';
import { freePort } from '../support/free-port.ts';
import { canTrace, killedAt } from '../support/kill-at-call.ts';
import { type Network, startNetwork } from '../support/network.ts';
import { isSoak, seedOf } from '../support/soak.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(66_120);
const SEGMENT = 262_144;
/** More than two requests hold, and an entry of less than a segment. */
const SIZES = [19 * SEGMENT - 77, 5000, 3 * SEGMENT];
const { signal } = new AbortController();

interface StoredFile {
  readonly root: string;
  readonly sequence: number;
  readonly content: Uint8Array;
}

describe('a node that fills its shard from a peer', () => {
  const files: StoredFile[] = [];
  let network: Network;
  let folder: string;
  let giver: StorageProcess;
  let p2p: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-killed-sync-'));
    network = await startNetwork(['--storage', '0/1']);
    const port = await freePort();
    const key = join(folder, 'giver.key');
    const section = '[p2p]\nenabled = true\npublic_url = "listener"\nprivate_urls = true\n';
    const boot = `/ip4/127.0.0.1/tcp/${port}/p2p/${await peerIdOf(await openP2pKey(key))}`;
    p2p = `${section}boot = [${JSON.stringify(boot)}]\n`;
    await mkdir(join(folder, 'giver'));
    giver = await StorageProcess.start(network, {
      folder: join(folder, 'giver'),
      extra: `${section}listen = ["/ip4/127.0.0.1/tcp/${port}"]\nkey_file = ${JSON.stringify(key)}\n`,
    });
    const client = createClient({
      nodes: [giver.url],
      rpc: network.chainRpc,
      flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
      signer: network.key,
      threads: 0,
    });
    for (const [at, size] of SIZES.entries()) {
      const content = contentOf(66_000 + at, size);
      const { root, sequence = -1 } = await client.files.put(content);
      files.push({ root, sequence, content });
    }
    await client.close();
  });

  after(async () => {
    await giver?.kill();
    await network?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function isFull(url: string): Promise<boolean> {
    for (const { root } of files) {
      const reply = await fetch(`${url}/v1/entries/${root}`).catch(() => undefined);
      if (reply?.ok !== true) return false;
      const { entries } = (await reply.json()) as { entries: { finalized: boolean }[] };
      if (entries[0]?.finalized !== true) return false;
    }
    return true;
  }

  /** What is there is right, and files marked as whole are; with `whole` all of them are. */
  async function assertSound(data: string, where: string, whole: boolean): Promise<void> {
    const stores = await openOffline(data, { logger: silentLogger(), signal }).catch((error) => {
      const isEmpty = isFault(error, 'DB_NOT_FOUND') || isFault(error, 'NODE_IDENTITY');
      if (whole || !isEmpty) throw error;
      return undefined; // it died before it had a log
    });
    if (stores === undefined) return;
    try {
      for (const { content, sequence, root } of files) {
        const entry = await stores.log.entryAt(sequenceOf(sequence));
        if (entry === undefined && !whole) continue; // it died before it had read the chain
        assert.ok(entry !== undefined && entry.root === root, where);
        const { finalized } = await stores.log.stateOf(entry.sequence);
        if (whole) assert.ok(finalized, `${where}: log entry ${sequence} is whole`);
        for (let index = 0; index * SEGMENT < content.length; index += 1) {
          const held = await stores.segments.get(entry, index, { signal });
          if (held === undefined) {
            assert.ok(!finalized, `${where}: segment ${index} of log entry ${sequence} is gone`);
            continue;
          }
          const wanted = content.subarray(index * SEGMENT, (index + 1) * SEGMENT);
          assert.ok(Buffer.from(held.data).subarray(0, wanted.length).equals(wanted), where);
        }
      }
      assert.equal((await scrubDatabase(stores, { signal })).damaged, 0, `${where}: it is clean`);
    } finally {
      await stores.close();
    }
  }

  it('goes on after a kill at any write to the disk, and keeps nothing that is not right', async function () {
    if (!canTrace()) this.skip(); // kills at moments by chance: see the journey of eight nodes
    const rng = seededRng(SEED);
    let killed = 0;
    let reach = 60;
    for (let round = 0; isSoak || killed < 1; round += 1) {
      const nth = isSoak ? round + 1 : 1 + rng.below(reach);
      const own = join(folder, `round-${round}`);
      await mkdir(own);
      const where = `seed ${SEED}, killed at call ${nth}`;
      let node: StorageProcess | undefined;
      let wasKilled = false;
      try {
        node = await StorageProcess.start(network, {
          folder: own,
          extra: p2p,
          under: killedAt(nth),
        }).catch(() => undefined); // it died before it answered
        const { url = '' } = node ?? {};
        await until('the end', async () => node?.hasEnded !== false || (await isFull(url)));
        wasKilled = node?.hasEnded !== false;
      } finally {
        await endTraced(node);
      }
      await assertSound(join(own, 'data'), where, false);
      if (wasKilled) {
        const again = await StorageProcess.start(network, { folder: own, extra: p2p });
        try {
          await until(`${where}: it is full`, () => isFull(again.url));
        } finally {
          await again.kill('SIGTERM');
        }
        await assertSound(join(own, 'data'), where, true);
        killed += 1;
      }
      await rm(own, { recursive: true, force: true });
      if (isSoak && !wasKilled) break; // there are no more calls
      if (!wasKilled) reach = nth; // calls after the end tell nothing
    }
    assert.ok(killed > 0);
    if (isSoak) process.stderr.write(`      filling: killed at ${killed} calls\n`);
  });

  it('says that its disk is full, serves what it has, and goes on when there is room', async function () {
    const own = join(folder, 'full');
    const data = join(own, 'data');
    await mkdir(data, { recursive: true });
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', data], { stdio: 'ignore' })
        .status === 0;
    if (!mount('size=3m')) this.skip(); // needs the right to mount
    let node: StorageProcess | undefined;
    try {
      node = await StorageProcess.start(network, { folder: own, extra: p2p });
      const { url } = node;
      const reasons = async (): Promise<string> => {
        const reply = await fetch(`${url}/health/ready`);
        return ((await reply.json()) as { reasons: string[] }).reasons.join('; ');
      };
      await until('the node to say that its disk is full', async () =>
        /uploads are turned away, reads go on/.test(await reasons()),
      );
      assert.equal(await isFull(url), false);
      for (const { root, content } of files) {
        const reply = await fetch(`${url}/v1/files/${root}`);
        if (reply.ok) assert.ok(Buffer.from(await reply.arrayBuffer()).equals(content));
        else await reply.body?.cancel();
      }
      assert.ok(mount('remount,size=64m'));
      await until('the node to go on', () => isFull(url));
      await until('the node to be content', async () => (await reasons()) === '');
      await node.kill('SIGTERM');
      await assertSound(data, 'with room again', true);
    } finally {
      await node?.kill();
      spawnSync('umount', ['-l', data]);
    }
  });
});

/** Ends a process and what traces it: the tracer goes when the process is gone. */
async function endTraced(node: StorageProcess | undefined): Promise<void> {
  if (node === undefined || node.hasEnded) return;
  const { pid } = node;
  // It may end by itself just now: then there is nothing to kill.
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((text) => Number(text) > 0)) {
    try {
      process.kill(Number(child), 'SIGKILL');
    } catch {
      // it is gone
    }
  }
  await until('the tracer to go', () => node.hasEnded);
}
