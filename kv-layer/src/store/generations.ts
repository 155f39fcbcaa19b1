import type { Hasher } from '@cairn/commitments';
import {
  bigEndianBytes,
  concatBytes,
  type FileStore,
  type KeyValueStore,
  type KeyValueWrite,
  STREAM_ID_BYTES,
  viewOf,
} from '@cairn/primitives';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import { Keyspace } from './keyspace.ts';
import { damaged } from './row.ts';
import { type StateIdentity, sortedStreams } from './state-identity.ts';
import { StreamState, type StreamStateDeps } from './stream-state.ts';

/** Where a node's generations are kept. */
export interface GenerationsDeps {
  readonly kv: KeyValueStore;
  readonly hasher: Hasher;
  /** The value file of a generation, made if it is missing. */
  openValues(generation: number): Promise<FileStore>;
  /** Removes the value file of a generation that was retired. */
  dropValues(generation: number): Promise<void>;
}

/** Keys deleted together. */
const DELETED_TOGETHER = 10_000;
/** After every generation's keys: generations count up from 0 and never get here. */
const RECORD_KEY: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x47);

interface Listed {
  readonly generation: number;
  readonly streams: readonly StreamId[];
}

interface Record {
  readonly active: Listed;
  readonly pending: Listed | undefined;
  readonly retired: readonly number[];
}

/**
 * The state that answers, and one that is being replayed to take its place. What a stream holds
 * depends on which other streams are watched with it, from the first entry on; so a changed set of
 * streams is a replay of its own from the start, in the background, and one write lets it answer.
 */
export class Generations {
  readonly #deps: GenerationsDeps;
  readonly #identity: Omit<StateIdentity, 'streams'>;
  #record: Record;
  #active: StreamState;
  #pending: StreamState | undefined;

  private constructor(
    deps: GenerationsDeps,
    identity: Omit<StateIdentity, 'streams'>,
    opened: { record: Record; active: StreamState; pending: StreamState | undefined },
  ) {
    this.#deps = deps;
    this.#identity = identity;
    this.#record = opened.record;
    this.#active = opened.active;
    this.#pending = opened.pending;
  }

