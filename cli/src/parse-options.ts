import type { ShardPlace } from '@cairn/client-sdk';
import {
  type Address,
  chainIdOf,
  fromHex,
  type Hex,
  isHexOf,
  MIN_FRAGMENT_BYTES,
  nextPowerOfTwo,
  parseAddress,
} from '@cairn/primitives';
import { usageError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  m: 2 ** 20,
  mib: 2 ** 20,
  g: 2 ** 30,
  gib: 2 ** 30,
  t: 2 ** 40,
  tib: 2 ** 40,
};

/** A byte count such as `4096`, `256KiB`, `64M` or `4GiB`; units are powers of 1,024. */
export function parseSize(text: string): number {
  const match = /^(\d{1,16})([a-z]{0,3})$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? '?').toLowerCase()];
  const size = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(size)) {
    throw usageError('size', `"${text}" is not a size; write for instance 4096, 256KiB or 4GiB`);
  }
  return size;
}

/** Largest size that has a power of two above it: 2^52. */
const MAX_FRAGMENT_BYTES = 2 ** 52;

/**
 * Where files are cut: a byte count from 1, as the power of two that the log takes for it, 256 at
 * least. Every command takes it from here, so that all of them speak of the same parts.
 */
export function parseFragmentSize(text: string): number {
  const size = parseSize(text);
  if (size < 1 || size > MAX_FRAGMENT_BYTES) {
    throw usageError('fragmentSize', `fragments of ${text} are not possible; 1 B to 4096 TiB are`);
  }
  return nextPowerOfTwo(Math.max(size, MIN_FRAGMENT_BYTES));
}

/** A whole number of at least `least`. */
export function parseCount(least: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count >= least)) {
      throw usageError('count', `"${text}" is not a whole number from ${least} up`);
    }
    return count;
  };
}

/** A whole number from `least` to `most`. */
export function parseCountTo(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = parseCount(least)(text);
    if (count <= most) return count;
    throw usageError('count', `${count} is too many: ${most} is the most`);
  };
}

/** A block's hash: 0x and 64 hex digits. */
export function parseBlockHash(text: string): Hex {
  if (isHexOf(text, 32)) return text;
  throw usageError('block', `"${text}" is not the hash of a block: 0x and 64 hex digits`);
}

/** What draws are made from: 0x and 64 hex digits, as 32 bytes. */
export function parseSeed(text: string): Uint8Array {
  if (isHexOf(text, 32)) return fromHex(text);
  throw usageError('seed', `"${text}" is not a seed: 0x and 64 hex digits`);
}

/** An account of a chain: 0x and 40 hex digits. */
export function parseAccount(text: string): Address {
  if (isHexOf(text.toLowerCase(), 20)) return parseAddress(text);
  throw usageError('account', `"${text}" is not an account: 0x and 40 hex digits`);
}

/** A TCP port, or 0 for any that is free. */
export function parsePort(text: string): number {
  const port = parseCount(0)(text);
  if (port > 65_535) throw usageError('port', `"${text}" is not a port; ports end at 65535`);
  return port;
}

/** The only value that `--port` takes: 0, any ports that are free. */
export function parseAnyPort(text: string): 0 {
  if (parsePort(text) === 0) return 0;
  throw usageError(
    'port',
    '--port takes 0 only: any free ports. For chosen ones give --base-port.',
  );
}

/** Which bytes: `from` and `to` are both included, as in HTTP; one of them may be missing. */
export interface RangeText {
  readonly from?: number;
  readonly to?: number;
}

/** `a-b`, `a-` or `-n`, bytes counted from 0 and both ends included, as in HTTP. */
export function parseRange(text: string): RangeText {
  const match = /^(\d{0,15})-(\d{0,15})$/.exec(text.trim());
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') throw badRange(text);
  const range = {
    ...(from === '' ? {} : { from: Number(from) }),
    ...(to === '' ? {} : { to: Number(to) }),
  };
  if (range.from !== undefined && range.to !== undefined && range.from > range.to) {
    throw badRange(text);
  }
  return range;
}

