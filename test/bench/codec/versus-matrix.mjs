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
const into = new Uint8Array(shape.cosets * bytes);
const shards = Array.from({ length: dataShards }, (_, at) =>
  data.slice(at * shape.rowBytes, (at + 1) * shape.rowBytes),
);
report(
  await interleaved(
    {
      strict: () => strict.encode(data, shape, { signal, into }),
      relaxed: () => relaxed.encode(data, shape, { signal, into }),
      peer: async () => striped.encode(shards, parityShards, { signal }),
    },
    runs,
  ),
);
