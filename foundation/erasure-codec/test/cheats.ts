import type { RowSuite } from '@cairn/commitments/rows';
import { dataMatrix } from '../src/blob-matrix.ts';
import { commitMatrix } from '../src/commitment.ts';
import type { BlobLayout } from '../src/layout.ts';
import { flipped, forge, inMemory, type MemoryBlob, optionsOf } from './blob-support.ts';
import { bytesOf, signal } from './support.ts';

/** Every choice of `size` items. */
export function* subsetsOf<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield [];
  else {
    for (let at = from; at <= items.length - size; at += 1) {
      for (const rest of subsetsOf(items, size - 1, at + 1)) yield [items[at] as T, ...rest];
    }
  }
}

/** Blobs whose maker cheated, each in another way, with the same layout. */
export async function cheats(
  layout: BlobLayout,
  suite: RowSuite,
): Promise<readonly (readonly [string, MemoryBlob])[]> {
  const options = optionsOf(suite);
  const payload = bytesOf(layout.payloadBytes, 1);
  const data = dataMatrix(payload, layout);
  const parity = await options.codec.encode(data, layout, { signal });
  const other = dataMatrix(bytesOf(layout.payloadBytes, 2), layout);
  const otherParity = await options.codec.encode(other, layout, { signal });
  const mixed = parity.slice();
  for (let at = 0; at < mixed.length; at += 2 * layout.rowBytes) {
    mixed.set(otherParity.subarray(at, at + layout.rowBytes), at);
  }
  const rowBits = 8 * layout.rowBytes;
  const lastRowBit = (layout.dataRows - 1) * rowBits;
  const lastBit = 8 * data.length - 1;
  return [
    [
      'a changed parity row',
      await forge({ data, parity: flipped(parity, rowBits + 9) }, layout, suite),
    ],
    [
      'a changed data row',
      await forge({ data: flipped(data, lastRowBit + 1), parity }, layout, suite),
    ],
    ['parity of another payload', await forge({ data, parity: otherParity }, layout, suite)],
    [
      'every other parity row of another payload',
      await forge({ data, parity: mixed }, layout, suite),
    ],
    ['rows of chance', await forge({ data, parity: bytesOf(parity.length, 3) }, layout, suite)],
    [
      'a wrong combination',
      await forge({ data, parity }, layout, suite, (combinations) => {
        combinations[40] = (combinations[40] ?? 0) ^ 1;
      }),
    ],
    [
      'combinations that are all wrong',
      await forge({ data, parity }, layout, suite, (combinations) => combinations.fill(7)),
    ],
    [
      'a codeword with bytes after the payload',
      inMemory(await commitMatrix(flipped(data, lastBit), layout, options)),
    ],
    [
      'a codeword with another header',
      inMemory(await commitMatrix(flipped(data, 8), layout, options)),
    ],
  ];
}
