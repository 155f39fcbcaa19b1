import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@cairn/client-sdk';
import { loadHasher, segmentsOf, verifySegment } from '@cairn/commitments';
import { openP2pKey, peerIdOf } from '@cairn/node-runtime/p2p';
import { MIB, seededRng } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { contentOf } from '../../support/content.ts';
import { freePort } from '../../support/free-port.ts';
import { startNetwork } from '../../support/network.ts';
import { StorageProcess } from '../../support/storage-process.ts';
import { until } from '../../support/wait.ts';
import { type Row, versusFigure } from '../report.ts';

/** What is read, by one reader, one segment after another. */
const READ_BYTES = 64 * MIB;
/** What comes from a peer meanwhile. */
const SYNC_BYTES = 256 * MIB;
const ROUNDS = 3;
const IDLE_READS = 800;
const WARM_READS = 200;
const SEED = 20_261_123;

/**
 * How long verified reads of 256 KiB take at a node that fills its shard from a peer, scrubs and
 * mines with its default shares, beside the same node that does nothing else.
 */
export async function busyReadRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-bench-reads-'));
  const network = await startNetwork(['--storage', '0/1', '--mine']);
  const [chain] = network.endpoints.chains;
  const port = await freePort();
  const key = join(folder, 'giver.key');
  const account = join(folder, 'miner.key');
  await writeFile(account, network.key, { mode: 0o600 });
  const boot = `/ip4/127.0.0.1/tcp/${port}/p2p/${await peerIdOf(await openP2pKey(key))}`;
  const p2p = '[p2p]\nenabled = true\npublic_url = "listener"\nprivate_urls = true\n';
  const nodes: StorageProcess[] = [];
  const start = async (name: string, extra: string): Promise<StorageProcess> => {
    await mkdir(join(folder, name), { recursive: true });
    const node = await StorageProcess.start(network, { folder: join(folder, name), extra });
    nodes.push(node);
    return node;
  };
  const put = async (node: StorageProcess, number: number, bytes: number): Promise<string> => {
    const client = createClient({
      nodes: [node.url],
      rpc: network.chainRpc,
      flow: chain?.contracts['flow'] ?? '',
      signer: network.key,
      threads: 0,
    });
    const { root } = await client.files.put(contentOf(number, bytes));
    await client.close();
    return root;
  };
  try {
    const idle = await start('reader', '');
    const root = await put(idle, 81, READ_BYTES);
    const readIdle = await reader(idle, root);
    await readIdle(countDown(WARM_READS));
    const idleMs = p99(await readIdle(countDown(IDLE_READS)));
    await idle.kill('SIGTERM');
    const giver = await start(
      'giver',
      `${p2p}listen = ["/ip4/127.0.0.1/tcp/${port}"]\nkey_file = ${JSON.stringify(key)}\n`,
    );
    const busy = await start(
      'reader',
      `${p2p}boot = [${JSON.stringify(boot)}]
[scrub]
period_s = 1
[mining]
contract = ${JSON.stringify(chain?.contracts['poraMine'])}
account = ${JSON.stringify(account)}
`,
    );
    const readBusy = await reader(busy, root);
    await until('mining', async () => (await metric(busy, 'cairn_mining_attempts_total')) > 0);
    await readBusy(countDown(WARM_READS));
    const before = await work(busy);
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const filling = await put(giver, 82 + round, SYNC_BYTES);
      let isWhole = false;
      const watching = until('the file', () => isFinal(busy, filling)).finally(() => {
        isWhole = true;
      });
      rounds.push(p99(await readBusy(() => !isWhole)));
      await watching;
    }
    const after = await work(busy);
    for (const [name, value] of Object.entries(after)) {
      if (!(value > (before[name] ?? 0))) throw new Error(`${name} stayed at ${value}`);
    }
    const name = '99th percentile of verified reads while filling, scrubbing and mining';
    return [versusFigure(name, 'ms', rounds, 'the same node, idle', idleMs, { atMostTimes: 8 })];
  } finally {
    for (const node of nodes) await node.kill();
    await network.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads segments by chance and proves them, while `goesOn`; tells how long each took, in milliseconds. */
async function reader(
  { url }: StorageProcess,
  root: string,
): Promise<(goesOn: () => boolean) => Promise<readonly number[]>> {
  const hasher = await loadHasher();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const rng = seededRng(SEED);
  return async (goesOn) => {
    const took: number[] = [];
    while (goesOn()) {
      const index = rng.below(segmentsOf(READ_BYTES));
      const began = performance.now();
      const bytes = await body(`${url}/v1/segments/${root}/${index}`, agent);
      verifySegment(parseSegmentMessage(bytes).segment, hasher);
      took.push(performance.now() - began);
    }
    return took;
  };
}

function body(url: string, agent: Agent): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.once('error', reject);
      reply.once('end', () => {
        if (reply.statusCode === 200) resolve(new Uint8Array(Buffer.concat(parts)));
        else reject(new Error(`HTTP ${reply.statusCode}: ${Buffer.concat(parts).toString()}`));
      });
    }).once('error', reject);
  });
}

async function isFinal({ url }: StorageProcess, root: string): Promise<boolean> {
  const reply = await fetch(`${url}/v1/entries/${root}`);
  if (!reply.ok) return false;
  const { entries } = (await reply.json()) as { entries: { finalized: boolean }[] };
  return entries[0]?.finalized ?? false;
}

/** What the node has done besides answering. */
async function work(node: StorageProcess): Promise<Readonly<Record<string, number>>> {
  const names = [
    'cairn_mining_attempts_total',
    'cairn_mining_sealed_pieces_total',
    'cairn_scrub_bytes_total',
  ];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await metric(node, name)])),
  );
}

async function metric({ url }: StorageProcess, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1] ?? 0);
}

function countDown(count: number): () => boolean {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0;
  };
}

function p99(samples: readonly number[]): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
