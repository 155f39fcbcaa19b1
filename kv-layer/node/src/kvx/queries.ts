import {
  type ScannedKey,
  type ScanPage,
  StateProofs,
  StreamScans,
  signedRootJson,
} from '@cairn/kv-layer';
import { type Clock, type Json, MAX_VALUE_SLICE_BYTES, sequenceOf, toHex } from '@cairn/primitives';
import type { Answers } from '../answers.ts';
import type { RootAttester } from '../attest/root-attester.ts';
import { KvNodeError } from '../errors.ts';
import type { Notice } from '../notice.ts';
import type { KvxRequest } from './requests.ts';

/** What questions are answered from. */
export interface QueriesDeps {
  readonly answers: Answers;
  readonly attester: Pick<RootAttester, 'attest'>;
  /** Rings after entries were applied. */
  readonly replayed: Notice;
  readonly clock: Clock;
}

/** A question: what is asked, until when. */
export type Query = (
  request: KvxRequest,
  options: { readonly signal: AbortSignal },
) => Promise<Json>;

/** The longest that a read waits for an entry, and how long unless told. */
const MAX_WAIT_MS = 60_000;
const WAIT_MS = 10_000;

/**
 * What this node answers beyond the official one: the same by JSON-RPC (`kvx_*`) and as HTTP routes.
 * Every question takes `minSequence`, and then waits until that entry is decided: whoever knows the
 * entry of a write reads that write or something newer.
 */
export class Queries {
  readonly #deps: QueriesDeps;

  constructor(deps: QueriesDeps) {
    this.#deps = deps;
  }

