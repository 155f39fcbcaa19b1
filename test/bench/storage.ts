import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '@cairn/primitives';
import { cairnJson } from '../support/cli.ts';
import { contentBytes } from '../support/content.ts';
import { startNetwork } from '../support/network.ts';
import { measured, measuredCairn, peerFigures, processUsage } from './measured-run.ts';
import { machineLine, type Report, type Row, versusBound, versusPeer } from './report.ts';

/** Interleaved runs of each hashing contender. */
const HASH_RUNS = 3;
/** Slow peers run on a smaller file; figures are per byte. */
const PEER_MIB = 64;
const GROWTH_MIB = [1, 4, 16, 64, 256, 1024, 2048];
/** The suite ends within ten minutes, so fewer sizes travel. */
const TRAVEL_MIB = [1, 16, 64, 2048];
const peerScript = (name: string): string =>
  fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** Storing and reading files beside the official SDK, and hashing them beside it and hash-wasm. */
export async function measureStorage(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    const rows = [...(await hashingRows(folder)), ...(await transferRows(folder))];
    return { suite: 'storage', machine: machineLine(), rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file of `sizeMib` without repeating segments. Its first bytes differ with `seed`. */
function makeFile(folder: string, sizeMib: number, seed = 0): string {
  const path = join(folder, `file-${sizeMib}-${seed}.bin`);
  const block = contentBytes(MIB, seed * 7_919);
  const file = openSync(path, 'w');
  for (let index = 0; index < sizeMib; index += 1) {
    new DataView(block.buffer).setUint32(0, index);
    new DataView(block.buffer).setUint32(4, seed);
    writeSync(file, block);
  }
  closeSync(file);
  return path;
}

async function hashingRows(folder: string): Promise<Row[]> {
  const big = makeFile(folder, 256);
  const small = makeFile(folder, PEER_MIB);
  const ours: number[] = [];
  const official: number[] = [];
  const wasm: number[] = [];
  const whole: number[] = [];
  const rate = async (script: string, path: string): Promise<number> => {
    const { bytes = 0, cpuSeconds = Number.NaN } = await peerFigures(script, [path]);
    return bytes / MIB / cpuSeconds;
  };
  for (let run = 0; run < HASH_RUNS; run += 1) {
    ours.push(await rate('root-ours.mjs', big));
    official.push(await rate('root-official.mjs', small));
    wasm.push(await rate('root-hash-wasm.mjs', small));
    whole.push((await measuredCairn(['file', 'root', small])).cpuSeconds);
  }
  const rows = [
    versusPeer(
      'file root, one thread, 256 MiB',
      'MiB/CPU-s',
      ours,
      'official SDK merkleTree',
      official,
      30,
    ),
    versusPeer('file root, one thread, same tree', 'MiB/CPU-s', ours, 'hash-wasm keccak', wasm, 2),
    versusBound(`cairn file root of ${PEER_MIB} MiB, whole process`, 'CPU-s', whole, 1),
  ];
  rmSync(big);
  for (const sizeMib of GROWTH_MIB) {
    const path = makeFile(folder, sizeMib);
    const { cpuSeconds = Number.NaN } = await peerFigures('root-ours.mjs', [path]);
    rows.push(versusBound(`growth: file root of ${sizeMib} MiB`, 'CPU-s', [cpuSeconds]));
    rmSync(path);
  }
  rmSync(small, { force: true });
  return rows;
}

async function transferRows(folder: string): Promise<Row[]> {
  const network = await startNetwork(['--storage', '0/1']);
  try {
    const nodePid = await storagePid(network.directory);
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const dir = ['--dir', network.directory];
    const out = join(folder, 'read.bin');

    // The same node serves both; its share of the CPU time counts for each.
    const withNode = async (
      work: () => Promise<{ cpuSeconds: number; wallSeconds: number; stdout: string }>,
    ) => {
      const before = processUsage(nodePid).cpuSeconds;
      const usage = await work();
      return { ...usage, nodeSeconds: processUsage(nodePid).cpuSeconds - before };
    };
    const official = makeFile(folder, PEER_MIB, 1);
    const putPeer = await withNode(() =>
      measured(peerScript('put-official.mjs'), [
        network.fullNode,
        network.chainRpc,
        flow,
        network.key,
        official,
      ]),
    );
    const root = putPeer.stdout.trim();
    const getPeer = await withNode(() =>
      measured(peerScript('get-official.mjs'), [network.fullNode, root, out]),
    );
    rmSync(out);

    const file = makeFile(folder, 256, 2);
    const putOurs = await withNode(() => measuredCairn(['file', 'put', file, '--json', ...dir]));
    const ourRoot = String(
      (JSON.parse(putOurs.stdout.trim().split('\n').at(-1) ?? '') as { root: string }).root,
    );
    const getOurs = await withNode(() =>
      measuredCairn(['file', 'get', ourRoot, '--output', out, ...dir]),
    );
    assertSame(file, out);
    rmSync(out);
    rmSync(file);

    const perCpu = (sizeMib: number, usage: { cpuSeconds: number; nodeSeconds: number }): number =>
      sizeMib / (usage.cpuSeconds + usage.nodeSeconds);
    const rows: Row[] = [
      versusPeer(
        'put 256 MiB, client and node',
        'MiB/CPU-s',
        [perCpu(256, putOurs)],
        'official SDK upload',
        [perCpu(PEER_MIB, putPeer)],
        10,
      ),
      versusPeer(
        'put 256 MiB, client alone',
        'MiB/CPU-s',
        [256 / putOurs.cpuSeconds],
        'official SDK upload',
        [PEER_MIB / putPeer.cpuSeconds],
        10,
      ),
      versusPeer(
        'put 256 MiB, wall',
        'MiB/s',
        [256 / putOurs.wallSeconds],
        'official SDK upload',
        [PEER_MIB / putPeer.wallSeconds],
        10,
      ),
      versusPeer(
        'get 256 MiB verified, client and node',
        'MiB/CPU-s',
        [perCpu(256, getOurs)],
        'official SDK, unverified',
        [perCpu(PEER_MIB, getPeer)],
        2,
      ),
      versusPeer(
        'get 256 MiB verified, client alone',
        'MiB/CPU-s',
        [256 / getOurs.cpuSeconds],
        'official SDK, unverified',
        [PEER_MIB / getPeer.cpuSeconds],
        2,
      ),
      versusPeer(
        'get 256 MiB verified, wall',
        'MiB/s',
        [256 / getOurs.wallSeconds],
        'official SDK, unverified',
        [PEER_MIB / getPeer.wallSeconds],
        2,
      ),
    ];
    for (const sizeMib of TRAVEL_MIB) {
      const path = makeFile(folder, sizeMib, 3);
      const put = await measuredCairn(['file', 'put', path, '--json', ...dir]);
      const putRoot = String(
        (JSON.parse(put.stdout.trim().split('\n').at(-1) ?? '') as { root: string }).root,
      );
      const get = await measuredCairn(['file', 'get', putRoot, '--output', out, ...dir]);
      rows.push(versusBound(`growth: put ${sizeMib} MiB, client`, 'CPU-s', [put.cpuSeconds]));
      rows.push(versusBound(`growth: get ${sizeMib} MiB, client`, 'CPU-s', [get.cpuSeconds]));
      if (sizeMib === Math.max(...TRAVEL_MIB)) {
        rows.push(
          versusBound(`peak memory of put ${sizeMib} MiB, client`, 'MiB', [put.maxRssMib], 256),
        );
        rows.push(
          versusBound(`peak memory of get ${sizeMib} MiB, client`, 'MiB', [get.maxRssMib], 256),
        );
        rows.push(
          versusBound(
            `peak memory of the node, ${sizeMib} MiB in and out`,
            'MiB',
            [processUsage(nodePid).maxRssMib],
            512,
          ),
        );
      }
      rmSync(path);
      rmSync(out);
    }
    return rows;
  } finally {
    await network.stop();
  }
}

/** @throws if the copy differs: a fast wrong answer is no figure */
function assertSame(original: string, copy: string): void {
  if (!readFileSync(original).equals(readFileSync(copy)))
    throw new Error(`${copy} differs from ${original}`);
}

async function storagePid(directory: string): Promise<number> {
  const status = await cairnJson(['devnet', 'status', '--dir', directory]);
  const processes = status['processes'] as { name: string; pid: number }[];
  const node = processes.find(({ name }) => name.startsWith('storage'));
  if (node === undefined) throw new Error('devnet status names no storage node');
  return node.pid;
}
