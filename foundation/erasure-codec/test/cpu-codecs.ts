import type { RowCombiner } from '../src/combination.ts';
import { scalarCombiner } from '../src/kernels/scalar-combiner.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import type { RowCodec } from '../src/row-codec.ts';
import { loadWasmCodec } from '../src/wasm/wasm-codec.ts';
import { loadWasmCombiner } from '../src/wasm/wasm-combiner.ts';
import { withRelaxed } from './relaxed-simd.ts';
import { NO_TURNS } from './support.ts';

/** A codec that runs on any CPU, and the combiner that goes with it. */
export interface CpuCodec {
  readonly codec: RowCodec;
  readonly combiner: RowCombiner;
}

/** The reference codec, the strict build and, where the engine has it, the relaxed one. */
export async function cpuCodecs(): Promise<readonly CpuCodec[]> {
  const relaxed = await withRelaxed(() => loaded('relaxed'));
  return [
    { codec: referenceCodec(NO_TURNS), combiner: scalarCombiner() },
    await loaded('strict'),
    ...(relaxed === undefined ? [] : [relaxed]),
  ];
}

async function loaded(build: 'strict' | 'relaxed'): Promise<CpuCodec> {
  return { codec: await loadWasmCodec({ build }), combiner: await loadWasmCombiner({ build }) };
}
