import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@cairn/client-sdk';
import { openP2pKey, peerIdOf } from '@cairn/node-runtime/p2p';
import { MIB } from '@cairn/primitives';
import { contentOf } from '../../support/content.ts';
import { freePort } from '../../support/free-port.ts';
import { startNetwork } from '../../support/network.ts';
import { StorageProcess } from '../../support/storage-process.ts';
import { processUsage } from '../measured-run.ts';
import { type Row, versusPeer } from '../report.ts';

const FILE_BYTES = 256 * MIB;
/** Comes first: a process compiles in its first seconds what it goes on with for months. */
const WARM_BYTES = 96 * MIB;
/** Four times as much should take four times as long. */
const LARGE_BYTES = 4 * FILE_BYTES;
const ROUNDS = 5;
const COPY = fileURLToPath(new URL('./copy-plain.mjs', import.meta.url));
const PEER = 'plain HTTP copy';

/** What a transfer took. */
interface Transfer {
  readonly bytes: number;
  readonly wallSeconds: number;
  /** Of the giver and the taker together. */
  readonly cpuSeconds: number;
}

/**
 * A node with an empty disk that fills it from one peer, beside a program that copies the same file
 * from the same node over HTTP onto the same disk, in turns. Both end with what they took on the disk.
 */
export async function peerSyncRows(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-bench-sync-'));
  const network = await startNetwork(['--storage', '0/1']);
  const port = await freePort();
  const key = join(folder, 'giver.key');
  const boot = `/ip4/127.0.0.1/tcp/${port}/p2p/${await peerIdOf(await openP2pKey(key))}`;
  const p2p = '[p2p]\nenabled = true\npublic_url = "listener"\nprivate_urls = true\n';
  const nodes: StorageProcess[] = [];
  const start = async (name: string, extra: string): Promise<StorageProcess> => {
    await mkdir(join(folder, name));
    const node = await StorageProcess.start(network, {
      folder: join(folder, name),
      extra: p2p + extra,
    });
    nodes.push(node);
    return node;
  };
  try {
    const giver = await start(
      'giver',
      `listen = ["/ip4/127.0.0.1/tcp/${port}"]\nkey_file = ${JSON.stringify(key)}\n`,
    );
    const client = createClient({
      nodes: [giver.url],
      rpc: network.chainRpc,
      flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
      signer: network.key,
      threads: 0,
    });
    await client.files.put(contentOf(76, WARM_BYTES));
    const { root } = await client.files.put(contentOf(77, FILE_BYTES));
    const synced: Transfer[] = [];
    const copied: Transfer[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      copied.push(await copyPlain(giver, root, join(folder, 'copy')));
      const taker = await start(`taker-${round}`, `boot = [${JSON.stringify(boot)}]\n`);
      synced.push(await watchFill(giver, taker, root, FILE_BYTES));
      await taker.kill();
      await rm(join(folder, `taker-${round}`), { recursive: true });
    }
    const { root: largeRoot } = await client.files.put(contentOf(78, LARGE_BYTES));
    await client.close();
    const taker = await start('taker-large', `boot = [${JSON.stringify(boot)}]\n`);
    const large = [await watchFill(giver, taker, largeRoot, LARGE_BYTES)];
    const rate = (by: 'wallSeconds' | 'cpuSeconds', of: readonly Transfer[]): number[] =>
      of.map((one) => one.bytes / MIB / one[by]);
    return [
      versusPeer(
        'a shard filled from one peer (wall)',
        'MiB/s',
        rate('wallSeconds', synced),
        PEER,
        rate('wallSeconds', copied),
        0.5,
      ),
      versusPeer(
        'the same, by CPU of both processes',
        'MiB/CPU-s',
        rate('cpuSeconds', synced),
        PEER,
        rate('cpuSeconds', copied),
        undefined,
      ),
      versusPeer(
        'four times the bytes (wall)',
        'MiB/s',
        rate('wallSeconds', large),
        'the first',
        rate('wallSeconds', synced),
        0.8,
      ),
    ];
  } finally {
    for (const node of nodes) await node.kill();
    await network.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyPlain(giver: StorageProcess, root: string, path: string): Promise<Transfer> {
  const before = processUsage(giver.pid).cpuSeconds;
  const { stdout } = await promisify(execFile)(process.execPath, [
    COPY,
    `${giver.url}/v1/files/${root}`,
    path,
  ]);
  const { bytes, wallSeconds, cpuSeconds } = JSON.parse(stdout) as Transfer;
  return {
    bytes,
    wallSeconds,
    cpuSeconds: cpuSeconds + processUsage(giver.pid).cpuSeconds - before,
  };
}

/** From the file's first segments to its last: joining the network and warming up are not the transfer. */
async function watchFill(
  giver: StorageProcess,
  taker: StorageProcess,
  root: string,
  bytes: number,
): Promise<Transfer> {
  const held = async (): Promise<{ readonly segments: number; readonly isWhole: boolean }> => {
    const reply = await fetch(`${taker.url}/v1/entries/${root}`);
    if (!reply.ok) return { segments: 0, isWhole: false };
    const { entries } = (await reply.json()) as {
      entries: { heldSegments: number; finalized: boolean }[];
    };
    return { segments: entries[0]?.heldSegments ?? 0, isWhole: entries[0]?.finalized ?? false };
  };
  const cpu = (): number => processUsage(giver.pid).cpuSeconds + processUsage(taker.pid).cpuSeconds;
  const segmentBytes = 262_144;
  let first: { readonly segments: number; readonly atMs: number; readonly cpu: number } | undefined;
  for (;;) {
    const { segments, isWhole } = await held();
    if (first === undefined && segments > 0)
      first = { segments, atMs: performance.now(), cpu: cpu() };
    if (isWhole && first !== undefined) {
      return {
        bytes: bytes - first.segments * segmentBytes,
        wallSeconds: (performance.now() - first.atMs) / 1000,
        cpuSeconds: cpu() - first.cpu,
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
