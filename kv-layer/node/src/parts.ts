import { join } from 'node:path';
import type { LocalSigner } from '@cairn/chain-access';
import { createClient } from '@cairn/client-sdk';
import type { Hasher } from '@cairn/commitments';
import type { AppliedEntry } from '@cairn/kv-layer';
import { createLogMetrics, type LogStore } from '@cairn/log-layer';
import {
  type Clock,
  equalBytes,
  type Logger,
  type Metrics,
  Semaphore,
  type SubmissionNode,
  sequenceOf,
} from '@cairn/primitives';
import { Answers } from './answers.ts';
import { readAttestKey } from './attest/read-key.ts';
import { Bootstrap } from './bootstrap/begin-with-snapshot.ts';
import type { KvNodeConfig } from './config.ts';
import type { ConnectedChain } from './connect-chain.ts';
import { DiskRoom } from './disk-room.ts';
import { Undone } from './kvx/undone.ts';
import { createKvNodeMetrics, type KvNodeMetrics } from './metrics.ts';
import { Notice } from './notice.ts';
import { openStores } from './open-stores.ts';
import { ChainFollower } from './replay/chain-follower.ts';
import { EntryFactsBook } from './replay/entry-facts.ts';
import { FileFetcher, type FileFetcherDeps } from './replay/file-fetcher.ts';
import { StateKeeper } from './replay/keep-state.ts';
import { readRings, ringsDigest } from './replay/read-rings.ts';
import type { StreamSet } from './streams/stream-set.ts';

