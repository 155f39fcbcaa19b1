import type { AppliedEntry, ReplayInput, StreamState } from '@cairn/kv-layer';
import type { LogEntry, LogStore } from '@cairn/log-layer';
import {
  abortable,
  type Clock,
  describeError,
  type Logger,
  MAX_REPLAY_GROUP,
  type Root,
  type Semaphore,
  type Sequence,
  sequenceOf,
} from '@cairn/primitives';
import { isChainOutage } from '../connect-chain.ts';
import type { Notice } from '../notice.ts';
import type { EntryFactsBook } from './entry-facts.ts';
import type { FetchedFile, FileFetcher } from './file-fetcher.ts';

/** What a replay waits for. */
export interface ReplayWait {
  readonly sequence: Sequence;
  /**
   * For its file, for the chain to tell its block's time and its sender, or for a state that watches
   * the streams it names.
   */
  readonly kind: 'file' | 'chain' | 'streams';
  readonly root: Root;
  readonly sizeBytes: number;
  /** On the clock that only grows, in ms. */
  readonly sinceMs: number;
  /** What the last try came to. */
  readonly reason: string | undefined;
  readonly tries: number;
}

/** What replaying works with. */
export interface ReplayerDeps {
  readonly log: LogStore;
  readonly facts: EntryFactsBook;
  readonly files: FileFetcher;
  /** Held while anything is applied or taken back. */
  readonly turn: Semaphore;
  /** Rings when the log grew, or entries were taken back. */
  readonly changed: Notice;
  /** @throws where nothing more should be written */
  readonly requireRoom: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told after entries were passed, of those among them that are of the state. */
  readonly onApplied?: (applied: readonly AppliedEntry[], state: StreamState) => void;
  /** Whether an entry is left to another state for a while, which is about to take this one's place. */
  readonly isLeft?: (entry: LogEntry) => boolean;
}

/** How a replay goes about missing files, and how far it looks ahead. */
export interface ReplayerOptions {
  readonly skip: { readonly afterMs: number; readonly maxHoles: number } | undefined;
  readonly prefetchFiles: number;
  readonly prefetchBytes: number;
}

/** The longest wait before the chain is asked again, and the first. */
const FIRST_CHAIN_WAIT_MS = 200;
const LONGEST_CHAIN_WAIT_MS = 5000;
/** How long an entry is left to a state with other streams before this one passes over it. */
const LEFT_FOR_MS = 10_000;

interface Planned {
  readonly entry: LogEntry;
  readonly input: ReplayInput;
  /** What it cannot be applied without. */
  readonly missing: FetchedFile | undefined;
}

/**
 * Replays the log into one state: fetches the files of the next entries side by side, applies
 * whatever is there in order, and waits for the first one that is not.
 *
 * Who may not write is known before the file is needed, so what strangers store is not waited for.
 */
export class Replayer {
  readonly state: StreamState;
  readonly #deps: ReplayerDeps;
  readonly #options: ReplayerOptions;
  readonly #files = new Map<Sequence, FetchedFile>();
  /** Entries given up, by sequence; of another file after a reorganisation they are not. */
  readonly #givenUp = new Map<Sequence, Root>();
  #wait: ReplayWait | undefined;

  constructor(state: StreamState, deps: ReplayerDeps, options: ReplayerOptions) {
    this.state = state;
    this.#deps = deps;
    this.#options = options;
  }

  /** Does not wait again for entries that were given up before; waits for `instead` after all. */
  giveUp(
    entries: readonly Pick<LogEntry, 'sequence' | 'root'>[],
    { instead }: { readonly instead: Pick<LogEntry, 'sequence'> },
  ): void {
    for (const { sequence, root } of entries) this.#givenUp.set(sequence, root);
    this.#givenUp.delete(instead.sequence);
  }

  /** What is waited for now; `undefined` while entries are applied or there are none. */
  get wait(): ReplayWait | undefined {
    const wait = this.#wait;
    const file = wait?.kind === 'file' ? this.#files.get(wait.sequence) : undefined;
    return wait === undefined || file === undefined
      ? wait
      : { ...wait, reason: file.reason, tries: file.tries };
  }

