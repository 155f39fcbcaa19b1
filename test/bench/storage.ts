import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '@cairn/primitives';
import { cairnJson } from '../support/cli.ts';
import { type Network, startNetwork } from '../support/network.ts';
import { makeFile } from './files.ts';
import { measured, measuredCairn, peerFigures, processUsage, type Usage } from './measured-run.ts';
import { machineLine, type Report, type Row, versusBound, versusPeer } from './report.ts';

/** Interleaved runs of each hashing contender. */
const HASH_RUNS = 3;
/** Interleaved runs of each reader. */
const GET_RUNS = 3;
/** The file that is stored and read. */
const TRANSFER_MIB = 256;
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

/** Where files travel: a network of one node that keeps everything. */
interface Travel {
  readonly folder: string;
  readonly network: Network;
  readonly nodePid: number;
}

/** What a client used, and what the node used for it meanwhile. */
interface TravelUsage extends Usage {
  readonly nodeSeconds: number;
}

async function transferRows(folder: string): Promise<Row[]> {
  const network = await startNetwork(['--storage', '0/1']);
  try {
    const nodePid = await storagePid(network.directory);
    const travel = { folder, network, nodePid };
    const { rows, root, file } = await putRows(travel);
    return [...rows, ...(await getRows(travel, root, file)), ...(await growthRows(travel))];
  } finally {
    await network.stop();
  }
}

/** The same node serves both contenders; its share of the CPU time counts for each. */
async function withNode(nodePid: number, work: () => Promise<Usage>): Promise<TravelUsage> {
  const before = processUsage(nodePid).cpuSeconds;
  const usage = await work();
  return { ...usage, nodeSeconds: processUsage(nodePid).cpuSeconds - before };
}

async function put({ network }: Travel, file: string): Promise<Usage & { readonly root: string }> {
  const usage = await measuredCairn(['file', 'put', file, '--json', '--dir', network.directory]);
  const last = usage.stdout.trim().split('\n').at(-1) ?? '';
  return { ...usage, root: (JSON.parse(last) as { root: string }).root };
}

const get = ({ network }: Travel, root: string, out: string): Promise<Usage> =>
  measuredCairn(['file', 'get', root, '--output', out, '--dir', network.directory]);

const cpuRate = (sizeMib: number, { cpuSeconds, nodeSeconds }: TravelUsage): number =>
  sizeMib / (cpuSeconds + nodeSeconds);

/** Storing; the official SDK's upload is slow and runs on a smaller file. */
async function putRows(
  travel: Travel,
): Promise<{ readonly rows: readonly Row[]; readonly root: string; readonly file: string }> {
  const { folder, network, nodePid } = travel;
  const peerFile = makeFile(folder, PEER_MIB, 1);
  const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
  const peerArgs = [network.fullNode, network.chainRpc, flow, network.key, peerFile];
  const peer = await withNode(nodePid, () => measured(peerScript('put-official.mjs'), peerArgs));
  rmSync(peerFile);
  const file = makeFile(folder, TRANSFER_MIB, 2);
  let root = '';
  const ours = await withNode(nodePid, async () => {
    const stored = await put(travel, file);
    ({ root } = stored);
    return stored;
  });
  const versus = (
    what: string,
    unit: string,
    own: number,
    theirs: number,
    atLeast?: number,
  ): Row => {
    const name = `put ${TRANSFER_MIB} MiB, ${what}`;
    return versusPeer(name, unit, [own], 'official SDK upload', [theirs], atLeast);
  };
  const rows = [
    versus('client', 'MiB/CPU-s', TRANSFER_MIB / ours.cpuSeconds, PEER_MIB / peer.cpuSeconds, 10),
    versus('wall', 'MiB/s', TRANSFER_MIB / ours.wallSeconds, PEER_MIB / peer.wallSeconds, 10),
    versus('client and node', 'MiB/CPU-s', cpuRate(TRANSFER_MIB, ours), cpuRate(PEER_MIB, peer)),
  ];
  return { rows, root, file };
}