  /** Keys and values in order. @throws {StateError} as `StreamScans.scan` */
  readonly scan: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const page = await this.#scans.scan(request.stream(), {
      ...given('from', request.bytes('gte')),
      ...given('to', request.bytes('lt')),
      ...given('prefix', request.bytes('prefix')),
      ...given('limit', request.natural('limit')),
      ...given('maxBytes', request.natural('maxBytes')),
      ...given('version', request.natural('version')),
      ...given('cursor', request.bytes('cursor')),
      isReverse: request.flag('reverse'),
      isKeysOnly: request.flag('keysOnly'),
      signal,
    });
    return pageJson(page);
  };

  /** Many keys at one version. @throws {StateError} as `StreamScans.multiGet` */
  readonly multiGet: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const { version, keys } = await this.#scans.multiGet(
      request.stream(),
      request.keys('keys') ?? [],
      { ...given('version', request.natural('version')), signal },
    );
    return { version, keys: keys.map((found) => (found === undefined ? null : keyJson(found))) };
  };

  /** A part of a value, as `kv_getValue` gives it: whatever the stream says of expiry. @throws {StateError} as `StreamReads.value` */
  readonly value: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const key = request.requireBytes('key');
    const { version, bytes, valueBytes } = await this.#deps.answers.reads.value(
      request.stream(),
      key,
      {
        start: request.natural('start') ?? 0,
        length: request.natural('length') ?? MAX_VALUE_SLICE_BYTES,
        ...given('version', request.natural('version')),
        signal,
      },
    );
    return { version, data: base64Of(bytes), size: valueBytes };
  };

  /** What changed after one version, up to another. @throws {StateError} as `StreamScans.difference` */
  readonly difference: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const page = await this.#scans.difference(request.stream(), {
      since: request.requireNatural('since'),
      ...given('limit', request.natural('limit')),
      ...given('version', request.natural('version')),
      ...given('cursor', request.bytes('cursor')),
      signal,
    });
    return pageJson(page);
  };

  /** Versions of a key, newest first. @throws {StateError} as `StreamScans.history` */
  readonly history: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const versions = await this.#scans.history(request.stream(), request.requireBytes('key'), {
      ...given('limit', request.natural('limit')),
      ...given('version', request.natural('version')),
      isKeysOnly: request.flag('keysOnly'),
      signal,
    });
    return { versions: versions.map(keyJson) };
  };

  /**
   * Keys by a field of their values, through an index that the stream declares. A page after the first
   * is asked for with its version and cursor.
   *
   * @throws {StateError} as `SecondaryIndexes.find`
   */
  readonly find: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const page = await this.#deps.answers.indexes.find({
      stream: request.stream(),
      name: request.requireText('index'),
      ...given('from', request.field('from')),
      ...given('through', request.field('through')),
      ...given('limit', request.natural('limit')),
      ...given('version', request.natural('version')),
      ...given('cursor', request.bytes('cursor')),
      signal,
    });
    return pageJson(page);
  };

  /**
   * Proves keys, their absence, or that a range has no others, under the stream's state root; values
   * are read with `kv_getValue` at the version and checked against their digests. A range that `limit`
   * cuts is proven up to `through`, itself included, or from there on if it is asked for in reverse.
   *
   * @throws {StateError} as `StateProofs.prove`
   */
  readonly proof: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const from = request.bytes('gte');
    const to = request.bytes('lt');
    const isRange = from !== undefined || to !== undefined;
    const range = {
      from: from ?? new Uint8Array(0),
      ...given('to', to),
      ...given('limit', request.natural('limit')),
      isReverse: request.flag('reverse'),
    };
    const proofs = new StateProofs(this.#deps.answers.state);
    const { version, stateRoot, rootSequence, proof, through } = await proofs.prove(
      request.stream(),
      {
        ...given('keys', request.keys('keys')),
        ...given('table', request.word('table', ['keys', 'roles'] as const)),
        ...(isRange ? { range } : {}),
      },
      { ...given('version', request.natural('version')), signal },
    );
    return {
      version,
      stateRoot: toHex(stateRoot),
      rootSequence,
      proof: base64Of(proof),
      ...(through === undefined ? {} : { through: base64Of(through) }),
    };
  };

  /** The state root of a stream at a version, and since when it is that. */
  readonly root: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const { state, reads } = this.#deps.answers;
    const stream = request.stream();
    const asked = { ...given('version', request.natural('version')), signal };
    return reads.steady(asked, async (version) => {
      const root = await state.tables.rootAt(stream, version, signal);
      return {
        version,
        domain: toHex(state.domain),
        stateRoot: root === undefined ? null : toHex(root.stateRoot),
        rootSequence: root?.sequence ?? null,
        keys: root?.keyCount ?? 0,
        roles: root?.roleCount ?? 0,
      };
    });
  };

  /** The state root of a stream at a version, signed. @throws as `RootAttester.attest` */
  readonly statement: Query = async (request, { signal }) => {
    await this.#awaited(request, signal);
    const signed = await this.#deps.attester.attest(request.stream(), {
      ...given('version', request.natural('version')),
      signal,
    });
    return signedRootJson(signed);
  };

  /** Entries that were given up, ascending; at most `limit` from `from` on. */
  readonly holes: Query = async (request, { signal }) => {
    const from = request.natural('from');
    const limit = Math.min(request.natural('limit') ?? MAX_HOLES, MAX_HOLES);
    const { state } = this.#deps.answers;
    const holes = await state.holes({
      ...given('from', from === undefined ? undefined : sequenceOf(from)),
      limit,
      signal,
    });
    return { total: state.holeCount, holes };
  };

  /**
   * Waits until an entry is decided.
   *
   * @throws {KvNodeError} KV_NOT_YET after `waitMs`; the signal's reason
   */
  async awaitSequence(sequence: number, waitMs: number, signal: AbortSignal): Promise<void> {
    const { answers, replayed, clock } = this.#deps;
    const untilMs = clock.monotonic() + Math.min(waitMs, MAX_WAIT_MS);
    for (;;) {
      const news = replayed.next;
      const next = answers.state.nextSequence;
      if (next > sequence) return;
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0) {
        throw new KvNodeError(
          { code: 'KV_NOT_YET', wanted: sequence, next },
          `entry ${sequence} is not decided yet: entry ${next} is next, and ${Math.round(waitMs)} ms are over`,
        );
      }
      const over = new AbortController();
      const inner = AbortSignal.any([signal, over.signal]);
      const timer = clock.sleep(leftMs, inner);
      timer.catch(() => undefined); // ended below
      try {
        await Promise.race([news, timer]);
        signal.throwIfAborted();
      } finally {
        over.abort(new Error('something else came first'));
      }
    }
  }

  get #scans(): StreamScans {
    const { state, reads } = this.#deps.answers;
    return new StreamScans(state, reads);
  }

  async #awaited(request: KvxRequest, signal: AbortSignal): Promise<void> {
    const sequence = request.natural('minSequence');
    if (sequence === undefined) return;
    await this.awaitSequence(sequence, request.natural('waitMs') ?? WAIT_MS, signal);
  }
}

/** Holes of one answer. */
const MAX_HOLES = 1000;

function pageJson({ version, keys, cursor }: ScanPage): Json {
  return {
    version,
    keys: keys.map(keyJson),
    ...(cursor === undefined ? {} : { cursor: base64Of(cursor) }),
  };
}

/** A key as JSON: `data` is left out where only keys were asked for, or the value is too long. */
export function keyJson({ key, version, valueBytes, value }: ScannedKey): Json {
  return {
    key: base64Of(key),
    version,
    size: valueBytes,
    ...(value === undefined ? {} : { data: base64Of(value) }),
  };
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [key in Name]?: Value } {
  // An option that is not given is left out, not undefined.
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}