  /**
   * Replays until `signal` aborts, or until `isDone` says so when there is nothing left to apply.
   *
   * @throws what the stores throw; the signal's reason
   */
  async run(signal: AbortSignal, isDone: () => boolean = () => false): Promise<void> {
    try {
      while (!signal.aborted) {
        const changed = this.#deps.changed.next;
        const entries = await this.#nextEntries();
        if (entries.length === 0) {
          this.#wait = undefined;
          if (isDone()) return;
          await abortable(changed, signal);
          continue;
        }
        const planned = await this.#plan(entries, signal);
        const ready = prefixOf(planned, ({ missing }) => missing === undefined);
        const [first] = planned;
        if (ready.length > 0) await this.#apply(ready, signal);
        else if (first?.missing !== undefined) await this.#await(first.missing, changed, signal);
        else if (entries[0] !== undefined) await this.#leave(entries[0], changed, signal);
      }
      signal.throwIfAborted();
    } finally {
      this.#wait = undefined;
      await this.#release(() => true);
    }
  }

  /** The entries that come next, at most as many as are applied together. */
  async #nextEntries(): Promise<readonly LogEntry[]> {
    const { log } = this.#deps;
    const from = this.state.nextSequence;
    const to = Math.min(log.nextSequence, from + MAX_REPLAY_GROUP);
    const entries: LogEntry[] = [];
    for (let sequence: number = from; sequence < to; sequence += 1) {
      const entry = await log.entryAt(sequenceOf(sequence));
      if (entry === undefined) break; // taken back meanwhile
      entries.push(entry);
    }
    return entries;
  }

  /** What each entry needs. Files are fetched ahead as far as the bounds allow. */
  async #plan(entries: readonly LogEntry[], signal: AbortSignal): Promise<readonly Planned[]> {
    const { state } = this;
    const { prefetchFiles, prefetchBytes } = this.#options;
    const facts = await this.#factsOf(entries, signal);
    const planned: Planned[] = [];
    let files = 0;
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      const { sequence, tags, root, sizeBytes } = entry;
      const fact = facts[index];
      if (fact === undefined) break;
      if (this.#deps.isLeft?.(entry) === true && !this.#isOverdue(entry)) break;
      const input: ReplayInput = { sequence, tags, ...fact };
      const plan = (source?: ReplayInput['source'], missing?: FetchedFile): void => {
        planned.push({
          entry,
          input: source === undefined ? input : { ...input, source },
          missing,
        });
      };
      if (!state.concerns(tags) || (await state.gate(input)) !== 'read') {
        plan();
        continue;
      }
      if (this.#givenUp.get(sequence) === root) {
        plan('gone');
        continue;
      }
      files += 1;
      bytes += sizeBytes;
      // The first one is fetched however large it is; what does not fit has its turn later.
      if (files > 1 && (files > prefetchFiles || bytes > prefetchBytes)) break;
      const file = this.#fileOf(entry);
      plan(file.source, file.source === undefined ? file : undefined);
    }
    return planned;
  }

  #fileOf(entry: LogEntry): FetchedFile {
    const held = this.#files.get(entry.sequence);
    if (held?.entry.root === entry.root && held.entry.sizeBytes === entry.sizeBytes) return held;
    void held?.release();
    const file = this.#deps.files.fetch(entry);
    this.#files.set(entry.sequence, file);
    return file;
  }

  /** Asks the chain until it answers. */
  async #factsOf(
    entries: readonly LogEntry[],
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<EntryFactsBook['of']>>> {
    const { facts, clock, logger } = this.#deps;
    const [first] = entries;
    let waitMs = FIRST_CHAIN_WAIT_MS;
    for (let tries = 1; first !== undefined; tries += 1) {
      try {
        return await facts.of(entries, ({ tags }) => this.state.concerns(tags), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isChainOutage(error)) throw error;
        const reason = describeError(error).slice(0, 300);
        const { sequence, root, sizeBytes } = first;
        const sinceMs = this.#wait?.kind === 'chain' ? this.#wait.sinceMs : clock.monotonic();
        this.#wait = { kind: 'chain', sequence, root, sizeBytes, sinceMs, reason, tries };
        logger.warn({ sequence, tries, reason }, 'the chain does not tell what replay needs');
        await clock.sleep(waitMs, signal);
        waitMs = Math.min(waitMs * 2, LONGEST_CHAIN_WAIT_MS);
        if (this.state.nextSequence !== sequence) return []; // taken back meanwhile
        // Whatever is taken back of these, the last one is.
        const last = entries.at(-1) ?? first;
        const held = await this.#deps.log.entryAt(last.sequence);
        if (held?.block.hash !== last.block.hash) return [];
      }
    }
    return [];
  }

  /** Applies entries unless the log changed under them; then they are planned anew. */
  async #apply(ready: readonly Planned[], signal: AbortSignal): Promise<void> {
    const { turn, log, onApplied } = this.#deps;
    const { state } = this;
    await this.#deps.requireRoom();
    await turn.run(async () => {
      const [first] = ready;
      if (first === undefined || state.nextSequence !== first.entry.sequence) return;
      for (const { entry } of ready) {
        const current = await log.entryAt(entry.sequence);
        if (current?.transactionHash !== entry.transactionHash) return;
        if (current.block.hash !== entry.block.hash) return;
      }
      const inputs = ready.map(({ input }) => input);
      const { applied } = await state.apply(inputs, { signal });
      onApplied?.(applied, state);
    }, signal);
    this.#wait = undefined;
    await this.#release((sequence) => sequence < state.nextSequence);
  }

  /** Waits for the first entry's file, for a change of the log, or until it is given up. */
  async #await(missing: FetchedFile, changed: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    const { sequence, root, sizeBytes } = missing.entry;
    const before = this.#wait;
    const isSame = before?.kind === 'file' && before.sequence === sequence && before.root === root;
    const sinceMs = isSame ? before.sinceMs : clock.monotonic();
    const { reason, tries } = missing;
    this.#wait = { kind: 'file', sequence, root, sizeBytes, sinceMs, reason, tries };
    const { skip } = this.#options;
    const mayGiveUp = skip !== undefined && this.state.holeCount < skip.maxHoles;
    const stop = new AbortController();
    const inner = AbortSignal.any([signal, stop.signal]);
    const leftMs = Math.max(0, (skip?.afterMs ?? 0) - (clock.monotonic() - sinceMs));
    const over = mayGiveUp
      ? clock.sleep(leftMs, inner).then(() => 'over' as const)
      : new Promise<never>(() => undefined);
    over.catch(() => undefined); // aborted below
    try {
      const first = await abortable(Promise.race([missing.arrived, changed, over]), signal);
      if (first === 'over' && missing.source === undefined) {
        this.#givenUp.set(sequence, root);
        logger.error(
          { sequence, root, reason: missing.reason },
          'a file was given up: what is replayed from here on is this node’s own opinion',
        );
      }
    } finally {
      stop.abort(new Error('something else came first'));
    }
  }

  /** Waits for a change, or until an entry was left to another state for long enough. */
  async #leave(entry: LogEntry, changed: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const { sequence, root, sizeBytes } = entry;
    if (this.#wait?.kind !== 'streams' || this.#wait.sequence !== sequence) {
      const waited = { kind: 'streams', sequence, root, sizeBytes, tries: 0 } as const;
      this.#wait = { ...waited, sinceMs: clock.monotonic(), reason: undefined };
    }
    const stop = new AbortController();
    const inner = AbortSignal.any([signal, stop.signal]);
    const over = clock.sleep(LEFT_FOR_MS, inner);
    over.catch(() => undefined); // aborted below
    try {
      await abortable(Promise.race([changed, over]), signal);
    } finally {
      stop.abort(new Error('something else came first'));
    }
  }

  #isOverdue({ sequence }: LogEntry): boolean {
    const wait = this.#wait;
    if (wait?.kind !== 'streams' || wait.sequence !== sequence) return false;
    return this.#deps.clock.monotonic() - wait.sinceMs >= LEFT_FOR_MS;
  }

  async #release(isOver: (sequence: Sequence) => boolean): Promise<void> {
    for (const [sequence, file] of this.#files) {
      if (!isOver(sequence)) continue;
      this.#files.delete(sequence);
      await file.release();
    }
  }
}

function prefixOf<Item>(items: readonly Item[], isTaken: (item: Item) => boolean): Item[] {
  const end = items.findIndex((item) => !isTaken(item));
  return items.slice(0, end < 0 ? items.length : end);
}
