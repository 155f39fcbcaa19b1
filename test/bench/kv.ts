import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientRows } from './kv-client.ts';
import { snapshotRows } from './kv-snapshot.ts';
import { peerFigures } from './measured-run.ts';
import {
  machineLine,
  type Report,
  type Row,
  versusBound,
  versusFloor,
  versusPeer,
} from './report.ts';

/** Turns of each contender, one after the other. */
const RUNS = 3;
const KEYS_PER_ENTRY = 100;
const ENTRIES_OF_MANY = 1000;
const ENTRIES_OF_ONE = 10_000;
const SQLITE_SECONDS = 4;
const PROOF_SIZES = [1000, 10_000, 100_000, 1_000_000];
const SQLITE = 'the official node’s cursors: two SQLite commits an entry, nothing else';

/**
 * Replaying key-value batches from the disk, with state roots and fsync, beside what the official node
 * does for each entry alone, on the same disk; point reads without a door; proofs as a stream grows; and what a
 * client on a devnet writes and reads.
 */
export async function measureKv(part?: string): Promise<Report> {
  const rows: Row[] = [];
  if (part === undefined || part === 'replay') rows.push(...(await replayRows()));
  if (part === undefined || part === 'proofs') rows.push(...(await proofRows()));
  if (part === undefined || part === 'snapshot') rows.push(...(await snapshotRows()));
  if (part === undefined || part === 'client') rows.push(...(await clientRows()));
  return { suite: 'kv', machine: machineLine(), rows };
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-kv-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function replayRows(): Promise<Row[]> {
  const many: Figures[] = [];
  const single: Figures[] = [];
  const sqlite: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    many.push(await replay(ENTRIES_OF_MANY, KEYS_PER_ENTRY));
    single.push(await replay(ENTRIES_OF_ONE, 1));
    const entriesPerSecond = await inFolder(async (folder) => sqliteEntriesPerSecond(folder));
    if (entriesPerSecond !== undefined) sqlite.push(entriesPerSecond);
  }
  const per = (all: readonly Figures[], what: keyof Figures, by: keyof Figures): number[] =>
    all.map((one) => one[what] / one[by]);
  return [
    versusFloor(
      'replay, 100 keys an entry',
      'key writes per CPU-second',
      per(many, 'keys', 'cpuSeconds'),
      20_000,
    ),
    versusFloor('the same, wall', 'key writes/s', per(many, 'keys', 'wallSeconds')),
    versusFloor(
      'replay, 1 key an entry',
      'entries per CPU-second',
      per(single, 'entries', 'cpuSeconds'),
      2000,
    ),
    versusPeer(
      'the same, wall',
      'entries/s',
      per(single, 'entries', 'wallSeconds'),
      SQLITE,
      sqlite,
      undefined,
    ),
    versusFloor('point reads, no door', 'per CPU-second', per(many, 'reads', 'readCpuSeconds')),
  ];
}

type Figures = Readonly<
  Record<'entries' | 'keys' | 'cpuSeconds' | 'wallSeconds' | 'reads' | 'readCpuSeconds', number>
>;

function replay(entries: number, keys: number): Promise<Figures> {
  return inFolder(async (folder) => {
    const figures = await peerFigures('kv-ours.mjs', [
      'replay',
      folder,
      String(entries),
      String(keys),
    ]);
    return figures as Figures;
  });
}

/** `undefined` where there is no Python with SQLite. */
function sqliteEntriesPerSecond(folder: string): number | undefined {
  const script = fileURLToPath(new URL('peers/sqlite-two-commits.py', import.meta.url));
  const { status, stdout } = spawnSync('python3', [script, folder, String(SQLITE_SECONDS)], {
    encoding: 'utf8',
  });
  if (status !== 0) return undefined;
  const { entries, wallSeconds } = JSON.parse(stdout) as { entries: number; wallSeconds: number };
  return entries / wallSeconds;
}

async function proofRows(): Promise<Row[]> {
  const { sizes } = (await inFolder((folder) =>
    peerFigures('kv-ours.mjs', ['proofs', folder, ...PROOF_SIZES.map(String)]),
  )) as unknown as {
    sizes: readonly {
      size: number;
      bytes: number;
      proveMicroseconds: number;
      verifyMicroseconds: number;
    }[];
  };
  return sizes.flatMap(({ size, bytes, proveMicroseconds, verifyMicroseconds }) => [
    versusBound(`proof of a key of ${size}`, 'bytes', [bytes]),
    versusBound(`making it, of ${size}`, 'CPU-µs', [proveMicroseconds]),
    versusBound(`verifying it, of ${size}`, 'CPU-µs', [verifyMicroseconds]),
  ]);
}
