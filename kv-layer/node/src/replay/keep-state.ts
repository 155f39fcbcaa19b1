import {
  type AppliedEntry,
  type Generations,
  isSnapshotRefusal,
  type StateError,
  type StreamId,
  type StreamState,
} from '@cairn/kv-layer';
import type { LogEntry } from '@cairn/log-layer';
import {
  abortable,
  describeError,
  type KeyValueStore,
  runTogether,
  type Sequence,
  sequenceOf,
} from '@cairn/primitives';
import type { Bootstrap } from '../bootstrap/begin-with-snapshot.ts';
import { dropLostBase, dropRefusedBase } from '../bootstrap/snapshot-base.ts';
import { Notice } from '../notice.ts';
import type { StreamSet } from '../streams/stream-set.ts';
import { Replayer, type ReplayerDeps, type ReplayerOptions, type ReplayWait } from './replayer.ts';

/** What keeping a state works with. */
export interface StateKeeperDeps extends Omit<ReplayerDeps, 'onApplied'> {
  readonly generations: Generations;
  readonly streams: StreamSet;
  /** Rings when there are streams to watch that were not wanted before. */
  readonly wanted: Notice;
  /** Told of what the state that answers applied. */
  readonly onApplied?: (applied: readonly AppliedEntry[], state: StreamState) => void;
  /** Told of entries that the state that answers took back, and of another one that took its place. */
  readonly onUndone?: (from: Sequence, signal: AbortSignal) => Promise<void>;
  readonly onPromoted?: (state: StreamState) => void;
  /** Begins with a snapshot where nothing was replayed yet. */
  readonly bootstrap?: Bootstrap;
  /** What is kept beside the streams. */
  readonly kv: KeyValueStore;
}

/** How states are kept. */
export interface StateKeeperOptions extends ReplayerOptions {
  /** Whether streams that the log names are watched. */
  readonly discover: boolean;
  /** Between two looks for files that were given up. */
  readonly healEveryMs: number;
}

/** How long nothing more of a snapshot is read, in times of what reading a part of it took: a quarter of a core. */
const SNAPSHOT_REST = 3;
/** Holes looked at in one go. */
const HOLES_TOGETHER = 64;

/**
 * Keeps the state that answers at the log's end, and one with other streams on its way there: each
 * is a replay of its own, and the second takes the first one's place once it has caught up. Goes
 * back to entries that were given up when their files appear.
 */
export class StateKeeper {
  readonly #deps: StateKeeperDeps;
  readonly #options: StateKeeperOptions;
  #active: Replayer;
  #pending: Replayer | undefined;
  /** Rings when another state took the active one's place by itself. */
  readonly #replaced = new Notice();

  constructor(deps: StateKeeperDeps, options: StateKeeperOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#active = this.#replayer(deps.generations.active);
  }

  /** The state that answers. */
  get state(): StreamState {
    return this.#deps.generations.active;
  }

  /** What the state that answers waits for. */
  get wait(): ReplayWait | undefined {
    return this.#active.wait;
  }

