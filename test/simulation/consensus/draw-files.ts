import { readFile } from 'node:fs/promises';
import { parseJson } from '@cairn/primitives';
import type { DrawnShare } from './margins.ts';

/** Where the draws of many epochs are kept: making them takes a minute of CPU time. */
export const DRAWS: URL = new URL('draws.json', import.meta.url);

/** What was drawn for one count of signers. */
export interface KeptDraws {
  readonly signers: number;
  readonly epochs: number;
  readonly shares: readonly DrawnShare[];
  /** The same of the first epochs alone, which are quickly drawn again. */
  readonly first: { readonly epochs: number; readonly shares: readonly DrawnShare[] };
}

/** What `draw-epochs.ts` wrote. */
export async function readDraws(): Promise<readonly KeptDraws[]> {
  return parseJson(await readFile(DRAWS, 'utf8')) as unknown as readonly KeptDraws[]; // our own script's
}
