import { loadRowSuite, type RowSuite } from '@cairn/commitments/rows';
import {
  type ChosenCodec,
  type CodecCandidate,
  chooseCodec,
  type HoldingCodec,
  loadWasmCodec,
  loadWasmCombiner,
  type RowCodec,
  type RowCombiner,
  referenceCodec,
} from '@cairn/erasure-codec';
import type { WorkerPool } from '@cairn/primitives';
import type { CommandContext } from './io.ts';

/** Which codec encodes: `auto` tries all that run here. */
export type CodecName = 'auto' | 'reference' | 'wasm' | 'wasm-relaxed' | 'gpu';

/** What commits, reads and verifies. */
export interface CodecTools {
  readonly codec: RowCodec & Partial<Pick<HoldingCodec, 'suite' | 'hold'>>;
  readonly suite: RowSuite;
  readonly combiner: RowCombiner;
  /** Which codec it is, and why. */
  readonly choice: string;
  /** What was tried, where it was chosen. */
  readonly trials: ChosenCodec['trials'];
  close(): Promise<void>;
}

/** Payloads from this length on are worth threads. */
const BYTES_FOR_THREADS = 2 ** 22;
/** Threads copy what one alone encodes in place: fewer are not faster than it. */
const CORES_FOR_THREADS = 4;
const MAX_THREADS = 8;

/**
 * Opens the codec of a name.
 *
 * @throws {CodecError} DEVICE_ABSENT for a GPU that is not there; {WebAssembly.CompileError} for a
 *   build that does not run here
 */
export async function openCodecTools(
  name: CodecName,
  suiteId: 0 | 1,
  payloadBytes: number,
  { io, signal }: CommandContext,
): Promise<CodecTools> {
  const [suite, combiner] = await Promise.all([loadRowSuite(suiteId), loadWasmCombiner()]);
  const isLarge = payloadBytes >= BYTES_FOR_THREADS && io.cores >= CORES_FOR_THREADS;
  const pool = isLarge && name !== 'reference' ? await codecThreads(io.cores) : undefined;
  const threads = pool === undefined ? {} : { pool };
  const opened = { suite, combiner };
  const closing = (codec: RowCodec) => async (): Promise<void> => {
    try {
      await codec.close();
    } finally {
      await pool?.close();
    }
  };
  try {
    if (name === 'auto') {
      const candidates = [gpuCandidate()];
      const codec = await chooseCodec({ candidates, suite, combiner, signal, ...threads });
      const [chosen] = codec.trials;
      const choice = `${chosen?.name}: ${chosen?.reason}`;
      return { ...opened, codec, choice, trials: codec.trials, close: closing(codec) };
    }
    const codec = await openCodec(name, threads, signal);
    const choice = `${codec.name}: as told`;
    return { ...opened, codec, choice, trials: [], close: closing(codec) };
  } catch (error) {
    await pool?.close();
    throw error;
  }
}

/** A GPU as a candidate: it works in a process of its own. */
export function gpuCandidate(): CodecCandidate {
  return {
    name: 'gpu',
    open: async (signal) => {
      const { startGpuProcess } = await import('@cairn/erasure-codec/gpu-process');
      return startGpuProcess({ signal });
    },
  };
}

async function openCodec(
  name: Exclude<CodecName, 'auto'>,
  threads: { readonly pool?: WorkerPool },
  signal: AbortSignal,
): Promise<CodecTools['codec']> {
  switch (name) {
    case 'reference':
      return referenceCodec();
    case 'gpu':
      return gpuCandidate().open(signal);
    case 'wasm':
      return loadWasmCodec({ build: 'strict', ...threads });
    case 'wasm-relaxed':
      return loadWasmCodec({ build: 'relaxed', ...threads });
  }
}

async function codecThreads(cores: number): Promise<WorkerPool> {
  const { createWorkerPool, siblingModule } = await import('@cairn/node-runtime/workers');
  return createWorkerPool({
    module: siblingModule('./codec-worker', import.meta.url),
    size: Math.min(MAX_THREADS, cores),
  });
}