  /** How far a state with other streams is, if there is one. */
  get pending():
    | {
        readonly streams: readonly StreamId[];
        readonly nextSequence: Sequence;
        readonly wait: ReplayWait | undefined;
      }
    | undefined {
    const { pending } = this.#deps.generations;
    if (pending === undefined) return undefined;
    const { streams, nextSequence } = pending;
    return { streams, nextSequence, wait: this.#pending?.wait };
  }

  /** Runs until `signal` aborts. @throws what the stores throw */
  async run(signal: AbortSignal): Promise<void> {
    const { bootstrap, turn } = this.#deps;
    await turn.run(() => this.#dropLostBase(signal), signal);
    await bootstrap?.run(signal);
    if (this.#useActive()) this.#deps.onPromoted?.(this.state);
    const loops = [
      (inner: AbortSignal) => this.#keep(inner),
      (inner: AbortSignal) => this.#readSnapshot(inner),
    ];
    if (this.#options.discover) loops.push((inner) => this.#discover(inner));
    if (this.#options.skip !== undefined) loops.push((inner) => this.#heal(inner));
    await runTogether(loops, signal);
  }

  /** Takes back what was replayed of entries that are not in the log any more. Under the turn. */
  async undo(signal: AbortSignal): Promise<void> {
    const { generations, log, logger } = this.#deps;
    await this.#dropLostBase(signal);
    for (const state of [generations.active, generations.pending]) {
      if (state === undefined || state.nextSequence <= log.nextSequence) continue;
      const to = sequenceOf(Math.max(log.nextSequence, state.firstSequence));
      logger.info({ from: to, next: state.nextSequence }, 'entries are taken back');
      await this.#orBeginAnew(state, signal, async () => {
        await state.rollback(to, { signal });
        if (state === generations.active) await this.#deps.onUndone?.(to, signal);
      });
    }
  }

  /** Begins anew if the chain took back what the state's snapshot was of. Under the turn. */
  async #dropLostBase(signal: AbortSignal): Promise<void> {
    if (!(await dropLostBase(this.#deps, { signal }))) return;
    this.#deps.onPromoted?.(this.state);
    this.#replaced.ring();
  }

  /** Reads what of the snapshot nobody needed yet, little by little. */
  async #readSnapshot(signal: AbortSignal): Promise<void> {
    const { clock, requireRoom, turn } = this.#deps;
    while (!signal.aborted) {
      const replaced = this.#replaced.next;
      const { state } = this;
      const begunMs = clock.monotonic();
      try {
        if (state.unread.refused !== undefined) throw state.unread.refused;
        if (state.unread.left > 0) await requireRoom();
        if (await state.unread.readNext({ signal })) {
          await clock.sleep(SNAPSHOT_REST * (clock.monotonic() - begunMs), signal);
        } else await abortable(replaced, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isSnapshotRefusal(error)) {
          await turn.run(() => this.#dropRefused(state, error, signal), signal);
        } else if (state === this.state) throw error; // one that was replaced has its files closed
      }
    }
  }

  /** Begins anew, since a part of the state's snapshot is another than what was vouched for. Under the turn. */
  async #dropRefused(state: StreamState, error: StateError, signal: AbortSignal): Promise<void> {
    if (this.state !== state) return;
    await dropRefusedBase(this.#deps, error, { signal });
    this.#deps.bootstrap?.refused(error);
    this.#deps.onPromoted?.(this.state);
    this.#replaced.ring();
  }

  /** Does what may need a part of the state's snapshot, and begins anew where that does not hold. Under the turn. */
  async #orBeginAnew(
    state: StreamState,
    signal: AbortSignal,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isSnapshotRefusal(error)) throw error;
      await this.#dropRefused(state, error, signal);
    }
  }

  /** Replays into the state that answers. @returns whether it is another one than before */
  #useActive(): boolean {
    const { active } = this.#deps.generations;
    if (this.#active.state === active) return false;
    this.#active = this.#replayer(active);
    return true;
  }

  /** One round for each set of replays: until the set of streams or of states changes. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { generations, streams, turn, logger, onPromoted } = this.#deps;
    while (!signal.aborted) {
      const news = Promise.race([this.#deps.wanted.next, this.#replaced.next]);
      await turn.run(() => generations.sweep({ signal }), signal);
      if (generations.pending === undefined) {
        await turn.run(() => generations.watch(streams.wanted, { signal }), signal);
      }
      this.#useActive(); // last: whatever takes its place from here on ends the round
      const pending = generations.pending;
      if (pending === undefined) {
        await this.#round(signal, news);
        continue;
      }
      logger.info(
        { streams: pending.streams.length, next: pending.nextSequence },
        'another set of streams is replayed',
      );
      this.#pending = this.#replayer(pending);
      await this.#round(signal, this.#pending);
      this.#pending = undefined;
      if (generations.pending !== pending) continue; // dropped with the state beside it
      await turn.run(() => generations.promote({ signal }), signal);
      this.#active = this.#replayer(generations.active);
      logger.info({ streams: this.state.streams.length }, 'another set of streams answers');
      onPromoted?.(this.state);
    }
  }

  /** Replays into the active state until `until` comes: news, or another state that caught up. */
  async #round(signal: AbortSignal, until: Promise<void> | Replayer): Promise<void> {
    const over = new AbortController();
    const inner = AbortSignal.any([signal, over.signal]);
    const { state } = this.#active;
    const isDone = (): boolean => this.#isCaughtUp();
    const end = until instanceof Replayer ? until.run(inner, isDone) : abortable(until, inner);
    const replaced = abortable(this.#replaced.next, inner);
    const ended = Promise.race([end, replaced]).then(() => over.abort(ROUND_OVER));
    const settled = await Promise.allSettled([
      end,
      ended,
      this.#active.run(inner).catch((error: unknown) => {
        if (!over.signal.aborted) over.abort(error);
        throw error;
      }),
    ]);
    signal.throwIfAborted();
    for (const outcome of settled) {
      if (outcome.status !== 'rejected' || outcome.reason === ROUND_OVER) continue;
      const reason: unknown = outcome.reason;
      if (!isSnapshotRefusal(reason)) throw reason;
      await this.#deps.turn.run(() => this.#dropRefused(state, reason, signal), signal);
    }
  }

