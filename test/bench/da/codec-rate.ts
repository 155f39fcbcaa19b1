import { loadRowSuite } from '@cairn/commitments/rows';
import { commitBlob, loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { DEVNET_CONSENSUS } from '@cairn/primitives';
import { contentBytes } from '../../support/content.ts';

const RUNS = 3;
const MB = 1e6;

/** MB a CPU-second of the codec alone, as nodes load it: encode, hash, combine. Run by run, warm. */
export async function codecRates(bytes: number): Promise<readonly number[]> {
  const payload = contentBytes(bytes, 77);
  const { signal } = new AbortController();
  const { cosets, minDataRows } = DEVNET_CONSENSUS;
  const layout = { cosets, minLog2K: Math.log2(minDataRows) };
  const parts = {
    codec: await loadWasmCodec(),
    suite: await loadRowSuite(0),
    combiner: await loadWasmCombiner(),
    signal,
  };
  await commitBlob(payload, layout, parts);
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.cpuUsage();
    await commitBlob(payload, layout, parts);
    const { user, system } = process.cpuUsage(before);
    rates.push(bytes / MB / ((user + system) / 1e6));
  }
  return rates;
}