  /**
   * Opens what is stored. A new store begins with the streams asked for; another one goes on as it
   * was, and `watch` says what it should become. Removes what an interrupted change left.
   *
   * @throws {StateError} as `StreamState.open`
   */
  static async open(
    deps: GenerationsDeps,
    identity: StateIdentity,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Generations> {
    const stored = await deps.kv.get(RECORD_KEY);
    const record: Record =
      stored === undefined
        ? {
            active: { generation: 0, streams: sortedStreams(identity.streams) },
            pending: undefined,
            retired: [],
          }
        : decodeRecord(stored);
    if (stored === undefined) await writeRecord(deps.kv, record);
    const active = await openListed(deps, identity, record.active, signal);
    const pending = record.pending && (await openListed(deps, identity, record.pending, signal));
    const generations = new Generations(deps, identity, { record, active, pending });
    await generations.#dropRetired(signal);
    return generations;
  }

  /** The state that answers. */
  get active(): StreamState {
    return this.#active;
  }

  /** The state that is replayed to take its place. */
  get pending(): StreamState | undefined {
    return this.#pending;
  }

  /**
   * Says which streams to watch. If they are not the active state's, a pending one begins at the
   * first entry, or goes on if it has those streams already; one with other streams is dropped.
   */
  async watch(
    streams: Iterable<StreamId>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const wanted = sortedStreams(streams);
    if (isSame(wanted, this.#record.pending?.streams)) return;
    const { active, pending, retired } = this.#record;
    const dropped = pending === undefined ? [] : [pending.generation];
    const used = [active.generation, ...dropped, ...retired];
    const next = isSame(wanted, active.streams)
      ? undefined
      : { generation: Math.max(...used) + 1, streams: wanted };
    this.#pending = undefined;
    await this.#become({ active, pending: next, retired: [...retired, ...dropped] });
    if (next !== undefined) {
      this.#pending = await openListed(this.#deps, this.#identity, next, signal);
    }
    await this.#dropRetired(signal);
  }

  /**
   * Lets the pending state answer from now on, by one synced write, and removes the other.
   *
   * @returns whether there was one
   */
  async promote({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const { active, pending, retired } = this.#record;
    if (pending === undefined || this.#pending === undefined) return false;
    await this.#become({
      active: pending,
      pending: undefined,
      retired: [...retired, active.generation],
    });
    this.#active = this.#pending;
    this.#pending = undefined;
    await this.#dropRetired(signal);
    return true;
  }

  /**
   * Lets another state of the same streams answer: an empty one, or what `fill` makes of its generation.
   * The pending state, if there is one, is dropped. What was there before is kept until `sweep`, so that
   * whoever still reads or writes it harms nothing.
   *
   * @param fill - makes the generation's state; if it throws nothing is changed
   * @throws what `fill` throws; {StateError} as `StreamState.open`
   */
  async replace(
    fill: (deps: StreamStateDeps, identity: StateIdentity, generation: number) => Promise<void>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { active, pending, retired } = this.#record;
    const used = [active.generation, ...(pending === undefined ? [] : [pending.generation])];
    const generation = Math.max(...used, ...retired) + 1;
    const next: Listed = { generation, streams: active.streams };
    // Listed as retired first: what a crash leaves of it is removed by the next start.
    await this.#become({ active, pending, retired: [...retired, generation] });
    const { kv, hasher } = this.#deps;
    const values = await this.#deps.openValues(generation);
    await fill({ kv, values, hasher }, { ...this.#identity, streams: active.streams }, generation);
    const opened = await openWith(values, this.#deps, this.#identity, next, signal);
    const others = this.#record.retired.filter((other) => other !== generation);
    await this.#become({ active: next, pending: undefined, retired: [...others, ...used] });
    this.#active = opened;
    this.#pending = undefined;
  }

  /** Removes what was replaced, once nobody reads or writes it any more. */
  async sweep({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#dropRetired(signal);
  }

  async #become(record: Record): Promise<void> {
    await writeRecord(this.#deps.kv, record);
    this.#record = record;
  }

  async #dropRetired(signal: AbortSignal): Promise<void> {
    const { kv } = this.#deps;
    for (const generation of this.#record.retired) {
      const range = { ...new Keyspace(generation).all, limit: DELETED_TOGETHER };
      for (let isLeft = true; isLeft; ) {
        const batch: KeyValueWrite[] = [];
        for await (const [key] of kv.entries(range, { signal })) {
          batch.push({ type: 'delete', key: key.slice() });
        }
        isLeft = batch.length > 0;
        if (isLeft) await kv.write(batch);
      }
      await this.#deps.dropValues(generation);
      const retired = this.#record.retired.filter((other) => other !== generation);
      await this.#become({ ...this.#record, retired });
    }
  }
}

async function openListed(
  deps: GenerationsDeps,
  identity: Omit<StateIdentity, 'streams'>,
  listed: Listed,
  signal: AbortSignal,
): Promise<StreamState> {
  return openWith(await deps.openValues(listed.generation), deps, identity, listed, signal);
}

function openWith(
  values: FileStore,
  { kv, hasher }: GenerationsDeps,
  identity: Omit<StateIdentity, 'streams'>,
  { generation, streams }: Listed,
  signal: AbortSignal,
): Promise<StreamState> {
  return StreamState.open({ kv, values, hasher }, { ...identity, streams }, { signal, generation });
}

function isSame(left: readonly StreamId[], right: readonly StreamId[] | undefined): boolean {
  return left.length === right?.length && left.every((stream, index) => stream === right[index]);
}

function writeRecord(kv: KeyValueStore, { active, pending, retired }: Record): Promise<void> {
  const listed = ({ generation, streams }: Listed): Uint8Array =>
    concatBytes(
      bigEndianBytes(generation, 4),
      bigEndianBytes(streams.length, 4),
      ...streams.map(streamIdBytes),
    );
  const value = concatBytes(
    listed(active),
    Uint8Array.of(pending === undefined ? 0 : 1),
    ...(pending === undefined ? [] : [listed(pending)]),
    ...retired.map((generation) => bigEndianBytes(generation, 4)),
  );
  return kv.write([{ type: 'put', key: RECORD_KEY, value }], { sync: true });
}

/** @throws {StateError} KV_STATE_DAMAGED */
function decodeRecord(bytes: Uint8Array): Record {
  const view = viewOf(bytes);
  let at = 0;
  const u32 = (): number => {
    if (at + 4 > bytes.length) damaged('list of generations', bytes.length);
    at += 4;
    return view.getUint32(at - 4);
  };
  const listed = (): Listed => {
    const generation = u32();
    const count = u32();
    const streams: StreamId[] = [];
    for (let index = 0; index < count; index += 1) {
      if (at + STREAM_ID_BYTES > bytes.length) damaged('list of generations', bytes.length);
      streams.push(streamIdOf(bytes.subarray(at, at + STREAM_ID_BYTES)));
      at += STREAM_ID_BYTES;
    }
    return { generation, streams };
  };
  const active = listed();
  const hasPending = bytes[at] === 1;
  at += 1;
  const pending = hasPending ? listed() : undefined;
  const retired: number[] = [];
  while (at < bytes.length) retired.push(u32());
  return { active, pending, retired };
}
