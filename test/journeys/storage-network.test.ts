import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@cairn/client-sdk';
import { loadHasher, verifySegment } from '@cairn/commitments';
import { openP2pKey, peerIdOf } from '@cairn/node-runtime/p2p';
import { MIB, seededRng } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { contentOf } from '../support/content.ts';
import { freePort } from '../support/free-port.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak, runsOf, seedOf } from '../support/soak.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(58_214);
const SEGMENT = 262_144;
/** 2 GiB in the soak. */
const FILES = isSoak ? 32 : 4;
const FILE_BYTES = isSoak ? 64 * MIB - 777 : 5 * MIB - 777;
const KILLS_WHILE_FILLING = runsOf(20);
/** Shards of the network's nodes, each kept twice: a start of a node costs seconds of CPU. */
const COUNT = isSoak ? 4 : 2;
const SHARDS: readonly string[] = Array.from(
  { length: 2 * COUNT },
  (_, at) => `${at % COUNT}/${COUNT}`,
);

interface StoredFile {
  readonly root: string;
  readonly sequence: number;
  readonly content: Uint8Array;
}

describe(`a network of ${SHARDS.length} storage nodes, two for each shard`, () => {
  const nodes: StorageProcess[] = [];
  const files: StoredFile[] = [];
  let network: Network;
  let folder: string;
  let boot: string;
  let bootKey: string;
  let bootPort: number;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-eight-'));
    bootKey = join(folder, 'boot.key');
    bootPort = await freePort();
    boot = `/ip4/127.0.0.1/tcp/${bootPort}/p2p/${await peerIdOf(await openP2pKey(bootKey))}`;
    for (const at of SHARDS.keys()) nodes.push(await startNode(at, 'first'));
  });

  after(async () => {
    for (const node of nodes) await node.kill();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function startNode(at: number, life: string): Promise<StorageProcess> {
    const own = join(folder, `node-${at}-${life}`);
    await mkdir(own, { recursive: true });
    const p2p =
      at === 0
        ? `listen = ["/ip4/127.0.0.1/tcp/${bootPort}"]\nkey_file = ${JSON.stringify(bootKey)}`
        : `boot = [${JSON.stringify(boot)}]`;
    return StorageProcess.start(network, {
      folder: own,
      shard: SHARDS[at] ?? '',
      extra: `[p2p]\nenabled = true\npublic_url = "listener"\nprivate_urls = true\n${p2p}\n`,
    });
  }

  /** How many segments a node keeps of a file, and how many it should. */
  async function holdingOf(
    node: StorageProcess,
    { root, sequence }: StoredFile,
  ): Promise<[number, number]> {
    const reply = await fetch(`${node.url}/v1/entries/${root}`);
    if (!reply.ok) return [0, 1];
    const { entries } = (await reply.json()) as {
      entries: {
        sequence: number;
        heldSegments: number;
        ownedSegments: number;
        finalized: boolean;
      }[];
    };
    const entry = entries.find((one) => one.sequence === sequence);
    if (entry?.finalized !== true)
      return [entry?.heldSegments ?? 0, (entry?.ownedSegments ?? 0) + 1];
    return [entry.heldSegments, entry.ownedSegments];
  }

  async function isFull(node: StorageProcess): Promise<boolean> {
    const holdings = await Promise.all(files.map((file) => holdingOf(node, file)));
    return holdings.every(([held, owned]) => held === owned);
  }

  /** One segment of chance, from a node that is up: proven, and the file's. */
  async function readOne(
    rng: ReturnType<typeof seededRng>,
    hasher: Awaited<ReturnType<typeof loadHasher>>,
  ): Promise<'read' | 'away'> {
    const file = files[rng.below(files.length)];
    assert.ok(file !== undefined);
    const index = rng.below(Math.ceil(file.content.length / SEGMENT));
    for (const node of nodes) {
      const reply = await fetch(
        `${node.url}/v1/segments/${file.root}/${index}?seq=${file.sequence}`,
      ).catch(() => undefined);
      if (reply === undefined || reply.status !== 200) {
        await reply?.body?.cancel();
        continue;
      }
      const { segment } = parseSegmentMessage(new Uint8Array(await reply.arrayBuffer()));
      const { data } = verifySegment(segment, hasher);
      const expected = file.content.subarray(index * SEGMENT, (index + 1) * SEGMENT);
      assert.ok(Buffer.from(data).subarray(0, expected.length).equals(expected));
      return 'read';
    }
    return 'away';
  }

  it('replicates what was uploaded to one node of each shard', async () => {
    const client = createClient({
      nodes: nodes.slice(0, COUNT).map(({ url }) => url),
      rpc: network.chainRpc,
      flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
      signer: network.key,
      threads: 0,
    });
    try {
      for (let at = 0; at < FILES; at += 1) {
        const content = contentOf(58_000 + at, FILE_BYTES);
        const { root, sequence } = await client.files.put(content);
        files.push({ root, sequence: sequence ?? -1, content });
      }
    } finally {
      await client.close();
    }
    for (const node of nodes) await until(`${node.url} has its shard`, () => isFull(node));
  });

  it('fills two empty disks from peers alone, over kills, while every segment can be read', async () => {
    const rng = seededRng(SEED);
    const hasher = await loadHasher();
    const [lost, other] = [1, COUNT]; // of different shards; each has a twin that stays
    await Promise.all([nodes[lost]?.kill(), nodes[other]?.kill()]);
    const fresh = [await startNode(lost, 'second'), await startNode(other, 'second')];
    nodes[lost] = fresh[0] ?? assert.fail();
    nodes[other] = fresh[1] ?? assert.fail();
    let away = 0;
    for (let kill = 0; kill < KILLS_WHILE_FILLING; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, rng.below(250)));
      if ((await readOne(rng, hasher)) === 'away') away += 1;
      await fresh[kill % 2]?.restart();
    }
    for (const node of fresh) {
      await until(`${node.url} is full again (seed ${SEED})`, async () => {
        if ((await readOne(rng, hasher)) === 'away') away += 1;
        return isFull(node);
      });
    }
    assert.equal(away, 0, `seed ${SEED}`);
    const total = files.flatMap((file) =>
      Array.from({ length: Math.ceil(file.content.length / SEGMENT) }),
    );
    for (const _ of total) assert.equal(await readOne(rng, hasher), 'read');
  });
});
