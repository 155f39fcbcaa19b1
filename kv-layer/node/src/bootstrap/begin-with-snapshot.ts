import type { FilesClient } from '@cairn/client-sdk';
import {
  type Generations,
  importSnapshot,
  openSnapshotFile,
  type RootTrust,
  type StateError,
  type StateIdentity,
  type TrustedSnapshot,
  trustedRoots,
} from '@cairn/kv-layer';
import type { LogEntry, LogStore } from '@cairn/log-layer';
import {
  type Clock,
  describeError,
  isFault,
  type KeyValueStore,
  type Logger,
  type Root,
  sequenceOf,
} from '@cairn/primitives';
import { isNoRoom } from '../disk-room.ts';
import { KvNodeError } from '../errors.ts';
import type { EntryFactsBook } from '../replay/entry-facts.ts';
import { type SnapshotBase, writeBase } from './snapshot-base.ts';

/** How a node begins, if not with the first entry. */
export interface BootstrapOptions {
  /** The file with a snapshot. */
  readonly file: Root;
  readonly trust: RootTrust;
  /** How long the file, and the entry it is of, are waited for. */
  readonly waitMs: number;
}

/** What beginning with a snapshot works with. */
export interface BootstrapDeps {
  readonly generations: Generations;
  readonly identity: Omit<StateIdentity, 'streams'>;
  readonly files: Pick<FilesClient, 'open'>;
  readonly log: LogStore;
  readonly facts: EntryFactsBook;
  /** Whether the log was read up to the head once. */
  readonly isLogRead: () => boolean;
  readonly kv: KeyValueStore;
  /** @throws where nothing more should be written */
  readonly requireRoom: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How far it is. */
export type BootstrapStatus =
  | { readonly phase: 'file' | 'log' | 'import'; readonly reason?: string }
  | { readonly phase: 'done'; readonly version: number }
  /** Replay began with the first entry instead. */
  | { readonly phase: 'refused'; readonly code: string; readonly reason: string };

const BEGUN = 'entries were replayed before it was configured, or after it was refused';
/** Between two looks for what is waited for. */
const LOOK_MS = 500;

/**
 * Begins a state with a snapshot from the log layer instead of the first entry. The file's bytes are proven
 * by its root, its roots by the accounts that sign them, its place by this node's own log. Most keys are copied
 * as they are, below hashes that lead to those roots, and proven by them before one is answered or changed. A
 * snapshot that does not hold is refused by name, at once or then, and nothing of it is kept.
 */
export class Bootstrap {
  readonly #deps: BootstrapDeps;
  readonly #options: BootstrapOptions;
  #status: BootstrapStatus = { phase: 'file' };

  constructor(deps: BootstrapDeps, options: BootstrapOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get status(): BootstrapStatus {
    return this.#status;
  }

  /**
   * Takes the snapshot in, if nothing was replayed yet. What is wrong with it is logged, and is in the
   * status: replay begins with the first entry then.
   *
   * @throws what the stores throw; a full disk; the signal's reason
   */
  async run(signal: AbortSignal): Promise<void> {
    const { generations, logger } = this.#deps;
    const { firstSequence, nextSequence } = generations.active;
    if (firstSequence > 0) {
      this.#status = { phase: 'done', version: firstSequence - 1 };
      return;
    }
    if (nextSequence > 0) {
      this.#status = { phase: 'refused', code: 'KV_STATE_BEGUN', reason: BEGUN };
      return;
    }
    try {
      const version = await this.#takeIn(signal);
      this.#status = { phase: 'done', version };
      logger.info({ file: this.#options.file, version }, 'the state begins with a snapshot');
    } catch (error) {
      signal.throwIfAborted();
      await generations.sweep({ signal }); // what was begun takes room
      if (isNoRoom(error)) throw error;
      this.#refuse(isFault(error) ? error.code : 'INTERNAL', describeError(error));
    }
  }

  /** Notes that a snapshot that was begun with does not hold after all. */
  refused({ code, message }: Pick<StateError, 'code' | 'message'>): void {
    this.#note(code, message);
  }

  #note(code: string, reason: string): void {
    this.#status = { phase: 'refused', code, reason: reason.slice(0, 300) };
  }

  #refuse(code: string, reason: string): void {
    this.#note(code, reason);
    const { file } = this.#options;
    this.#deps.logger.error(
      { file, code, reason },
      'the snapshot is not taken, replay begins anew',
    );
  }

  async #takeIn(signal: AbortSignal): Promise<number> {
    const { generations, identity, files, facts, kv, requireRoom } = this.#deps;
    const { file: root, trust } = this.#options;
    const { streams } = generations.active;
    const opened = await this.#waited('file', signal, () => files.open({ root }, { signal }));
    const { place, statements, snapshot } = await openSnapshotFile(opened.stream({ signal }));
    const trusted = trustedRoots({ place, statements }, { ...identity, streams }, trust);
    const entry = await this.#waited('log', signal, () => this.#entryOf(trusted));
    const [fact] = await this.#waited('log', signal, () => facts.of([entry], () => false, signal));
    if (fact === undefined) throw new Error('unreachable: one entry was asked for');
    await requireRoom();
    this.#status = { phase: 'import' };
    const { version, roots } = trusted;
    const { timeSeconds } = fact;
    const base: SnapshotBase = { version, block: entry.block.hash, file: root };
    await generations.replace(
      async (deps, of, generation) => {
        const options = { trusted: roots, version, timeSeconds, signal, generation };
        await importSnapshot(deps, of, snapshot, options);
        // Before the state answers: what began with a snapshot is never without its base.
        await writeBase(kv, base);
      },
      { signal },
    );
    await generations.sweep({ signal });
    return version;
  }

  /** The log's entry at a snapshot's version. @throws {KvNodeError} KV_SNAPSHOT_BRANCH, KV_NOT_YET */
  async #entryOf({ version, block }: TrustedSnapshot): Promise<LogEntry> {
    const { log, isLogRead } = this.#deps;
    const entry = await log.entryAt(sequenceOf(version));
    if (entry === undefined) {
      throw new KvNodeError(
        { code: 'KV_NOT_YET', wanted: version, next: log.nextSequence },
        `the snapshot is of entry ${version}; the log ${isLogRead() ? 'ends before' : 'is read up to'} entry ${log.nextSequence}`,
      );
    }
    if (entry.block.hash === block) return entry;
    throw new KvNodeError(
      { code: 'KV_SNAPSHOT_BRANCH', version, expected: entry.block.hash, actual: block },
      `the snapshot is of entry ${version} in block ${block}; the chain has it in block ${entry.block.hash}`,
    );
  }

  /** Tries until it succeeds, time is up, or waiting cannot help. */
  async #waited<Result>(
    phase: 'file' | 'log',
    signal: AbortSignal,
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonic() + this.#options.waitMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        // While the log is read for the first time there is nothing to be late for.
        const isEarly = phase === 'log' && !this.#deps.isLogRead();
        if (isFault(error, 'KV_SNAPSHOT_BRANCH')) throw error;
        if (!isEarly && clock.monotonic() >= untilMs) throw error;
        this.#status = { phase, reason: describeError(error).slice(0, 300) };
        await clock.sleep(LOOK_MS, signal);
      }
    }
  }
}
