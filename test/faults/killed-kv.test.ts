import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@cairn/client-sdk';
import { BatchBuilder, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { type Rng, seededRng, systemClock, toHex, utf8Bytes } from '@cairn/primitives';
import { chainCall, submissionCount } from '../support/chain.ts';
import { KvProcess } from '../support/kv-process.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak, seedOf } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(60_606);
/** Two suffice for a kill before and one after the late stream and the reorganisation. */
const KILLS = isSoak ? 60 : 2;
/** The kill comes so long after a write began: from before the entry is mined to after it is replayed. */
const LATEST_KILL_MS = 1500;
const REORG_DEPTH = 2;
const { signal } = new AbortController();

describe(`key-value nodes as processes, seed ${SEED}`, () => {
  let network: Network;
  let folder: string;
  let flow: string;
  let writer: Client;
  const nodes: KvProcess[] = [];
  const rng = seededRng(SEED);
  // Other runs share the chain: streams of their own.
  const streamOf = (): StreamId => parseStreamId(toHex(crypto.getRandomValues(new Uint8Array(32))));

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-killed-kv-'));
    flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const options = { nodes: [network.fullNode], rpc: network.chainRpc, flow, threads: 0 };
    writer = createClient({ ...options, signer: network.key });
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.kill();
  });

  after(async () => {
    await writer?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const start = async (name: string, streams: readonly StreamId[]): Promise<KvProcess> => {
    const home = join(folder, name);
    await mkdir(home, { recursive: true });
    const node = await KvProcess.start(network, { folder: home, streams });
    nodes.push(node);
    return node;
  };

  const write = async (stream: StreamId, random: Rng, number: number): Promise<void> => {
    const batch = new BatchBuilder();
    for (let key = random.below(6); key >= 0; key -= 1) {
      const name = utf8Bytes(`key ${random.below(20)}`);
      if (random.below(6) === 0) batch.delete(stream, name);
      else batch.put(stream, name, random.fill(new Uint8Array(1 + random.below(6000))));
    }
    batch.put(stream, utf8Bytes('number'), utf8Bytes(String(number)));
    const built = batch.build();
    await writer.files.put(built.bytes, { tags: built.tags });
  };

  /** What a node says of its streams once it has decided the whole log. */
  const rootsOf = async ({ url }: KvProcess, streams: readonly StreamId[]): Promise<unknown[]> => {
    await until('the log to be decided', async () => {
      const count = await submissionCount(network.chainRpc, flow); // what was taken back may come again
      const { appliedSeq } = (await rpc(url, 'kv_getReplayProgress')) as { appliedSeq: number };
      const held = (await rpc(url, 'kv_getHoldingStreamIds')) as string[];
      return appliedSeq === count && held.length === streams.length;
    });
    return Promise.all(streams.map((stream) => rpc(url, 'kvx_getRoot', [{ stream }])));
  };

  it(`have one state after ${KILLS} kills, a late stream and a reorganisation`, async () => {
    const [early, late] = [streamOf(), streamOf()];
    const streams = [early, late].sort();
    const killed: KvProcess[] = [];
    for (const name of ['a', 'b', 'c']) killed.push(await start(name, [early]));
    /** Nodes that run with the first stream alone. */
    const stale = new Set(killed);
    let isLate = false;
    let number = 0;
    const writeSome = async (): Promise<void> => {
      for (const stream of rng.below(2) === 0 ? streams : [early]) {
        number += 1;
        await write(stream, rng, number);
      }
    };
    for (let kill = 0; kill < KILLS; kill += 1) {
      const writing = writeSome();
      await systemClock().sleep(rng.below(LATEST_KILL_MS), signal);
      const victim = killed[rng.below(killed.length)];
      await victim?.kill();
      await writing;
      if (kill === Math.floor(KILLS / 2)) {
        // What was written last is gone, for nodes that run and for the one that does not.
        await chainCall(network.chainRpc, 'anvil_reorg', [REORG_DEPTH, []]);
        for (const node of killed) await node.watch(streams);
        isLate = true;
      }
      await victim?.restart();
      if (isLate && victim !== undefined) stale.delete(victim);
    }
    for (const node of stale) await node.restart();
    await writeSome();
    const fresh = await rootsOf(await start('fresh', streams), streams);
    for (const [index, node] of killed.entries()) {
      assert.deepEqual(await rootsOf(node, streams), fresh, `seed ${SEED}, node ${index}`);
    }
  });

  it('say that the disk is full, go on reading, and go on replaying when there is room', async function () {
    const stream = streamOf();
    const data = join(folder, 'full', 'data');
    await mkdir(data, { recursive: true });
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', data], { stdio: 'ignore' })
        .status === 0;
    if (!mount('size=12m')) this.skip(); // needs the right to mount
    try {
      const put = async (key: string, sizeBytes: number): Promise<void> => {
        const value = rng.fill(new Uint8Array(sizeBytes));
        const { bytes, tags } = new BatchBuilder().put(stream, utf8Bytes(key), value).build();
        await writer.files.put(bytes, { tags });
      };
      await put('small', 1000);
      const node = await start('full', [stream]);
      const sizeOf = async (key: string): Promise<number> => {
        const asked = [stream, Buffer.from(key).toString('base64'), 0, 10];
        return ((await rpc(node.url, 'kv_getValue', asked)) as { size: number }).size;
      };
      await until('the first value', async () => (await sizeOf('small')) === 1000);
      await put('large', 20 * 1024 ** 2);
      const health = async (): Promise<[number, string]> => {
        const reply = await fetch(`${node.url}/health/ready`);
        return [reply.status, await reply.text()];
      };
      await until('the node to say so', async () => {
        const [status, text] = await health();
        return status === 503 && /disk|space|bytes are free|reserve/i.test(text);
      });
      assert.deepEqual([await sizeOf('small'), await sizeOf('large')], [1000, 0]);
      assert.ok(mount('remount,size=200m'));
      await until('the large value', async () => (await sizeOf('large')) === 20 * 1024 ** 2);
      await until('the node to be ready', async () => (await health())[0] === 200);
    } finally {
      for (const node of nodes.splice(0)) await node.kill();
      spawnSync('umount', ['-l', data]);
    }
  });
});
