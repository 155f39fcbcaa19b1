import { readFile } from 'node:fs/promises';
import { parseJson } from '@cairn/primitives';
import type { ScaleRow } from './scale-model.ts';

/** Where the fitted tables are. */
export const SCALE_DOCUMENT: URL = new URL('../../docs/scale.md', import.meta.url);
const ROWS = new URL('scale-rows.jsonl', import.meta.url);

/** What was measured: lines that `measure-scale.ts` wrote. */
export async function readRows(): Promise<readonly ScaleRow[]> {
  const lines = (await readFile(ROWS, 'utf8')).trim().split('\n');
  return lines.map((line) => parseJson(line) as unknown as ScaleRow); // our own script's lines
}
