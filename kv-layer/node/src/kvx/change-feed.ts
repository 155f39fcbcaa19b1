import { type ScannedKey, type StreamId, StreamScans, type StreamState } from '@cairn/kv-layer';
import {
  type Clock,
  equalBytes,
  fromHex,
  isFault,
  type Json,
  type Sequence,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import type { Answers } from '../answers.ts';
import { KvNodeError } from '../errors.ts';
import type { Notice } from '../notice.ts';
import { keyJson } from './queries.ts';
import type { Undone } from './undone.ts';

type StreamRoot = NonNullable<Awaited<ReturnType<StreamState['tables']['rootAt']>>>;

/** What a feed works with. */
export interface ChangeFeedDeps {
  readonly answers: Answers;
  readonly replayed: Notice;
  readonly undone: Undone;
  readonly clock: Clock;
}

/** What to listen to. */
export interface FeedOptions {
  readonly stream: StreamId;
  /** Keys that begin with this; all unless told. */
  readonly prefix?: Uint8Array;
  /** Whether values are told; no unless told. */
  readonly withValues?: boolean;
  /** What was heard last: events after it follow. The newest entry unless told. */
  readonly after?: FeedPosition;
  readonly signal: AbortSignal;
}

/** A place in a stream's history: entries up to one, of one history. */
export interface FeedPosition {
  readonly sequence: number;
  /** 8 bytes of the stream's state root then; `undefined`: of whatever history. */
  readonly mark: Uint8Array | undefined;
}

/** What a feed tells. */
export interface FeedEvent {
  /**
   * `change`: an entry was committed to the stream. `progress`: everything up to `sequence` is
   * decided. `revert`: the chain took entries after `sequence` back. `reset`: what was heard before
   * may not be so; read anew, the feed goes on behind `sequence`.
   */
  readonly kind: 'change' | 'progress' | 'revert' | 'reset';
  /** The last entry that this event covers. */
  readonly sequence: number;
  /** For `after`. */
  readonly position: string;
  readonly body: Json;
}

/** Silence after which progress is told. */
const HEARTBEAT_MS = 10_000;
/** Keys told of one entry; the rest is left out, and said to be. */
const MAX_TOLD_KEYS = 4096;

/**
 * The changes of one stream in order, an event for each entry, from any entry on. Nothing is queued:
 * events are made from the state when the listener asks for the next, so one who is slow costs
 * nothing, and one who comes back goes on where it was.
 */
export class ChangeFeed {
  readonly #deps: ChangeFeedDeps;

  constructor(deps: ChangeFeedDeps) {
    this.#deps = deps;
  }

  /** Events until `signal` aborts. @throws {StateError}; the signal's reason */
  async *events(options: FeedOptions): AsyncGenerator<FeedEvent, void, void> {
    const { answers, replayed, undone, clock } = this.#deps;
    const { stream, signal } = options;
    let heard = options.after?.sequence ?? answers.state.nextSequence - 1;
    let reversals = undone.count;
    if (options.after !== undefined && !(await this.#isSameHistory(options, options.after))) {
      heard = answers.state.nextSequence - 1;
      yield await this.#event('reset', heard, stream, signal);
    }
    let toldAt = clock.monotonic();
    for (;;) {
      signal.throwIfAborted();
      const news = replayed.next;
      const since = undone.since(reversals);
      reversals = undone.count;
      const { state } = answers;
      if (since === 'everything') {
        heard = state.nextSequence - 1;
        yield await this.#event('reset', heard, stream, signal);
      } else if (since !== undefined && since <= heard) {
        heard = since - 1;
        yield await this.#event('revert', heard, stream, signal);
      }
      const newest = state.nextSequence - 1;
      const found = await this.#nextChange(state, { heard, newest }, options);
      if (found === 'reverted') continue;
      if (found !== undefined) {
        heard = found.event.sequence;
        if (found.keys === 0 && options.prefix !== undefined) continue;
        toldAt = clock.monotonic();
        yield found.event;
        continue;
      }
      heard = Math.max(heard, newest);
      if (clock.monotonic() - toldAt >= HEARTBEAT_MS) {
        toldAt = clock.monotonic();
        yield await this.#event('progress', heard, stream, signal);
      }
      if (undone.count === reversals && answers.state.nextSequence - 1 <= heard) {
        await this.#wait(news, signal);
      }
    }
  }

  /** The first entry after `heard`, up to `newest`, that was committed, as an event. */
  async #nextChange(
    state: StreamState,
    span: { readonly heard: number; readonly newest: number },
    options: FeedOptions,
  ): Promise<{ readonly event: FeedEvent; readonly keys: number } | 'reverted' | undefined> {
    const { stream, prefix, withValues = false, signal } = options;
    const { reads } = this.#deps.answers;
    const { branch } = state;
    try {
      const root = await firstRootAfter(state, stream, span, signal);
      if (root !== undefined) {
        const { sequence } = root;
        const scans = new StreamScans(state, reads);
        const told: ScannedKey[] = [];
        let cursor: Uint8Array | undefined;
        do {
          const page = await scans.difference(stream, {
            since: sequence - 1,
            version: sequence,
            signal,
            ...(cursor === undefined ? {} : { cursor }),
          });
          told.push(...page.keys.filter(({ key }) => isUnder(key, prefix)));
          ({ cursor } = page);
        } while (cursor !== undefined && told.length < MAX_TOLD_KEYS);
        if (branch !== state.branch) return 'reverted';
        const isCut = cursor !== undefined || told.length > MAX_TOLD_KEYS;
        const keys = told
          .slice(0, MAX_TOLD_KEYS)
          .map((key) => keyJson(withValues ? key : bare(key)));
        const body = {
          sequence,
          stateRoot: toHex(root.stateRoot),
          keys,
          ...(isCut ? { isCut } : {}),
        };
        const position = positionOf(sequence, root.stateRoot);
        return { event: { kind: 'change', sequence, position, body }, keys: keys.length };
      }
    } catch (error) {
      if (isFault(error, 'KV_ROLLED_BACK')) return 'reverted';
      throw error;
    }
    return undefined;
  }

  async #event(
    kind: FeedEvent['kind'],
    sequence: number,
    stream: StreamId,
    signal: AbortSignal,
  ): Promise<FeedEvent> {
    const { state } = this.#deps.answers;
    const root = sequence < 0 ? undefined : await state.tables.rootAt(stream, sequence, signal);
    const position = positionOf(sequence, root?.stateRoot);
    return { kind, sequence, position, body: { sequence, next: state.nextSequence } };
  }

  async #isSameHistory({ stream, signal }: FeedOptions, after: FeedPosition): Promise<boolean> {
    const { state } = this.#deps.answers;
    if (after.sequence >= state.nextSequence) return false;
    if (after.mark === undefined) return true;
    const root = await state.tables.rootAt(stream, after.sequence, signal);
    return equalBytes(after.mark, root?.stateRoot.slice(0, 8) ?? new Uint8Array(8));
  }

  /** Until there is news, or it is time to tell progress. */
  async #wait(news: Promise<void>, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const inner = AbortSignal.any([signal, over.signal]);
    const timer = this.#deps.clock.sleep(HEARTBEAT_MS, inner);
    timer.catch(() => undefined); // ended below
    try {
      await Promise.race([news, timer]);
    } finally {
      over.abort(new Error('something else came first'));
    }
    signal.throwIfAborted();
  }
}

