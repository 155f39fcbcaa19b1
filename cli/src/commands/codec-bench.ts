import { cpus } from 'node:os';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  chooseCodec,
  commitMatrix,
  layoutOf,
  loadWasmCodec,
  loadWasmCombiner,
  MemoryRows,
  newDataMatrix,
  sliceOf,
  verifySlice,
} from '@cairn/erasure-codec';
import { formatBytes, seededRng } from '@cairn/primitives';
import { gpuCandidate } from '../codec-tools.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** What `cairn codec bench` takes. */
export interface CodecBenchOptions {
  readonly size: number;
  readonly json?: boolean;
}

/** One step's speed. */
interface Measure {
  readonly step: string;
  /** 10^6 bytes of the payload a second, by the clock on the wall. */
  readonly wall: number;
  /** The same by the CPU time of this process. */
  readonly cpu: number;
}

const RUNS = 3;

/** Measures each step of a blob's way on one thread, the best of three runs, and tries every codec. */
export async function codecBench(
  { size, json }: CodecBenchOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const layout = layoutOf(size);
  const [suite, combiner] = await Promise.all([loadRowSuite(0), loadWasmCombiner()]);
  const codec = await loadWasmCodec();
  const memory = await codec.newMatrix?.(layout);
  const { data, payload } = newDataMatrix(layout, memory?.data);
  seededRng(size).fill(payload);
  const options = { codec, suite, combiner, into: memory?.parity, signal };
  const measures: Measure[] = [];
  const measure = async <Result>(step: string, work: () => Promise<Result>): Promise<Result> => {
    const { result, ...speed } = await best(size, work, signal);
    measures.push({ step, ...speed });
    return result;
  };
  const parity = await measure(`encode, ${codec.name}`, () => codec.encode(data, layout, options));
  const held = await measure('hash all rows', () =>
    MemoryRows.of({ data, parity }, layout, options),
  );
  const coefficients = seededRng(1).fill(new Uint8Array(layout.rowBytes * 16));
  await measure('combine data rows', () => held.combine(coefficients, 'data', options));
  const blob = await measure('commit: all of these', () => commitMatrix(data, layout, options));
  const odd = Array.from({ length: layout.dataRows }, (_, index) => 2 * index + 1);
  const rows = odd.map((index) => ({ index, bytes: held.rowAt(index) }));
  await measure('decode from every second row', () => codec.decode(rows, layout, { signal }));
  const part = Array.from({ length: Math.ceil(layout.rows / 32) }, (_, index) => index);
  const slice = await sliceOf(blob, part, options);
  const expected = { commitment: blob.commitment, layout, rows: part };
  await measure(`verify a slice of ${part.length} rows`, async () =>
    verifySlice(slice, expected, options),
  );
  const chosen = await chooseCodec({ candidates: [gpuCandidate()], suite, combiner, signal });
  const trials = chosen.trials.map((trial) => ({ ...trial }));
  await chosen.close();
  if (json === true) {
    await writeJson(io, {
      bytes: size,
      rows: layout.rows,
      cpu: cpus()[0]?.model ?? 'unknown',
      threads: io.cores,
      measures: measures.map((one) => ({ ...one })),
      trials,
    });
    return 0;
  }
  const speeds = measures.map(({ step, wall, cpu }) => [step, Math.round(wall), Math.round(cpu)]);
  await writeLine(io, formatTable(['step', 'MB/s', 'MB per CPU-s'], speeds));
  io.writeErr(
    `${formatBytes(size)}: ${layout.dataRows} data rows, ${layout.rows} in all; MB of the payload\n`,
  );
  for (const { name, outcome, reason } of trials) io.writeErr(`${name} ${outcome}: ${reason}\n`);
  return 0;
}

/** The best of several runs, and what the last one gave. */
async function best<Result>(
  bytes: number,
  work: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Omit<Measure, 'step'> & { readonly result: Result }> {
  let wall = 0;
  let cpu = 0;
  for (let run = 1; ; run += 1) {
    signal.throwIfAborted();
    const from = performance.now();
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    wall = Math.max(wall, bytes / 1000 / (performance.now() - from));
    cpu = Math.max(cpu, bytes / Math.max(user + system, 1));
    if (run === RUNS) return { result, wall, cpu };
  }
}
