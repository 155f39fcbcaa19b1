// How the codec's contenders are timed: CPU time, interleaved, each sample beside a loop of fixed work.
import { execFileSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';

/** Node 20 has relaxed SIMD behind a flag; later ones without. */
export function allowRelaxedSimd() {
  if (Number(process.versions.node.split('.')[0]) < 22) {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  }
}

/** CPU milliseconds of a loop that never changes: what the core is worth at the moment. */
function calibrationMs() {
  const before = process.cpuUsage();
  let state = 1;
  for (let turn = 0; turn < 2e7; turn += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  if (state === 0) throw new Error('the generator never reaches zero');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Times contenders in turns.
 *
 * @param contenders - `{ name: work }`; each piece of work is run once before to warm up. One that is
 *   done by another process gives its CPU milliseconds itself
 * @returns for each name CPU milliseconds by run, scaled as if the core had always been as fast as
 *   in its best calibration loop, and the raw ones
 */
export async function interleaved(contenders, runs) {
  for (const work of Object.values(contenders)) await work();
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [name, work] of Object.entries(contenders)) {
      const loopBefore = calibrationMs();
      const before = process.cpuUsage();
      const elsewhere = await work();
      const { user, system } = process.cpuUsage(before);
      samples[name].push({
        ms: typeof elsewhere === 'number' ? elsewhere : (user + system) / 1000,
        loopMs: (loopBefore + calibrationMs()) / 2,
      });
    }
  }
  const best = Math.min(
    ...Object.values(samples).flatMap((all) => all.map(({ loopMs }) => loopMs)),
  );
  return Object.fromEntries(
    Object.entries(samples).map(([name, all]) => [
      name,
      { scaled: all.map(({ ms, loopMs }) => (ms * best) / loopMs), raw: all.map(({ ms }) => ms) },
    ]),
  );
}

/**
 * Leopard as a contender: what a benchmark program of its own prints for `cosets` recovery pieces to
 * each original one. Without a program there is no contender.
 */
export function leopard(program, { dataRows, cosets, rowBytes }) {
  if (!program) return {};
  const args = [dataRows, cosets * dataRows, rowBytes, 1].map(String);
  const encode = () => {
    const text = execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 });
    const speed = /Encoder.*?Input=([\d.]+)\s*MB\/s/.exec(text)?.[1];
    if (speed === undefined) throw new Error(`${program} ${args.join(' ')} gave no speed: ${text}`);
    return (dataRows * rowBytes) / 1000 / Number(speed);
  };
  return { leopard: encode };
}

/** Bytes of chance, the same each time. */
export function chanceBytes(length, seed = 1) {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  let state = seed;
  for (let at = 0; at < words.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return bytes;
}

/** The shape of a matrix of `bytes`. */
export function shapeOf(dataRows, cosets, bytes) {
  return {
    log2K: Math.log2(dataRows),
    dataRows,
    cosets,
    rows: dataRows * (1 + cosets),
    rowBytes: bytes / dataRows,
  };
}

/** Prints what the bench reads. */
export function report(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
