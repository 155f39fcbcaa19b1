import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadPoraKernel,
  PIECE_BYTES,
  type PoraKernel,
  rangeOfShard,
  recalledSegment,
  SEGMENT_PIECES,
} from '@cairn/pora';
import { SEGMENT_BYTES } from '@cairn/primitives';
import { contentBytes } from '../../support/content.ts';
import { type Row, versusFloor, versusPeer } from '../report.ts';
import { nobleAttempt, noblePad, nobleSeal } from './noble-attempt.ts';

const TURNS = 21;
const SEGMENTS = 64;
/** Before the first turn: the engine's second compiler needs about a second of work. */
const WARM_TURNS = 8;
const NOBLE = '@noble/hashes';

/** What one turn of a contender does, and in how many units it is counted. */
interface Contender {
  readonly units: number;
  run(): void;
}

/** One core's attempts, pads and seals, beside the same with @noble/hashes. */
export async function miningRows(): Promise<readonly Row[]> {
  const kernel = await loadPoraKernel();
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-mining-'));
  const path = join(folder, 'segments');
  writeFileSync(path, contentBytes(SEGMENTS * SEGMENT_BYTES, 5));
  const file = openSync(path, 'r');
  try {
    const samples = interleaved(contenders(kernel, file));
    const of = (name: string): readonly number[] => samples.get(name) ?? [];
    const attempts = `attempts of one core, segments in the page cache (${kernel.name} kernel)`;
    return [
      versusPeer(attempts, 'attempts/CPU-s', of('attempt'), NOBLE, of('noble attempt'), 30),
      versusFloor('the same, by itself', 'attempts/CPU-s', of('attempt'), 1500),
      versusPeer('pads alone', 'pads/CPU-s', of('pad'), NOBLE, of('noble pad'), undefined),
      versusPeer('sealing', 'MB/CPU-s', of('seal'), NOBLE, of('noble seal'), undefined),
      versusFloor('the same, by itself', 'MB/CPU-s', of('seal'), 70),
      versusPeer('unsealing', 'MB/CPU-s', of('unseal'), NOBLE, of('noble seal'), undefined),
    ];
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

function contenders(kernel: PoraKernel, file: number): ReadonlyMap<string, Contender> {
  const digest = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const puzzle = { minerId: digest(1), subtask: digest(2), range: digest(3) };
  kernel.setPuzzle(puzzle, new Uint8Array(32));
  const nonces = contentBytes(kernel.batch * 32, 6);
  const range = rangeOfShard({ id: 0, count: 1 }, SEGMENTS * 1024);
  const held = digest(255).subarray(0, 8);
  const segment = contentBytes(SEGMENT_BYTES, 7);
  const contexts = Array.from({ length: SEGMENT_PIECES }, () => digest(4));
  const seals = { minerId: puzzle.minerId, position: 0, contexts };
  const megabytes = SEGMENT_BYTES / 1e6;
  return new Map<string, Contender>([
    ['attempt', { units: kernel.batch, run: () => mineBatch(kernel, nonces, file, range, held) }],
    ['pad', { units: kernel.batch, run: () => kernel.prepare(nonces) }],
    ['seal', { units: megabytes, run: () => kernel.seal(seals) }],
    ['unseal', { units: megabytes, run: () => kernel.unseal(seals) }],
    ['noble attempt', { units: 1, run: () => void nobleAttempt(nonces.subarray(0, 128), segment) }],
    ['noble pad', { units: 1, run: () => void noblePad(nonces.subarray(0, 64)) }],
    [
      'noble seal',
      {
        units: PIECE_BYTES / 1e6,
        run: () => nobleSeal(segment.subarray(0, PIECE_BYTES), digest(8)),
      },
    ],
  ]);
}

/** What a miner's thread does with a batch of nonces. */
function mineBatch(
  kernel: PoraKernel,
  nonces: Uint8Array,
  file: number,
  range: ReturnType<typeof rangeOfShard>,
  held: Uint8Array,
): void {
  kernel.prepare(nonces);
  for (let attempt = 0; attempt < kernel.batch; attempt += 1) {
    const index = recalledSegment(kernel.recall(attempt), range) ?? 0;
    readSync(file, kernel.segment, 0, SEGMENT_BYTES, index * SEGMENT_BYTES);
    if (kernel.find(attempt, held) !== undefined) throw new Error('no hash is below zero');
  }
}

/** Units per CPU-second of each contender, turn by turn, taking turns. */
function interleaved(
  contestants: ReadonlyMap<string, Contender>,
): ReadonlyMap<string, readonly number[]> {
  const samples = new Map<string, number[]>([...contestants.keys()].map((name) => [name, []]));
  for (let turn = -WARM_TURNS; turn < TURNS; turn += 1) {
    for (const [name, { units, run }] of contestants) {
      let runs = 0;
      let micros = 0;
      const before = process.cpuUsage();
      while (micros < 60_000) {
        run();
        runs += 1;
        const { user, system } = process.cpuUsage(before);
        micros = user + system;
      }
      if (turn >= 0) samples.get(name)?.push((runs * units) / (micros / 1e6));
    }
  }
  return samples;
}
