import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '@cairn/primitives';
import { run } from '../support/cli.ts';
import { makeFile } from './files.ts';
import { measuredCairn, type Usage } from './measured-run.ts';
import {
  machineLine,
  type Report,
  type Row,
  versusBound,
  versusFloor,
  versusPeer,
} from './report.ts';

/** What a run of the codec's bench is told. */
export interface CodecBenchOptions {
  /**
   * A built program that is told original pieces, recovery pieces, bytes of a piece, losses, and
   * prints `Encoder … Input=N MB/s`, as Leopard's benchmark does.
   */
  readonly leopard?: string;
  readonly isGpu?: boolean;
}

/** Interleaved runs of everything that takes less than a second. */
const RUNS = 7;
/** Of what takes longer. */
const LONG_RUNS = 3;
/** Megabytes are 10^6 bytes, as in the code's specification. */
const MB = 1e6;

/** CPU milliseconds of each run, by contender. */
type Samples = Readonly<
  Record<string, { readonly scaled: readonly number[]; readonly raw: readonly number[] }>
>;

/** The blob codec beside its peers: rows, hashes, combinations, commitments, slices. */
export async function measureCodec(options: CodecBenchOptions): Promise<Report> {
  const leopard = options.leopard === undefined ? [] : [options.leopard];
  const rows = [
    ...(await encodeRows(leopard)),
    ...(await matrixRows()),
    ...(await hashRows()),
    ...(await commitRows(leopard)),
    ...(await memoryRows()),
    ...(options.isGpu === true ? await gpuRows() : []),
  ];
  return { suite: 'codec', machine: machineLine(), rows };
}

/** Runs a script of `codec/` and reads its samples. */
async function samplesOf(
  script: string,
  args: readonly (string | number)[],
  env: Readonly<Record<string, string>> = {},
): Promise<Samples> {
  const path = fileURLToPath(new URL(`codec/${script}.mjs`, import.meta.url));
  const command = [path, ...args.map(String)];
  const { status, stdout, stderr } = await run(process.execPath, command, {
    env,
    timeoutMs: 590_000,
  });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.toString('utf8').trim().split('\n').at(-1) ?? '') as Samples;
}

/** MB of `bytes` a CPU-second, run by run. */
function speeds(samples: Samples, name: string, bytes: number): readonly number[] {
  return (samples[name]?.scaled ?? []).map((ms) => bytes / MB / (ms / 1000));
}

/** A shape that is encoded, and what is asked of each build: MB/CPU-s, and a multiple of Leopard. */
interface EncodeCase {
  readonly dataRows: number;
  readonly mib: number;
  readonly runs: number;
  readonly floors: Readonly<Record<string, number>>;
  readonly timesLeopard: Readonly<Record<string, number>>;
}

const ENCODE_CASES: readonly EncodeCase[] = [
  { dataRows: 64, mib: 8, runs: RUNS, floors: {}, timesLeopard: { strict: 1 } },
  {
    dataRows: 1024,
    mib: 32,
    runs: RUNS,
    floors: { strict: 280 },
    timesLeopard: { strict: 0.6, relaxed: 0.72 },
  },
  { dataRows: 4096, mib: 128, runs: LONG_RUNS, floors: {}, timesLeopard: { relaxed: 0.6 } },
];
/** Parity cosets of rate 1/3. */
const COSETS = 2;

/** Encoding and decoding, on both builds. */
async function encodeRows(leopard: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { dataRows, mib, runs, floors, timesLeopard } of ENCODE_CASES) {
    const bytes = mib * MIB;
    const samples = await samplesOf('encode', [dataRows, COSETS, bytes, runs, ...leopard]);
    const peer = speeds(samples, 'leopard', bytes);
    const what = `${dataRows} rows, rate 1/3, ${mib} MiB`;
    for (const build of ['strict', 'relaxed']) {
      const encode = speeds(samples, `${build} encode`, bytes);
      const copied = speeds(samples, `${build} copied`, bytes);
      const decode = speeds(samples, `${build} decode`, bytes);
      const name = `${what}, ${build}`;
      rows.push(
        versusFloor(`encode ${name}`, 'MB/CPU-s', encode, floors[build]),
        versusPeer(
          `encode ${name}`,
          'MB/CPU-s',
          encode,
          'Leopard, native',
          peer,
          timesLeopard[build],
        ),
        versusFloor(`encode ${name}, other memory`, 'MB/CPU-s', copied),
        versusPeer(`decode ${name}`, 'MB/CPU-s', decode, 'our encode, other memory', copied, 0.5),
      );
    }
  }
  return rows;
}

