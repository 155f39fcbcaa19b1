import { readFileSync } from 'node:fs';
import { fromHex, parseAddress } from '@cairn/primitives';
import { type AccessOp, isAccessOp } from '../../src/batch/access-op.ts';
import type { AccessControl, StreamKey, StreamWrite } from '../../src/batch/stream-batch.ts';
import { parseStreamId } from '../../src/stream-id.ts';

/** A batch as the official client made it. */
export interface EncodingVector {
  readonly name: string;
  readonly version?: string;
  readonly reads?: readonly { readonly streamId: string; readonly key: string }[];
  readonly writes?:
    | readonly { readonly streamId: string; readonly key: string; readonly data: string }[]
    | { readonly count: number };
  readonly controls?: readonly {
    readonly type: number;
    readonly streamId: string;
    readonly key?: string;
    readonly account?: string;
  }[];
  readonly length: number;
  readonly hex?: string;
  readonly sha256?: string;
  readonly head256?: string;
  readonly tags: string;
  readonly log?: { readonly dataRoot: string };
}

/** What is asked after a step of a replay, in the words of the vectors. */
export interface ReplayCheck {
  readonly call?: string;
  readonly version?: number;
  readonly size?: number;
  readonly data?: string;
  readonly [role: string]: unknown;
}

/** A log entry and the result every node gives it. */
export interface ReplayStep {
  readonly seq: number;
  readonly sender: string;
  readonly tags: string;
  readonly blob: string;
  readonly result: string | null;
  readonly why?: string;
  readonly then?: readonly ReplayCheck[];
}

/** Known answers of the key-value layer, with their source in `meta`. */
export interface KvVectors {
  readonly encoding: readonly EncodingVector[];
  readonly quirks: readonly {
    readonly what: string;
    readonly blob?: string;
    readonly tags?: string;
  }[];
  readonly goBuilderVector: {
    readonly length: number;
    readonly hex: string;
    readonly tags: string;
  };
  readonly replay: readonly {
    readonly name: string;
    readonly watchedStreams: readonly string[];
    readonly steps: readonly ReplayStep[];
  }[];
  readonly iterator: {
    readonly cases: readonly { readonly call: string; readonly key: string | null }[];
  };
}

/** The known answers in `test/vectors/kv.json`. */
export function kvVectors(): KvVectors {
  const path = new URL('../../../test/vectors/kv.json', import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as KvVectors;
}

/** Byte i is (7 i + 3) mod 251, as the vectors say. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (7 * index + 3) % 251;
  return bytes;
}

export function vectorReads({ reads = [] }: EncodingVector): StreamKey[] {
  return reads.map(({ streamId, key }) => ({ stream: parseStreamId(streamId), key: fromHex(key) }));
}

/** The writes of a vector; those of big ones are made by their rule. */
export function vectorWrites({ name, writes }: EncodingVector): StreamWrite[] {
  if (name === 'max-key') {
    const stream = parseStreamId(`0x${'0'.repeat(63)}6`);
    return [{ stream, key: pattern(2 ** 24 - 1), value: Buffer.from('v') }];
  }
  if (writes === undefined) return [];
  if ('count' in writes) {
    const stream = parseStreamId(`0x${'0'.repeat(63)}5`);
    return Array.from({ length: writes.count }, (_, index) => ({
      stream,
      key: Buffer.from(`key-${String(index).padStart(4, '0')}`),
      value: Buffer.from(`value-${index}`),
    }));
  }
  return writes.map(({ streamId, key, data }) => ({
    stream: parseStreamId(streamId),
    key: fromHex(key),
    value: fromHex(data),
  }));
}

export function vectorControls({ controls = [] }: EncodingVector): AccessControl[] {
  return controls.map(({ type, streamId, key, account }) => ({
    op: requireOp(type),
    stream: parseStreamId(streamId),
    ...(key === undefined ? {} : { key: fromHex(key) }),
    ...(account === undefined ? {} : { account: parseAddress(account) }),
  }));
}

export function requireOp(code: number): AccessOp {
  if (isAccessOp(code)) return code;
  throw new RangeError(`${code} is no op code`);
}
