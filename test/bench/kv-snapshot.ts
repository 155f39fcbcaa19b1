import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerFigures } from './measured-run.ts';
import { type Row, versusBound, versusFloor, versusPeer } from './report.ts';

/** Turns of each contender, one after the other. */
const RUNS = 3;
const KEYS = 1_000_000;
/** Beginning takes at most four times what a plain copy does. */
const MIN_OF_COPY = 0.25;
/** Keys that are read one after another, each in a part of the snapshot that nobody needed before. */
const READS = 100;

interface Spent {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/**
 * Beginning a state of a million keys with a snapshot on the disk until it answers, beside a plain copy of the
 * same bytes with its sync; what proving a part when it is needed takes, and proving all of it; and replaying
 * the same keys.
 */
export async function snapshotRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-snapshot-'));
  try {
    const spent = async (...args: readonly string[]): Promise<Spent> =>
      (await peerFigures('kv-snapshot.mjs', args)) as unknown as Spent;
    const replay = await spent('make', folder, String(KEYS));
    const write = await spent('write', folder);
    const sizeMib = statSync(join(folder, 'snapshot')).size / 1024 ** 2;
    const [taken, copied, read, proven]: [Spent[], Spent[], Spent[], Spent[]] = [[], [], [], []];
    for (let run = 0; run < RUNS; run += 1) {
      for (const [mode, into] of [
        ['take', taken],
        ['copy', copied],
        ['read', read],
        ['prove', proven],
      ] as const) {
        into.push(await spent(mode, folder, String(run)));
      }
    }
    const perSecond = (all: readonly Spent[], what: keyof Spent): number[] =>
      all.map((spent) => sizeMib / spent[what]);
    const peer = 'a plain copy of the same bytes, and a sync';
    return [
      versusBound('snapshot of a million keys', 'MiB', [sizeMib]),
      versusPeer(
        'beginning with it, and one read',
        'MiB per CPU-second',
        perSecond(taken, 'cpuSeconds'),
        peer,
        perSecond(copied, 'cpuSeconds'),
        MIN_OF_COPY,
      ),
      versusPeer(
        'the same, wall',
        'MiB/s',
        perSecond(taken, 'wallSeconds'),
        peer,
        perSecond(copied, 'wallSeconds'),
        MIN_OF_COPY,
      ),
      versusBound(
        'a key of a part that was not needed before',
        'CPU-ms',
        read.map(({ cpuSeconds }) => (cpuSeconds * 1000) / READS),
      ),
      versusFloor(
        'proving all of it',
        'keys per CPU-second',
        proven.map(({ cpuSeconds }) => KEYS / cpuSeconds),
      ),
      versusFloor('replaying those keys instead', 'keys per CPU-second', [
        KEYS / replay.cpuSeconds,
      ]),
      versusFloor('writing the snapshot', 'MiB per CPU-second', [sizeMib / write.cpuSeconds]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
