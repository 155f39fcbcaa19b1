import {
  ACCESS_OP,
  type AccessOp,
  BatchBuilder,
  parseStreamId,
  type StreamId,
} from '@cairn/kv-layer';
import {
  type Address,
  compareBytes,
  isFault,
  MAX_KEY_BYTES,
  retry,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { encodeBase64 } from '@cairn/wire-protocol';
import { SdkError } from '../errors.ts';
import { KvLane, type KvLaneDeps } from './kv-lane.ts';
import type {
  KvAccess,
  KvBytes,
  KvCall,
  KvClient,
  KvCommit,
  KvEntry,
  KvRange,
  KvReadOptions,
  KvStream,
  KvUpdate,
  KvUpdateOptions,
  KvValue,
} from './kv-options.ts';

/** Tries of an update in all, unless told. */
const UPDATE_TRIES = 8;
/** Pause after the first conflict; it doubles. */
const CONFLICT_MS = 50;

/** Keys and values over nodes that answer `kv_*` calls, and files that carry what is written. */
export class NetworkKv implements KvClient {
  readonly #deps: KvLaneDeps;
  readonly #lane: KvLane;

  constructor(deps: KvLaneDeps) {
    this.#deps = deps;
    this.#lane = new KvLane(deps);
  }

  stream(id: string): KvStream {
    return new NetworkStream(parseStreamId(id), this.#deps, this.#lane);
  }

  async update(
    change: (update: KvUpdate) => void | Promise<void>,
    { signal = new AbortController().signal, tries = UPDATE_TRIES }: KvUpdateOptions = {},
  ): Promise<KvCommit> {
    const attempt = async (): Promise<KvCommit> => {
      const version = Math.max(0, (await this.nextSequence({ signal })) - 1);
      const update = new PinnedUpdate(version, this.#deps, signal);
      await change(update);
      if (update.batch.isEmpty) {
        throw new SdkError({ code: 'SDK_OPTION', option: 'change' }, 'the update changed nothing');
      }
      return this.#lane.writeAlone(update.batch, signal);
    };
    const isRetryable = (error: unknown): boolean => isFault(error, 'SDK_KV_CONFLICT');
    const { clock } = this.#deps;
    return retry(attempt, { clock, signal, attempts: tries, delayMs: CONFLICT_MS, isRetryable });
  }

  async batch(
    build: (batch: BatchBuilder) => void,
    { signal = new AbortController().signal }: KvCall = {},
  ): Promise<KvCommit> {
    const batch = new BatchBuilder();
    build(batch);
    return this.#lane.writeAlone(batch, signal);
  }

  nextSequence({ signal = new AbortController().signal }: KvCall = {}): Promise<number> {
    return this.#deps.node.nextSequence({ signal });
  }

  streams({ signal = new AbortController().signal }: KvCall = {}): Promise<readonly StreamId[]> {
    return this.#deps.node.streams({ signal });
  }

  close(): void {
    this.#lane.close();
  }
}

/** Reads pinned to one version; what is read is guarded, what is put is read back. */
class PinnedUpdate implements KvUpdate {
  readonly version: number;
  readonly batch: BatchBuilder;
  readonly #deps: Pick<KvLaneDeps, 'node'>;
  readonly #signal: AbortSignal;
  readonly #put = new Map<string, Uint8Array | undefined>();

  constructor(version: number, deps: Pick<KvLaneDeps, 'node'>, signal: AbortSignal) {
    this.version = version;
    this.batch = new BatchBuilder(BigInt(version));
    this.#deps = deps;
    this.#signal = signal;
  }

  async get(stream: StreamId, key: KvBytes): Promise<Uint8Array | undefined> {
    const bytes = keyBytes(key);
    const name = stream + toHex(bytes);
    if (this.#put.has(name)) return this.#put.get(name);
    const { version } = this;
    const found = await this.#deps.node.value(stream, bytes, { version, signal: this.#signal });
    this.batch.read(stream, bytes);
    return found?.value;
  }

  put(stream: StreamId, key: KvBytes, value: KvBytes): void {
    const bytes = keyBytes(key);
    const data = valueBytes(value);
    this.batch.put(stream, bytes, data);
    this.#put.set(stream + toHex(bytes), data);
  }

  delete(stream: StreamId, key: KvBytes): void {
    const bytes = keyBytes(key);
    this.batch.delete(stream, bytes);
    this.#put.set(stream + toHex(bytes), undefined);
  }
}

class NetworkStream implements KvStream {
  readonly id: StreamId;
  readonly access: KvAccess;
  readonly #deps: KvLaneDeps;
  readonly #lane: KvLane;

  constructor(id: StreamId, deps: KvLaneDeps, lane: KvLane) {
    this.id = id;
    this.#deps = deps;
    this.#lane = lane;
    this.access = accessOf(id, deps, lane);
  }

  async get(
    key: KvBytes,
    { version, signal = new AbortController().signal }: KvReadOptions = {},
  ): Promise<KvValue | undefined> {
    return this.#deps.node.value(this.id, keyBytes(key), { version, signal });
  }

  async put(
    key: KvBytes,
    value: KvBytes,
    { signal = new AbortController().signal }: KvCall = {},
  ): Promise<KvCommit> {
    const [name, data] = [keyBytes(key), valueBytes(value)];
    const bytes = name.length + data.length;
    const add = (batch: BatchBuilder): unknown => batch.put(this.id, name, data);
    return this.#lane.write(this.id, { bytes, add }, signal);
  }

  async delete(
    key: KvBytes,
    { signal = new AbortController().signal }: KvCall = {},
  ): Promise<KvCommit> {
    const name = keyBytes(key);
    const add = (batch: BatchBuilder): unknown => batch.delete(this.id, name);
    return this.#lane.write(this.id, { bytes: name.length, add }, signal);
  }

  async *scan(range: KvRange = {}): AsyncGenerator<KvEntry, void, void> {
    const { node } = this.#deps;
    const { reverse = false, keysOnly = false, limit = Number.POSITIVE_INFINITY } = range;
    const signal = range.signal ?? new AbortController().signal;
    const version = range.version ?? (await node.nextSequence({ signal })) - 1;
    if (version < 0) return; // nothing is decided yet
    const { from, to } = boundsOf(range);
    const isInside = (key: Uint8Array): boolean =>
      reverse
        ? from === undefined || compareBytes(key, from) >= 0
        : to === undefined || compareBytes(key, to) < 0;
    let key = reverse ? to : from;
    let isInclusive = !reverse; // the key behind the last one is not in the range
    for (let count = 0; count < limit; count += 1) {
      const direction = reverse ? 'prev' : 'next';
      const options = { isInclusive, keysOnly, signal, version };
      const found = await node.neighbour(this.id, key, direction, options);
      if (found === undefined || !isInside(found.key)) return;
      const value = keysOnly
        ? new Uint8Array(0)
        : await node.rest(this.id, found.key, found, { signal });
      yield { key: found.key, value, version: found.version };
      ({ key } = found);
      isInclusive = false;
    }
  }
}

/** The first key of a range and the one behind its last. */
function boundsOf({ prefix, gte, lt }: KvRange): {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
} {
  const begin = prefix === undefined || prefix.length === 0 ? undefined : bytesOf(prefix);
  const lowest = [begin, gte === undefined ? undefined : bytesOf(gte)].filter(isGiven);
  const highest = [
    begin === undefined ? undefined : behind(begin),
    lt === undefined ? undefined : bytesOf(lt),
  ].filter(isGiven);
  const from = lowest.toSorted(compareBytes).at(-1);
  return {
    from: from?.length === 0 ? undefined : from,
    to: highest.toSorted(compareBytes)[0],
  };
}

function isGiven(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined;
}

/** The first key that does not begin with `prefix`; `undefined` if all others come before it. */
function behind(prefix: Uint8Array): Uint8Array | undefined {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at -= 1) {
    const byte = next[at] ?? 0;
    if (byte === 0xff) continue;
    next[at] = byte + 1;
    return next.subarray(0, at + 1);
  }
  return undefined;
}

function accessOf(stream: StreamId, { node }: KvLaneDeps, lane: KvLane): KvAccess {
  const never = new AbortController().signal;
  const grant = async (
    op: AccessOp,
    fields: { readonly account?: Address; readonly key?: KvBytes },
    { signal = never }: KvCall = {},
  ): Promise<KvCommit> => {
    const { account, key } = fields;
    const name = key === undefined ? undefined : keyBytes(key);
    const control = {
      op,
      stream,
      ...(account === undefined ? {} : { account }),
      ...(name === undefined ? {} : { key: name }),
    };
    return lane.writeAlone(new BatchBuilder().control(control), signal);
  };
  const ask = (
    method: string,
    params: readonly string[],
    { version, signal = never }: KvReadOptions = {},
  ): Promise<boolean> => node.role(method, params, { version, signal });
  const nameOf = (key: KvBytes): string => encodeBase64(keyBytes(key));
  return {
    grantAdmin: (account, call) => grant(ACCESS_OP.grantAdmin, { account }, call),
    renounceAdmin: (call) => grant(ACCESS_OP.renounceAdmin, {}, call),
    grantWriter: (account, call) => grant(ACCESS_OP.grantWriter, { account }, call),
    revokeWriter: (account, call) => grant(ACCESS_OP.revokeWriter, { account }, call),
    renounceWriter: (call) => grant(ACCESS_OP.renounceWriter, {}, call),
    setKeyToSpecial: (key, call) => grant(ACCESS_OP.setKeyToSpecial, { key }, call),
    setKeyToNormal: (key, call) => grant(ACCESS_OP.setKeyToNormal, { key }, call),
    grantSpecialWriter: (key, account, call) =>
      grant(ACCESS_OP.grantSpecialWriter, { key, account }, call),
    revokeSpecialWriter: (key, account, call) =>
      grant(ACCESS_OP.revokeSpecialWriter, { key, account }, call),
    renounceSpecialWriter: (key, call) => grant(ACCESS_OP.renounceSpecialWriter, { key }, call),
    // Official nodes are asked by the name that official clients use for it.
    isAdmin: (account, options) => ask('kv_isAdmin', [account, stream], options),
    isWriter: (account, options) => ask('kv_isWriterOfStream', [account, stream], options),
    isSpecialKey: (key, options) => ask('kv_isSpecialKey', [stream, nameOf(key)], options),
    isSpecialWriter: (account, key, options) =>
      ask('kv_isWriterOfKey', [account, stream, nameOf(key)], options),
    mayWrite: (account, key, options) =>
      ask('kv_hasWritePermission', [account, stream, nameOf(key)], options),
  };
}

function bytesOf(bytes: KvBytes): Uint8Array {
  return typeof bytes === 'string' ? utf8Bytes(bytes) : bytes;
}

/** @throws {SdkError} SDK_OPTION */
function keyBytes(key: KvBytes): Uint8Array {
  const bytes = bytesOf(key);
  if (bytes.length > 0 && bytes.length <= MAX_KEY_BYTES) return bytes;
  throw new SdkError(
    { code: 'SDK_OPTION', option: 'key' },
    `a key has 1 to ${MAX_KEY_BYTES} bytes, not ${bytes.length}`,
  );
}

/** @throws {SdkError} SDK_OPTION */
function valueBytes(value: KvBytes): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length > 0) return bytes;
  throw new SdkError(
    { code: 'SDK_OPTION', option: 'value' },
    'a value of no byte would delete the key: say delete',
  );
}
