// Both builds of the codec: ROWS COSETS BYTES RUNS, and a program of Leopard's if there is one. Encoding in a codec's own memory and from and to
// memory elsewhere that was used before, and decoding from rows of chance.
import { loadWasmCodec } from '@cairn/erasure-codec';
import {
  allowRelaxedSimd,
  chanceBytes,
  interleaved,
  leopard,
  report,
  shapeOf,
} from './sampling.mjs';

const [rows, cosets, bytes, runs] = process.argv.slice(2, 6).map(Number);
allowRelaxedSimd();
const shape = shapeOf(rows, cosets, bytes);
const data = chanceBytes(bytes);
const into = new Uint8Array(cosets * bytes);
const decoded = new Uint8Array(bytes);
const { signal } = new AbortController();
const strict = await loadWasmCodec({ build: 'strict' });
const relaxed = await loadWasmCodec({ build: 'relaxed' });
await strict.encode(data, shape, { signal, into });
const parity = into.slice();
const some = Array.from({ length: rows }, (_, at) => (at * 7 + 3) % shape.rows).map((index) => {
  const matrix = index < rows ? data : parity;
  const at = (index < rows ? index : index - rows) * shape.rowBytes;
  return { index, bytes: matrix.subarray(at, at + shape.rowBytes) };
});
const contenders = leopard(process.argv[6], shape);
for (const [name, codec] of Object.entries({ strict, relaxed })) {
  const own = await codec.newMatrix(shape);
  own.data.set(data);
  contenders[`${name} encode`] = () => codec.encode(own.data, shape, { signal, into: own.parity });
  contenders[`${name} copied`] = () => codec.encode(data, shape, { signal, into });
  contenders[`${name} decode`] = () => codec.decode(some, shape, { signal, into: decoded });
}
report(await interleaved(contenders, runs));