/** The same small codes as a matrix code over GF(2^8). */
async function matrixRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [data, parity, bytes, goal] of [
    [16, 16, 4 * MIB, 25],
    [64, 128, 4 * MIB, 75],
  ] as const) {
    const samples = await samplesOf('versus-matrix', [data, parity, bytes, LONG_RUNS]);
    const peer = speeds(samples, 'peer', bytes);
    for (const build of ['strict', 'relaxed'] as const) {
      rows.push(
        versusPeer(
          `encode ${data} + ${parity}, ${build}`,
          'MB/CPU-s',
          speeds(samples, build, bytes),
          'reed-solomon-erasure.wasm',
          peer,
          build === 'strict' ? goal : undefined,
        ),
      );
    }
  }
  return rows;
}

/** Clears SHA-NI from what OpenSSL sees: bit 29 of the third word of its processor flags. */
const WITHOUT_SHA_NI = { OPENSSL_ia32cap: ':~0x20000000' };

async function hashRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const rowBytes of [2048, 32_768]) {
    const total = 16 * MIB;
    const args = [rowBytes, total, RUNS];
    const masked = await samplesOf('node-sha256', args, WITHOUT_SHA_NI);
    const plain = await samplesOf('node-sha256', args);
    for (const [peerName, samples, goal] of [
      ['node SHA-256, no SHA-NI', masked, 3],
      ['node SHA-256', plain, undefined],
    ] as const) {
      const ours = speeds(samples, 'ours', total);
      const peer = speeds(samples, 'peer', total);
      rows.push(versusPeer(`leaves of ${rowBytes} bytes`, 'MB/CPU-s', ours, peerName, peer, goal));
    }
  }
  return rows;
}

/** CPU milliseconds of one verification: a holder verifies all the time, so the code is warm. */
function verifying(samples: Samples): readonly number[] {
  return (samples['verify 4 MiB, 8 times']?.scaled ?? []).map((ms) => ms / 8);
}

async function commitRows(leopard: readonly string[]): Promise<Row[]> {
  const bytes = 32 * MIB - 8; // 16 MiB and more: 4096 rows
  const large = await samplesOf('commit', [3, bytes, LONG_RUNS]);
  const small = await samplesOf('commit', [2, 16 * MIB - 8, RUNS, ...leopard]);
  const kzg = await samplesOf('node-eth-kzg', [LONG_RUNS]);
  const peer = speeds(kzg, 'peer', 131_072);
  const what = '1024 rows, rate 1/3, 16 MiB';
  return [
    versusFloor(`combine ${what}`, 'MB/CPU-s', speeds(small, 'combine', 16 * MIB), 500),
    versusFloor(`hash ${what}`, 'MB/CPU-s', speeds(small, 'hash', 3 * 16 * MIB)),
    versusPeer(
      `commit ${what}`,
      'MB/CPU-s',
      speeds(small, 'commit', 16 * MIB),
      'node-eth-kzg, cells and proofs',
      peer,
      200,
    ),
    versusPeer(
      `commit ${what}`,
      'MB/CPU-s',
      speeds(small, 'commit', 16 * MIB),
      "Leopard's encode alone",
      speeds(small, 'leopard', 16 * MIB),
      0.28,
    ),
    versusFloor('commit 4096 rows, rate 1/4, 32 MiB', 'MB/CPU-s', speeds(large, 'commit', bytes)),
    versusBound('verify a slice of 4 MiB, 1024 rows', 'CPU-ms', verifying(small), 15),
    versusBound('verify a slice of 4 MiB, 4096 rows', 'CPU-ms', verifying(large), 15),
  ];
}

/** Memory of the whole command, less what it takes for an empty file: (1 + cosets) blobs and 64 MiB. */
async function memoryRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-codec-'));
  const encode = (file: string): Promise<Usage> =>
    measuredCairn(['codec', 'encode', file, '--out', `${file}.rows`, '--codec', 'wasm']);
  try {
    const [mib, cosets] = [64, 3];
    const nothing = await encode(makeFile(folder, 0));
    const usage = await encode(makeFile(folder, mib));
    const what = `cairn codec encode, ${mib} MiB, rate 1/4`;
    const most = (1 + cosets) * mib + 64;
    const overNothing = usage.maxRssMib - nothing.maxRssMib;
    return [
      versusBound(`memory of ${what}, over that of an empty file`, 'MiB', [overNothing], most),
      versusBound(`memory of ${what}, whole process`, 'MiB', [usage.maxRssMib]),
      versusBound(`${what}, whole process`, 'CPU-s', [usage.cpuSeconds]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A GPU's whole way (upload, compute, what comes back) beside one core's, by the wall's clock. */
async function gpuRows(): Promise<Row[]> {
  const bytes = 64 * MIB - 8;
  const samples = await samplesOf('gpu', [3, bytes, LONG_RUNS]);
  const wall = (name: string): readonly number[] =>
    (samples[name]?.raw ?? []).map((ms) => bytes / MB / (ms / 1000));
  const name = 'commit 4096 rows, rate 1/4, 64 MiB, on the GPU';
  return [versusPeer(name, 'MB/s', wall('gpu'), 'one core of ours', wall('wasm'), undefined)];
}
