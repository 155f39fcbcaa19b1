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
  type Rng,
  type Root,
  runTogether,
  type Sequence,
} from '@cairn/primitives';
import { countOwnedSegments, haveCommonSegments, type ShardConfig } from '@cairn/wire-protocol';
import {
  encodeFileAnnouncement,
  type FileAnnouncement,
  filesTopic,
  MAX_ANNOUNCEMENT_AGE_MS,
  MAX_CLOCK_DRIFT_MS,
  type PeerLog,
  parseFileAnnouncement,
} from '@cairn/wire-protocol/peers';
import { FileHolders } from './file-holders.ts';
import type { PeerBook } from './peer-book.ts';
import type { SyncMetrics } from './sync-metrics.ts';

/** What telling and hearing works with. */
export interface FileNewsDeps {
  readonly network: Pick<PeerNetwork, 'publish' | 'subscribe'>;
  readonly book: PeerBook;
  readonly log: PeerLog;
  readonly shard: () => ShardConfig;
  readonly store: Pick<LogStore, 'nextSequence' | 'entryAt' | 'stateOf' | 'marks'>;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: SyncMetrics;
  /** Told that a peer holds its part of an entry now, some of which may be this node's too. */
  readonly onNews: (sequence: Sequence) => void;
  /** Told of a peer whose record is not held. */
  readonly onStranger: (peer: string) => void;
}

/**
 * Holders of all that this node keeps of a file that suffice: with two announcements, each missed by one
 * node of fifty, all but one of 2,500 have heard. Those ask by themselves later.
 */
const ENOUGH_HOLDERS = 2;
/**
 * A node that is not the first waits for a time of chance up to this, ten times what gossip takes to be
 * everywhere: then most find that others were quicker.
 */
const MAX_HUSH_MS = 3000;
/** Time between announcements: fifty a second are heard by everybody. */
const TELL_MS = 20;
/** Entries that wait to be told of; a node that catches up leaves the rest to those who ask. */
const MAX_UNTOLD = 1000;
/** What was heard of whom, so that the same said twice is passed on once. */
const MAX_HEARD = 65_536;
/** Entries that peers gave something of lately. */
const MAX_FETCHED = 4096;
/** Entries beyond those known here that an announcement may be about: the chain is seen unevenly. */
const MAX_AHEAD = 10_000;

type News = Pick<LogEntry, 'sequence' | 'root'>;

/** What is told once its time has come. */
interface HushedNews extends News {
  /** Of the monotonic clock. */
  readonly fromMs: number;
}

/** Tells peers which files this node holds since now, and hears what they hold. */
export class FileNews {
  readonly #deps: FileNewsDeps;
  readonly #heard = new LruCache<string, number>({ maxWeight: MAX_HEARD });
  readonly #holders: FileHolders;
  readonly #fetched = new LruCache<Sequence, true>({ maxWeight: MAX_FETCHED });
  /** To be told at once: nobody else said that it holds them. */
  readonly #urgent = new BoundedQueue<News>(MAX_UNTOLD);
  /** To be told unless others do. */
  readonly #hushed = new BoundedQueue<HushedNews>(MAX_UNTOLD);

  constructor(deps: FileNewsDeps) {
    this.#deps = deps;
    this.#holders = new FileHolders(deps);
  }

  /** Hears announcements from now on. */
  open(): void {
    const { network, log } = this.#deps;
    network.subscribe(filesTopic(log), ({ from, bytes }) => this.#hear(from, bytes));
  }

  /**
   * Tells of an entry that is finalised here, if that means that there is something to be had: at once if
   * nobody else did, or in a while unless enough others do. What cannot be told now is found by asking.
   */
  tell(entry: LogEntry): void {
    const { clock, rng, shard } = this.#deps;
    if (!this.#ownsSome(entry) || this.#isOldNews(entry)) return;
    const { sequence, root } = entry;
    if (this.#holders.count(sequence, root, shard()) === 0) {
      if (this.#urgent.length < MAX_UNTOLD) this.#urgent.push({ sequence, root });
      return;
    }
    const fromMs = clock.monotonic() + rng.below(MAX_HUSH_MS);
    if (this.#hushed.length < MAX_UNTOLD) this.#hushed.push({ sequence, root, fromMs });
  }

  /** A peer gave something of an entry. */
  noteFetched(sequence: Sequence): void {
    this.#fetched.set(sequence, true);
  }

  /** Tells what there is to tell, a bounded number a second, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await runTogether(
      [(inner) => this.#tellUrgent(inner), (inner) => this.#tellHushed(inner)],
      signal,
    );
  }

  async #tellUrgent(signal: AbortSignal): Promise<void> {
    for await (const { sequence, root } of this.#urgent.take(signal)) {
      await this.#publish(sequence, root);
      await this.#deps.clock.sleep(TELL_MS, signal);
    }
  }

  async #tellHushed(signal: AbortSignal): Promise<void> {
    const { clock, metrics, shard } = this.#deps;
    for await (const { sequence, root, fromMs } of this.#hushed.take(signal)) {
      const leftMs = fromMs - clock.monotonic();
      if (leftMs > 0) await clock.sleep(leftMs, signal);
      if (this.#holders.count(sequence, root, shard()) >= ENOUGH_HOLDERS) {
        metrics.announcements.add(1, { direction: 'hushed' });
        continue;
      }
      await this.#publish(sequence, root);
      await clock.sleep(TELL_MS, signal);
    }
  }

  async #publish(sequence: Sequence, root: Root): Promise<void> {
    const { network, log, shard, store, clock, logger, metrics } = this.#deps;
    // The chain may have put another file into its place meanwhile, or the disk lost a segment.
    const entry = await store.entryAt(sequence);
    if (entry?.root !== root || !this.#ownsSome(entry)) return;
    if (!(await store.stateOf(sequence)).finalized) return;
    const news = { ...log, shard: shard(), sequence, root, saidAtMs: clock.now() };
    try {
      await network.publish(filesTopic(log), encodeFileAnnouncement(news));
      metrics.announcements.add(1, { direction: 'out' });
    } catch (error) {
      logger.debug({ sequence, reason: describeError(error) }, 'a file could not be announced');
    }
  }

  /** What a late joiner gets from peers, older than the blocks that are remembered, is known to them. */
  #isOldNews({ sequence, block }: LogEntry): boolean {
    if (this.#fetched.get(sequence) === undefined) return false;
    const [oldest] = this.#deps.store.marks();
    return oldest !== undefined && block.number < oldest.number;
  }

  #ownsSome({ startSector, sizeBytes }: LogEntry): boolean {
    return countOwnedSegments(this.#deps.shard(), startSector, sizeBytes) > 0;
  }

  #hear(from: string, bytes: Uint8Array): PeerVerdict {
    const { log, clock, metrics, book, store, shard, onNews, onStranger } = this.#deps;
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
    if (book.isBanned(from)) return 'ignore'; // and no stranger to ask others about
    const key = `${from} ${news.sequence}`;
    if ((this.#heard.get(key) ?? 0) >= news.saidAtMs) return 'ignore';
    this.#heard.set(key, news.saidAtMs);
    metrics.announcements.add(1, { direction: 'in' });
    if (book.recordOf(from) === undefined) onStranger(from);
    // Of a file in many pieces each shard tells; what other shards hold is nothing to be had here.
    if (haveCommonSegments(news.shard, shard())) {
      book.notePresent(from, news.sequence);
      this.#holders.note(from, news);
      onNews(news.sequence);
    }
    return 'accept';
  }
}