/** Reading, one and the same file for both: ours proves every byte, the official SDK none here. */
async function getRows(travel: Travel, root: string, file: string): Promise<readonly Row[]> {
  const { folder, network, nodePid } = travel;
  const out = join(folder, 'read.bin');
  const ours: TravelUsage[] = [];
  const peers: TravelUsage[] = [];
  for (let run = 0; run < GET_RUNS; run += 1) {
    ours.push(await withNode(nodePid, () => get(travel, root, out)));
    assertSame(file, out);
    rmSync(out);
    const args = [network.fullNode, root, out];
    peers.push(await withNode(nodePid, () => measured(peerScript('get-official.mjs'), args)));
    assertSame(file, out);
    rmSync(out);
  }
  rmSync(file);
  const versus = (
    what: string,
    unit: string,
    rateOf: (usage: TravelUsage) => number,
    atLeast?: number,
  ): Row =>
    versusPeer(
      `get ${TRANSFER_MIB} MiB verified, ${what}`,
      unit,
      ours.map(rateOf),
      'official SDK, unverified',
      peers.map(rateOf),
      atLeast,
    );
  return [
    versus('client and node', 'MiB/CPU-s', (usage) => cpuRate(TRANSFER_MIB, usage), 2),
    versus('wall', 'MiB/s', ({ wallSeconds }) => TRANSFER_MIB / wallSeconds, 2),
    versus('client', 'MiB/CPU-s', ({ cpuSeconds }) => TRANSFER_MIB / cpuSeconds),
  ];
}

/** What storing and reading cost as files grow, and what the largest takes of memory. */
async function growthRows(travel: Travel): Promise<readonly Row[]> {
  const { folder, nodePid } = travel;
  const out = join(folder, 'read.bin');
  const rows: Row[] = [];
  for (const sizeMib of TRAVEL_MIB) {
    const path = makeFile(folder, sizeMib, 3);
    const stored = await put(travel, path);
    const read = await get(travel, stored.root, out);
    rmSync(path);
    rmSync(out);
    rows.push(versusBound(`growth: put ${sizeMib} MiB, client`, 'CPU-s', [stored.cpuSeconds]));
    rows.push(versusBound(`growth: get ${sizeMib} MiB, client`, 'CPU-s', [read.cpuSeconds]));
    if (sizeMib !== Math.max(...TRAVEL_MIB)) continue;
    const node = processUsage(nodePid).maxRssMib;
    rows.push(
      versusBound(`peak memory of put ${sizeMib} MiB, client`, 'MiB', [stored.maxRssMib], 256),
      versusBound(`peak memory of get ${sizeMib} MiB, client`, 'MiB', [read.maxRssMib], 256),
      versusBound(`peak memory of the node, ${sizeMib} MiB in and out`, 'MiB', [node], 512),
    );
  }
  return rows;
}

/** @throws if the copy differs: a fast wrong answer is no figure */
function assertSame(original: string, copy: string): void {
  const files = [openSync(original, 'r'), openSync(copy, 'r')];
  const pieces = files.map(() => Buffer.alloc(MIB));
  try {
    for (;;) {
      const lengths = files.map((file, index) => readSync(file, pieces[index] ?? Buffer.alloc(0)));
      const [mine = Buffer.alloc(0), theirs = Buffer.alloc(0)] = pieces.map((piece, index) =>
        piece.subarray(0, lengths[index]),
      );
      if (!mine.equals(theirs)) throw new Error(`${copy} differs from ${original}`);
      if (mine.length === 0) return;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}

async function storagePid(directory: string): Promise<number> {
  const status = await cairnJson(['devnet', 'status', '--dir', directory]);
  const processes = status['processes'] as { name: string; pid: number }[];
  const node = processes.find(({ name }) => name.startsWith('storage'));
  if (node === undefined) throw new Error('devnet status names no storage node');
  return node.pid;
}
