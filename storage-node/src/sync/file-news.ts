import type { LogEntry, LogStore } from '@cairn/log-layer';
import {
  BoundedQueue,
  type Clock,
  describeError,
  isFault,
  type Logger,
  LruCache,
  type PeerNetwork,
  type PeerVerdict,
  type Sequence,
} from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import {
  encodeFileAnnouncement,
  type FileAnnouncement,
  filesTopic,
  MAX_ANNOUNCEMENT_AGE_MS,
  MAX_CLOCK_DRIFT_MS,
  type PeerLog,
  parseFileAnnouncement,
} from '@cairn/wire-protocol/peers';
import type { PeerBook } from './peer-book.ts';
import type { SyncMetrics } from './sync-metrics.ts';

/** What telling and hearing works with. */
export interface FileNewsDeps {
  readonly network: Pick<PeerNetwork, 'publish' | 'subscribe'>;
  readonly book: PeerBook;
  readonly log: PeerLog;
  readonly shard: () => ShardConfig;
  readonly store: Pick<LogStore, 'nextSequence' | 'entryAt'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: SyncMetrics;
  /** Told that a peer holds its part of an entry now. */
  readonly onNews: (sequence: Sequence) => void;
  /** Told of a peer whose record is not held. */
  readonly onStranger: (peer: string) => void;
}

/** Time between announcements: fifty a second are heard by everybody. */
const TELL_MS = 20;
/** Entries that wait to be told of; a node that catches up leaves the rest to those who ask. */
const MAX_UNTOLD = 1000;
/** What was heard of whom, so that the same said twice is passed on once. */
const MAX_HEARD = 65_536;
/** Entries beyond those known here that an announcement may be about: the chain is seen unevenly. */
const MAX_AHEAD = 10_000;

/** Tells peers which files this node holds since now, and hears what they hold. */
export class FileNews {
  readonly #deps: FileNewsDeps;
  readonly #heard = new LruCache<string, number>({ maxWeight: MAX_HEARD });
  readonly #untold = new BoundedQueue<Sequence>(MAX_UNTOLD);

  constructor(deps: FileNewsDeps) {
    this.#deps = deps;
  }

  /** Hears announcements from now on. */
  open(): void {
    const { network, log } = this.#deps;
    network.subscribe(filesTopic(log), ({ from, bytes }) => this.#hear(from, bytes));
  }

  /** Tells of an entry that is finalised here, soon. What cannot be told now is found by asking. */
  tell({ sequence }: Pick<LogEntry, 'sequence'>): void {
    if (this.#untold.length < MAX_UNTOLD) this.#untold.push(sequence);
  }

  /** Tells what there is to tell, a bounded number a second, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const sequence of this.#untold.take(signal)) {
      await this.#publish(sequence);
      await this.#deps.clock.sleep(TELL_MS, signal);
    }
  }

  async #publish(sequence: Sequence): Promise<void> {
    const { network, log, shard, store, clock, logger, metrics } = this.#deps;
    const entry = await store.entryAt(sequence);
    if (entry === undefined) return;
    const { root } = entry;
    const news = { ...log, shard: shard(), sequence, root, saidAtMs: clock.now() };
    try {
      await network.publish(filesTopic(log), encodeFileAnnouncement(news));
      metrics.announcements.add(1, { direction: 'out' });
    } catch (error) {
      logger.debug({ sequence, reason: describeError(error) }, 'a file could not be announced');
    }
  }

  #hear(from: string, bytes: Uint8Array): PeerVerdict {
    const { log, clock, metrics, book, store, onNews, onStranger } = this.#deps;
    let news: FileAnnouncement;
    try {
      news = parseFileAnnouncement(bytes);
    } catch (error) {
      if (isFault(error)) return 'reject';
      throw error;
    }
    if (news.chainId !== log.chainId || news.flow !== log.flow) return 'reject';
    const ageMs = clock.now() - news.saidAtMs;
    if (ageMs > MAX_ANNOUNCEMENT_AGE_MS || ageMs < -MAX_CLOCK_DRIFT_MS) return 'ignore';
    if (news.sequence > store.nextSequence + MAX_AHEAD) return 'ignore';
    const key = `${from} ${news.sequence}`;
    if ((this.#heard.get(key) ?? 0) >= news.saidAtMs) return 'ignore';
    this.#heard.set(key, news.saidAtMs);
    metrics.announcements.add(1, { direction: 'in' });
    if (book.recordOf(from) === undefined) onStranger(from);
    book.notePresent(from, news.sequence);
    onNews(news.sequence);
    return 'accept';
  }
}
