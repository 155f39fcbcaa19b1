// The steps of committing to a payload, with the faster build: COSETS BYTES RUNS, and a program of
// Leopard's if there is one.
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  commitMatrix,
  layoutOf,
  loadWasmCodec,
  loadWasmCombiner,
  MemoryRows,
  sliceOf,
  verifySlice,
} from '@cairn/erasure-codec';
import { allowRelaxedSimd, chanceBytes, interleaved, leopard, report } from './sampling.mjs';

const [cosets, bytes, runs] = process.argv.slice(2, 5).map(Number);
allowRelaxedSimd();
const { signal } = new AbortController();
const layout = layoutOf(bytes, { cosets });
const suite = await loadRowSuite(0);
const options = { codec: await loadWasmCodec(), combiner: await loadWasmCombiner(), suite, signal };
const { data, parity } = await options.codec.newMatrix(layout);
data.set(chanceBytes(data.length));
const reusing = { ...options, into: parity };
const held = await MemoryRows.encode(data, layout, reusing);
const blob = await commitMatrix(data, layout, reusing);
const coefficients = chanceBytes(layout.rowBytes * 16, 9);
const share = Array.from({ length: Math.round(2 ** 22 / layout.rowBytes) }, (_, index) => index);
const slice = await sliceOf(blob, share, { signal });
const expected = { commitment: blob.commitment, layout, rows: share };
for (let time = 0; time < 40; time += 1) verifySlice(slice, expected, options); // as in a holder
report(
  await interleaved(
    {
      ...leopard(process.argv[5], layout),
      hash: () => MemoryRows.of({ data, parity }, layout, options),
      combine: () => held.combine(coefficients, 'data', { signal }),
      commit: () => commitMatrix(data, layout, reusing),
      'verify 4 MiB, 8 times': async () => {
        for (let time = 0; time < 8; time += 1) verifySlice(slice, expected, options);
      },
    },
    runs,
  ),
);
