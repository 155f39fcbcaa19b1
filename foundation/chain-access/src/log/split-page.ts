import type { Page } from './read-page.ts';

/** Entries of one step: a store writes a step in one batch. */
const MAX_STEP_ENTRIES = 1000;

/**
 * Cuts a page between blocks so that no part has more than 1,000 entries.
 *
 * A block is never cut, since a part holds all entries up to its mark; a block with more than 1,000
 * entries (beyond 150 million gas) is a part of its own.
 */
export function splitPage({ through, entries }: Page): Page[] {
  const parts: Page[] = [];
  let start = 0;
  while (entries.length - start > MAX_STEP_ENTRIES) {
    let end = start + MAX_STEP_ENTRIES;
    const border = entries[end]?.block.number;
    while (end > start && entries[end - 1]?.block.number === border) end -= 1;
    if (end === start) {
      while (entries[end]?.block.number === border) end += 1; // one block alone is larger
    }
    const last = entries[end - 1];
    if (last === undefined || end >= entries.length) break;
    parts.push({ through: last.block, entries: entries.slice(start, end) });
    start = end;
  }
  return [...parts, { through, entries: entries.slice(start) }];
}