/** What the parts are made of. */
export interface KvNodePartsDeps {
  readonly config: KvNodeConfig;
  readonly chain: ConnectedChain;
  /** Unless told, the storage nodes that the configuration names. */
  readonly files: FileFetcherDeps['files'] | undefined;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly freeBytes: () => Promise<number | undefined>;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** The parts of a running key-value node, wired. */
export interface KvNodeParts {
  readonly log: LogStore;
  readonly streams: StreamSet;
  readonly follower: ChainFollower;
  readonly keeper: StateKeeper;
  readonly answers: Answers;
  /** Rings when there are streams to watch that were not wanted before. */
  readonly wanted: Notice;
  /** Rings after entries were applied or taken back, or another state answers. */
  readonly replayed: Notice;
  /** What was taken back lately. */
  readonly undone: Undone;
  /** Vouches for state roots; `undefined` where no key is configured. */
  readonly signer: LocalSigner | undefined;
  /** Begins with a snapshot; `undefined` where none is configured. */
  readonly bootstrap: Bootstrap | undefined;
  readonly metrics: KvNodeMetrics;
  /** What was found damaged at the start and is replayed anew. */
  readonly rebuilt: string | undefined;
}

/** A storage node that was caught may be the only one that has a file, and may have been repaired. */
const CONVICTION_MS = 5000;
/** Calls for the right to change what is stored that may wait: the follower, two replays, repairs. */
const MAX_TURNS_WAITING = 64;

/** Opens the stores and wires everything above them. @throws as `openStores` */
export async function openParts(
  { config, chain, hasher, clock, logger, freeBytes, opened, ...deps }: KvNodePartsDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<KvNodeParts> {
  const metrics = createKvNodeMetrics(deps.metrics);
  const signer = await readAttestKey(config.attest, signal);
  const rings = await readRings(config.decrypt);
  const keys = ringsDigest(rings);
  const { chainId, flow } = chain.chainLog;
  const { log, index, generations, streams, rebuilt } = await openStores(
    { hasher, logger, opened },
    config,
    { chainId, flow, keys },
    { signal },
  );
  const { replay, storage, node } = config;
  const fileClient = deps.files ?? openClient();
  /** Reads from storage nodes; what they say of entries is judged by this node's own log. */
  function openClient(): FileFetcherDeps['files'] {
    const client = createClient({
      nodes: storage.nodes,
      ...(storage.indexer === undefined ? {} : { indexer: storage.indexer }),
      convictionMs: CONVICTION_MS,
      threads: 0, // what is fetched is hashed as it comes, in WASM
      checkEntry: async ({ sequence, sizeBytes, nodes }) => {
        const entry = await log.entryAt(sequenceOf(sequence));
        if (entry === undefined) return undefined;
        return entry.sizeBytes === sizeBytes && sameNodes(entry.nodes, nodes);
      },
      clock,
      logger: logger.child({ part: 'files' }),
    });
    opened(() => client.close());
    return client.files;
  }
  const files = await FileFetcher.open(
    {
      files: fileClient,
      freeBytes,
      clock,
      logger,
      onFetched: (sizeBytes) => metrics.fetchedBytes.add(sizeBytes),
      onFailed: () => metrics.failedFetches.add(),
    },
    {
      memoryFileBytes: replay.memoryFileBytes,
      spoolDirectory: join(node.dataDirectory, 'spool'),
      cacheBytes: replay.cacheBytes,
      reserveBytes: node.reserveBytes,
      rings,
    },
  );
  const turn = new Semaphore({ limit: 1, maxWaiting: MAX_TURNS_WAITING });
  const [changed, wanted, replayed] = [new Notice(), new Notice(), new Notice()];
  const undone = new Undone();
  const facts = new EntryFactsBook({ client: chain.client, kv: index }, config.chain);
  const { require: requireRoom } = new DiskRoom({ freeBytes, clock }, node);
  const bootstrap =
    config.bootstrap &&
    new Bootstrap(
      {
        generations,
        identity: {
          chainId,
          flow,
          senders: config.chain.senders,
          ...(keys === undefined ? {} : { keys }),
        },
        files: fileClient,
        log,
        facts,
        isLogRead: () => follower.isCaughtUp,
        kv: index,
        requireRoom,
        clock,
        logger,
      },
      config.bootstrap,
    );
  const keeper = new StateKeeper(
    {
      generations,
      streams,
      log,
      kv: index,
      ...(bootstrap === undefined ? {} : { bootstrap }),
      facts,
      files,
      turn,
      changed,
      wanted,
      requireRoom,
      clock,
      logger,
      onApplied: (applied) => {
        metrics.appliedEntries.add(applied.length);
        for (const entry of applied) metrics.results.add(1, { result: kindOf(entry) });
        replayed.ring();
      },
      onUndone: async (from, signal) => {
        undone.note(from);
        await answers.indexes.rolledBack(from, { signal });
        replayed.ring();
      },
      onPromoted: () => {
        undone.note(undefined);
        replayed.ring();
      },
    },
    { ...replay, discover: config.streams.discover },
  );
  const follower = new ChainFollower({
    chainLog: chain.chainLog,
    log,
    clock,
    logger,
    metrics: createLogMetrics(deps.metrics),
    confirmations: config.chain.confirmations,
    turn,
    undo: (inner) => keeper.undo(inner),
    onStep: (step) => {
      if (step.kind === 'rollback' || step.entries.length > 0) changed.ring();
    },
  });
  const answers = new Answers(() => keeper.state);
  return {
    log,
    streams,
    follower,
    keeper,
    answers,
    wanted,
    replayed,
    undone,
    signer,
    bootstrap,
    metrics,
    rebuilt,
  };
}

function sameNodes(left: readonly SubmissionNode[], right: readonly SubmissionNode[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ root }, place) => {
      const other = right[place]?.root;
      return other !== undefined && equalBytes(root, other);
    })
  );
}

/** A result as a label: of few kinds, whatever keys and accounts it names. */
function kindOf({ result }: AppliedEntry): string {
  if (result === 'Commit') return 'commit';
  if (result === 'VersionConfliction') return 'conflict';
  if (result === 'DownloadFailed') return 'missing';
  return result.startsWith('DataParseError') || result === 'TagsMismatch' ? 'malformed' : 'refused';
}