  /** Whether the pending state is as far as the log, or at least as the one that answers. */
  #isCaughtUp(): boolean {
    const { generations, log } = this.#deps;
    const next = generations.pending?.nextSequence ?? 0;
    return next >= generations.active.nextSequence && next >= log.nextSequence;
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const { streams, log, changed, wanted, logger } = this.#deps;
    while (!signal.aborted) {
      const grown = changed.next;
      if (await streams.discover(log, signal)) {
        logger.info({ streams: streams.wanted.length }, 'the log names new streams');
        wanted.ring();
      }
      await abortable(grown, signal);
    }
  }

  /** Looks for files that were given up; the first that is there is where replay goes back to. */
  async #heal(signal: AbortSignal): Promise<void> {
    const { clock, changed, turn, log, logger, onUndone } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(this.#options.healEveryMs, signal);
      const { state } = this;
      const holes = await state.holes({ limit: HOLES_TOGETHER, signal });
      const entries: LogEntry[] = [];
      for (const sequence of holes) {
        const entry = await log.entryAt(sequence);
        if (entry !== undefined) entries.push(entry);
      }
      for (const entry of entries) {
        if (!(await this.#isThere(entry, signal))) continue;
        const { sequence, root } = entry;
        logger.info(
          { sequence, root },
          'a file that was given up is there: replay goes back to it',
        );
        const rest = entries.filter((other) => other.sequence > sequence);
        await turn.run(async () => {
          if (this.state !== state || state.nextSequence <= sequence) return;
          // Only then: what comes after the hole is replayed anew, and its holes not waited for again.
          this.#active.giveUp(rest, { instead: entry });
          await this.#orBeginAnew(state, signal, async () => {
            await state.rollback(sequence, { signal });
            await onUndone?.(sequence, signal);
          });
        }, signal);
        changed.ring();
        break;
      }
    }
  }

  async #isThere(entry: LogEntry, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#deps.files.fetchOnce(entry, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const { sequence } = entry;
      this.#deps.logger.debug({ sequence, reason: describeError(error) }, 'a hole stays');
      return false;
    }
  }

  #replayer(state: StreamState): Replayer {
    const { onApplied, ...deps } = this.#deps;
    const isActive = state === this.#deps.generations.active;
    return new Replayer(
      state,
      {
        ...deps,
        ...(isActive && onApplied !== undefined ? { onApplied } : {}),
        ...(isActive && this.#options.discover
          ? { isLeft: ({ tags }: LogEntry) => this.#deps.streams.isComing(tags, state) }
          : {}),
      },
      this.#options,
    );
  }
}

const ROUND_OVER = new Error('another round begins');
