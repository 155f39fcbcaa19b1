import type { Hasher } from '@cairn/commitments';
import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import {
  type Clock,
  type HttpTransport,
  type Logger,
  type Metrics,
  type PeerNetwork,
  type Rng,
  runTogether,
  type WorkerPool,
} from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { PeerLog } from '@cairn/wire-protocol/peers';
import type { DiskGuard } from '../disk-guard.ts';
import type { EntryFinder } from '../entry-finder.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';
import { SegmentFetcher } from './fetch-segments.ts';
import { FileNews } from './file-news.ts';
import { ShardFiller } from './fill-shard.ts';
import { PeerKeeper } from './keep-peers.ts';
import { PeerBook } from './peer-book.ts';
import { RecordOffice } from './record-office.ts';
import { serveSegments } from './serve-segments.ts';
import { createSyncMetrics } from './sync-metrics.ts';

/** What taking part in the network works with. */
export interface SyncDeps {
  readonly network: PeerNetwork;
  /** `undefined` where peers are only reached over the network. */
  readonly transport: HttpTransport | undefined;
  readonly mayAsk: (url: string) => Promise<boolean>;
  readonly log: LogStore;
  readonly store: SegmentStore;
  readonly finder: EntryFinder;
  readonly reader: Pick<SegmentReader, 'read'>;
  readonly hasher: Hasher;
  /** Threads that hash what comes from peers; without them it is hashed here. */
  readonly hashing: WorkerPool | undefined;
  readonly disk: DiskGuard;
  readonly settle: (entry: LogEntry, signal: AbortSignal) => Promise<void>;
  readonly shard: () => ShardConfig;
  readonly publicUrl: () => string | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Bounds and beginnings. */
export interface SyncOptions {
  readonly boot: readonly string[];
  readonly targetPeers: number;
  readonly parallelRequests: number;
  /** Whether what the shard lacks is fetched; a node may only serve. */
  readonly fills: boolean;
}

/** Other nodes as this one sees them now. */
export interface SyncPeers {
  /** Peers whose record is held. */
  readonly known: number;
  /** Peers that are kept out, or were until lately. */
  readonly banned: number;
  readonly connected: readonly string[];
  /** Those whose connection this node opened. */
  readonly dialled: ReadonlySet<string>;
}

/** A peer that lied is kept out for a day. */
const BAN_MS = 24 * 3_600_000;

/** A node's part in the network of its peers, wired. */
export class Sync {
  readonly #deps: SyncDeps;
  readonly #book: PeerBook;
  readonly #office: RecordOffice;
  readonly #news: FileNews;
  readonly #keeper: PeerKeeper;
  readonly #filler: ShardFiller | undefined;

  constructor(deps: SyncDeps, options: SyncOptions) {
    const { network, store, clock, rng, logger, shard, disk, settle } = deps;
    const log: PeerLog = { chainId: deps.log.chainId, flow: deps.log.flow };
    const metrics = createSyncMetrics(deps.metrics);
    const book = new PeerBook({ clock, isConnected: (peer) => network.peers().includes(peer) });
    const onLie = async (peer: string, reason: string): Promise<void> => {
      logger.warn({ peer, reason }, 'a peer lied and is kept out');
      metrics.bans.add(1, { reason: 'lie' });
      book.ban(peer, BAN_MS); // over HTTP no connection is there to be refused
      await network.drop(peer, BAN_MS);
    };
    const fetcher = new SegmentFetcher({ ...deps, log });
    this.#deps = deps;
    this.#book = book;
    this.#filler = options.fills
      ? new ShardFiller(
          {
            log: deps.log,
            store,
            book,
            fetcher,
            settle,
            disk,
            shard,
            clock,
            logger,
            metrics,
            onFetched: (sequence) => this.#news.noteFetched(sequence),
            onLie,
          },
          { parallelRequests: options.parallelRequests },
        )
      : undefined;
    this.#office = new RecordOffice({
      ...deps,
      book,
      log,
      onNewPeer: () => this.#filler?.retryAll(),
      onLie,
    });
    this.#keeper = new PeerKeeper(
      {
        network,
        book,
        office: this.#office,
        clock,
        rng,
        logger,
        metrics,
        onMet: () => this.#filler?.retryAll(),
      },
      { boot: options.boot, targetPeers: options.targetPeers },
    );
    this.#news = new FileNews({
      network,
      book,
      log,
      shard,
      store: deps.log,
      clock,
      rng,
      logger,
      metrics,
      onNews: (sequence) => this.#filler?.announce(sequence),
      onStranger: () => this.#keeper.askAround(),
    });
  }

  /** Whose record is held, who there is a connection to, and who is kept out. */
  get peers(): SyncPeers {
    const { network } = this.#deps;
    const { size: known, banned } = this.#book;
    return { known, banned, connected: network.peers(), dialled: new Set(network.dialled()) };
  }

  /** This node's peer id. */
  get self(): string {
    return this.#deps.network.self;
  }

  /** Where this node can be dialled. */
  get addresses(): readonly string[] {
    return this.#deps.network.addresses;
  }

  /** The storage nodes that are known. */
  get book(): Pick<PeerBook, 'records' | 'recordOf' | 'size'> {
    return this.#book;
  }

  /** Serves, hears and answers from now on. */
  async open(): Promise<void> {
    const { network, finder, reader, log } = this.#deps;
    await this.#office.open();
    await serveSegments({ network, finder, reader, log: { chainId: log.chainId, flow: log.flow } });
    this.#news.open();
  }

  /** Meets peers and fills the shard until `signal` aborts. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const parts = [this.#keeper, this.#news, ...(this.#filler === undefined ? [] : [this.#filler])];
    await runTogether(
      parts.map((part) => (inner) => part.run(inner)),
      signal,
    );
  }

  /** An entry came from the chain. `isNew`: just now, so that its uploader is at work. */
  noteEntry({ sequence }: LogEntry, { isNew }: { readonly isNew: boolean }): void {
    if (isNew) this.#filler?.defer(sequence);
    else this.#filler?.reconsider(sequence);
  }

  /** Asks peers for what is missing of an entry next. */
  fetchSoon({ sequence }: Pick<LogEntry, 'sequence'>): void {
    this.#filler?.announce(sequence);
  }

  /** An entry lost a segment. */
  noteDamage({ sequence }: LogEntry): void {
    this.#filler?.reconsider(sequence);
  }

  /** An entry is finalised here. */
  noteFinalised(entry: LogEntry): void {
    this.#news.tell(entry);
  }
}
