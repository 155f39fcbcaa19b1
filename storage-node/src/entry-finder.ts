import type { EntryState, LogEntry, LogStore } from '@cairn/log-layer';
import type { Root, Sequence } from '@cairn/primitives';

/** A log entry with what this node knows of its data. */
export interface KnownEntry {
  readonly entry: LogEntry;
  readonly state: EntryState;
}

/** Finds the log entry that a request means. */
export class EntryFinder {
  readonly #log: Pick<LogStore, 'entryAt' | 'stateOf' | 'findByRoot'>;

  constructor(log: Pick<LogStore, 'entryAt' | 'stateOf' | 'findByRoot'>) {
    this.#log = log;
  }

  /** The entry of a sequence, pruned ones too. */
  async bySequence(sequence: Sequence): Promise<KnownEntry | undefined> {
    const entry = await this.#log.entryAt(sequence);
    return entry === undefined ? undefined : this.#known(entry);
  }

  /** The entry that a root means: the first finalised one, else the first that is not pruned. */
  async byRoot(root: Root, signal: AbortSignal): Promise<KnownEntry | undefined> {
    const entry = await this.#log.findByRoot(root, signal);
    return entry === undefined ? undefined : this.#known(entry);
  }

  /** By sequence if there is one, else by root. */
  async find(
    { root, sequence }: { readonly root: Root; readonly sequence: Sequence | undefined },
    signal: AbortSignal,
  ): Promise<KnownEntry | undefined> {
    return sequence === undefined ? this.byRoot(root, signal) : this.bySequence(sequence);
  }

  async #known(entry: LogEntry): Promise<KnownEntry> {
    return { entry, state: await this.#log.stateOf(entry.sequence) };
  }
}
