// Ours beside reed-solomon-erasure.wasm, DATA + PARITY shards of BYTES, RUNS times: the same work.
import { loadWasmCodec } from '@cairn/erasure-codec';
import { loadStripedCodec } from '@cairn/erasure-codec/striped';
import { allowRelaxedSimd, chanceBytes, interleaved, report, shapeOf } from './sampling.mjs';

const [dataShards, parityShards, bytes, runs] = process.argv.slice(2).map(Number);
allowRelaxedSimd();
const { signal } = new AbortController();
const strict = await loadWasmCodec({ build: 'strict' });
const relaxed = await loadWasmCodec({ build: 'relaxed' });
const striped = await loadStripedCodec();
const data = chanceBytes(bytes);
const shape = shapeOf(dataShards, parityShards / dataShards, bytes);
const own = {};
for (const [name, codec] of Object.entries({ strict, relaxed })) {
  own[name] = await codec.newMatrix(shape);
  own[name].data.set(data);
}
const shards = Array.from({ length: dataShards }, (_, at) =>
  data.slice(at * shape.rowBytes, (at + 1) * shape.rowBytes),
);
report(
  await interleaved(
    {
      strict: () => strict.encode(own.strict.data, shape, { signal, into: own.strict.parity }),
      relaxed: () => relaxed.encode(own.relaxed.data, shape, { signal, into: own.relaxed.parity }),
      peer: async () => striped.encode(shards, parityShards, { signal }),
    },
    runs,
  ),
);