/** Offset and length of a range in a file. @throws {CliError} CLI_USAGE if it starts past the end */
export function resolveRange(
  { from, to }: RangeText,
  sizeBytes: number,
): { readonly offset: number; readonly length: number } {
  if (from === undefined) {
    const length = Math.min(to ?? 0, sizeBytes);
    return { offset: sizeBytes - length, length };
  }
  if (from >= sizeBytes) {
    throw usageError('range', `byte ${from} is past the end: the file has ${sizeBytes} bytes`);
  }
  return { offset: from, length: Math.min(to ?? sizeBytes - 1, sizeBytes - 1) - from + 1 };
}

/** A duration such as `500ms`, `30s` or `5m`; a bare number is seconds. In milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)?$/.exec(text.trim());
  const factors: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const durationMs = Number(match?.[1]) * (factors[match?.[2] ?? 's'] ?? Number.NaN);
  if (!(durationMs > 0)) {
    throw usageError('duration', `"${text}" is not a duration; write for instance 30s or 5m`);
  }
  return durationMs;
}

/** An http or https address, without a slash at its end. */
export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw usageError(
      'url',
      `"${text}" is not an address; write for instance http://127.0.0.1:5678`,
    );
  }
  return text.replace(/\/+$/, '');
}

/**
 * Where a consensus shard is: `31338=RPC,NODE,…`, with its number before the chain id where no hub tells it:
 * `1:31338=…`.
 */
export function parseShardPlace(text: string): ShardPlace {
  const match = /^(?:(\d{1,9}):)?(\d{1,15})=(.+)$/.exec(text.trim());
  const [rpc, ...nodes] = (match?.[3] ?? '').split(',').map((url) => url.trim());
  const chainId = Number(match?.[2]);
  if (match === null || rpc === undefined || !Number.isSafeInteger(chainId) || chainId < 1) {
    throw usageError(
      'shardPlace',
      `"${text}" is no place of a shard; write for instance 1:31338=http://127.0.0.1:8546,http://127.0.0.1:5681`,
    );
  }
  const shard = match[1];
  return {
    chainId: chainIdOf(chainId),
    ...(shard === undefined ? {} : { shard: Number(shard) }),
    rpc: parseUrl(rpc),
    nodes: nodes.map(parseUrl),
  };
}

/** Hex bytes after `0x`; anything else is taken as text, in UTF-8. */
export function parseTags(text: string): Uint8Array {
  if (/^0x([0-9a-f]{2})*$/i.test(text)) {
    return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  return new TextEncoder().encode(text);
}

/** Rows to leave out: so many by chance, as many as may be missing, or a whole coset. */
export type DropText =
  | { readonly kind: 'random'; readonly count: number | 'max' }
  | { readonly kind: 'coset'; readonly coset: number };

/** `random:N`, `random:max` or `coset:J`. */
export function parseDrop(text: string): DropText {
  const [, kind = '', value = ''] = /^(random|coset):(\d{1,9}|max)$/.exec(text.trim()) ?? [];
  if (kind === 'random') return { kind, count: value === 'max' ? value : Number(value) };
  if (kind === 'coset' && value !== 'max') return { kind, coset: Number(value) };
  throw usageError(
    'drop',
    `"${text}" names no rows; write random:100, random:max (all but as many as it takes) or coset:0`,
  );
}

function badRange(text: string): Error {
  return usageError(
    'range',
    `"${text}" is not a range; write 0-1023 (both ends included), 4096- or -512 for the last 512 bytes`,
  );
}

/** An amount in wei, as a whole decimal number. @throws {CliError} CLI_USAGE */
export function parseWei(text: string): bigint {
  if (/^\d{1,38}$/.test(text)) return BigInt(text);
  throw usageError('wei', `an amount is a whole number of wei, not ${JSON.stringify(text)}`);
}
