/** Part of a representation: bytes `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** What a `Range` header asks of `sizeBytes` bytes. */
export type RangeChoice =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

/** Digits a position may have; more could not be a safe integer. */
const MAX_DIGITS = 15;

/**
 * Reads a `Range` header (RFC 9110 §14): `bytes=a-b`, `bytes=a-` and `bytes=-n`.
 *
 * Several ranges, other units and malformed text are ignored, as the RFC allows: the whole is sent.
 */
export function chooseRange(header: string | undefined, sizeBytes: number): RangeChoice {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null) return { kind: 'whole' };
  const [, from = '', to = ''] = match;
  if (from.length > MAX_DIGITS || to.length > MAX_DIGITS || (from === '' && to === '')) {
    return { kind: 'whole' };
  }
  if (from === '') {
    const count = Math.min(Number(to), sizeBytes);
    if (count === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', range: { first: sizeBytes - count, last: sizeBytes - 1 } };
  }
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < first) return { kind: 'whole' };
  if (first >= sizeBytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', range: { first, last } };
}

/** Whether an `If-None-Match` header names `etag` (quoted), weakly compared (RFC 9110 §8.8.3.2). */
export function namesEtag(header: string, etag: string): boolean {
  return tagsIn(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** Whether an `If-Match` header names `etag` (quoted, strong), strongly compared: weak tags never do. */
export function namesEtagStrongly(header: string, etag: string): boolean {
  return tagsIn(header).some((tag) => tag === '*' || tag === etag);
}

function tagsIn(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}