/** A position as text: `sequence` or `sequence-mark`. @throws {KvNodeError} KV_POSITION */
export function parsePosition(text: string): FeedPosition {
  const [, sequence, mark] = /^(\d{1,16})(?:-([0-9a-f]{16}))?$/.exec(text) ?? [];
  const number = Number(sequence);
  if (sequence === undefined || !Number.isSafeInteger(number)) {
    throw new KvNodeError(
      { code: 'KV_POSITION', text: text.slice(0, 40) },
      `"${text.slice(0, 40)}" is no place in a feed: a sequence, or what an event gave as its id`,
    );
  }
  return { sequence: number, mark: mark === undefined ? undefined : fromHex(`0x${mark}`) };
}

function positionOf(sequence: number, root: Uint8Array | undefined): string {
  const mark = toHex(root?.slice(0, 8) ?? new Uint8Array(8)).slice(2);
  const at: Sequence = sequenceOf(Math.max(0, sequence));
  return `${at}-${mark}`;
}

/**
 * The roots that a stream got from the first entry after one; `undefined` if it got none. In steps that
 * double and then halve, since most entries of a log are of other streams.
 */
async function firstRootAfter(
  { tables }: Pick<StreamState, 'tables'>,
  stream: StreamId,
  { heard, newest }: { readonly heard: number; readonly newest: number },
  signal: AbortSignal,
): Promise<StreamRoot | undefined> {
  const rootAfter = async (sequence: number): Promise<StreamRoot | undefined> => {
    const root = await tables.rootAt(stream, sequence, signal);
    return root !== undefined && root.sequence > heard ? root : undefined;
  };
  let found: StreamRoot | undefined;
  let none = heard;
  for (let step = 1; found === undefined && none < newest; step *= 2) {
    const sequence = Math.min(newest, heard + step);
    found = await rootAfter(sequence);
    if (found === undefined) none = sequence;
  }
  while (found !== undefined && found.sequence > none + 1) {
    const middle = Math.floor((none + found.sequence) / 2);
    const earlier = await rootAfter(middle);
    if (earlier === undefined) none = middle;
    else found = earlier;
  }
  return found;
}

function isUnder(key: Uint8Array, prefix: Uint8Array | undefined): boolean {
  return prefix === undefined || equalBytes(key.subarray(0, prefix.length), prefix);
}

function bare({ value: _, ...rest }: ScannedKey): ScannedKey {
  return rest;
}
