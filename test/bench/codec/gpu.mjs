// The whole way of a blob on a GPU and on one core, COSETS BYTES RUNS, by the clock on the wall.
import { loadRowSuite } from '@cairn/commitments/rows';
import { commitMatrix, layoutOf, loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { startGpuProcess } from '@cairn/erasure-codec/gpu-process';
import { allowRelaxedSimd, chanceBytes, report } from './sampling.mjs';

const [cosets, bytes, runs] = process.argv.slice(2).map(Number);
allowRelaxedSimd();
const { signal } = new AbortController();
const layout = layoutOf(bytes, { cosets });
const data = chanceBytes(layout.dataRows * layout.rowBytes);
const suite = await loadRowSuite(0);
const combiner = await loadWasmCombiner();
const contenders = {
  gpu: await startGpuProcess({ signal }),
  wasm: await loadWasmCodec(),
};
const samples = { gpu: { scaled: [], raw: [] }, wasm: { scaled: [], raw: [] } };
const share = [0, 1, 2, layout.rows - 1];
for (let run = 0; run <= runs; run += 1) {
  for (const [name, codec] of Object.entries(contenders)) {
    const from = performance.now();
    const blob = await commitMatrix(data, layout, { codec, suite, combiner, signal });
    await blob.held.read(share, { signal });
    blob.held.release();
    const ms = performance.now() - from;
    if (run > 0) samples[name].raw.push(ms); // the first one warms up
  }
}
for (const codec of Object.values(contenders)) await codec.close();
report(samples);
