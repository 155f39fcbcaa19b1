import { isRecord } from '@cairn/primitives';
import { decodeBase64 } from '@cairn/wire-protocol';
import { SdkError } from '../errors.ts';
import type { KvChange } from './kv-feed-options.ts';

/** A key as Cairn's nodes tell it. */
export interface ToldKey {
  readonly key: Uint8Array;
  /** The log entry that wrote it. */
  readonly version: number;
  /** Bytes of the value; 0: deleted. */
  readonly size: number;
  /** The value, unless it was not asked for or is too long for an answer. */
  readonly data: Uint8Array | undefined;
}

/** What was told of a key, with its value where that was told. */
export function changeOf({ key, version, size, data }: ToldKey): KvChange {
  return { key, version, size, value: size === 0 ? undefined : data };
}

/** A page of keys at one version. */
export interface ToldPage {
  readonly version: number;
  readonly keys: readonly ToldKey[];
  /** For the next page; `undefined` behind the last. */
  readonly cursor: string | undefined;
}

/** The fields of an answer, or a fault that names the method. */
type Fields = Readonly<Record<string, unknown>>;

/** @throws {SdkError} SDK_KV_NODE */
export function pageOf(method: string, reply: Fields): ToldPage {
  const { cursor } = reply;
  if (cursor !== undefined && typeof cursor !== 'string') broken(method, 'cursor');
  const version = naturalOf(method, reply, 'version');
  return { version, keys: keysOf(method, reply, 'keys').filter(isTold), cursor };
}

/** Keys in the order of the answer; `undefined` for those that are not there. @throws {SdkError} SDK_KV_NODE */
export function keysOf(
  method: string,
  reply: Fields,
  field: string,
): readonly (ToldKey | undefined)[] {
  const list = reply[field];
  if (!Array.isArray(list)) broken(method, field);
  return list.map((told: unknown) => (told === null ? undefined : keyOf(method, told)));
}

/** @throws {SdkError} SDK_KV_NODE */
export function naturalOf(method: string, reply: Fields, field: string): number {
  const value = reply[field];
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : broken(method, field);
}

/** @throws {SdkError} SDK_KV_NODE */
export function bytesOf(method: string, reply: Fields, field: string): Uint8Array {
  const value = reply[field];
  return typeof value === 'string' ? decodeBase64(value) : broken(method, field);
}

function keyOf(method: string, told: unknown): ToldKey {
  const fields = isRecord(told) ? told : broken(method, 'key');
  return {
    key: bytesOf(method, fields, 'key'),
    version: naturalOf(method, fields, 'version'),
    size: naturalOf(method, fields, 'size'),
    data: fields['data'] === undefined ? undefined : bytesOf(method, fields, 'data'),
  };
}

function isTold(key: ToldKey | undefined): key is ToldKey {
  return key !== undefined;
}

function broken(method: string, field: string): never {
  throw new SdkError(
    { code: 'SDK_KV_NODE', method, failures: [] },
    `the key-value node answered ${method} without a readable ${field}`,
  );
}
