import type { FileTerms } from '@cairn/chain-access';
import type { LogEntry } from '@cairn/log-layer';
import {
  addRoute,
  pathText,
  queryNumber,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import {
  type ChainId,
  type Clock,
  LruCache,
  parseRoot,
  Semaphore,
  SingleFlight,
  sequenceOf,
} from '@cairn/primitives';
import {
  countReplicas,
  type EntryEconomics,
  entryEconomicsJson,
  type ShardConfig,
} from '@cairn/wire-protocol';
import type { ConnectedChain } from '../connect-chain.ts';
import type { EntryFinder } from '../entry-finder.ts';
import { StorageNodeError } from '../errors.ts';
import { storageRouteTable } from './route-table.ts';

/** What the door needs. */
export interface EconomicsDoorDeps {
  readonly chainId: ChainId;
  readonly finder: EntryFinder;
  readonly termsOf: ConnectedChain['termsOf'];
  /** The shards of all nodes known, this one's first. */
  readonly shards: () => readonly ShardConfig[];
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly stopping: AbortSignal;
}

/** How old an answer of the chain may be that is told again. */
const FRESH_MS = 60_000;
/** Answers kept; each takes some 1 KiB. */
const MAX_KEPT = 4096;
/** Files that the chain is asked about at once: each costs some ten requests and a day of events. */
const CONCURRENT = 2;
/** Requests that may wait for their turn. */
const MAX_WAITING = 64;

/** Nodes with a smaller part of a file than one in so many are not counted as its replicas. */
const MAX_COUNTED_SHARDS = 1024;

interface Kept {
  readonly terms: FileTerms;
  readonly replicas: EntryEconomics['replicas'];
  /** On the clock that only grows. */
  readonly untilMs: number;
}

/**
 * `GET /v1/entries/{root}/economics`: what a file cost, until when it is paid for, what a term more
 * costs, who proved it last, and how many nodes should keep it. The chain is asked once a minute
 * about a file, and about two at once, whoever asks.
 */
export function economicsDoor(deps: EconomicsDoorDeps): RouteGroup {
  const { chainId, finder, termsOf, shards, clock, stopping } = deps;
  const kept = new LruCache<number, Kept>({ maxWeight: MAX_KEPT });
  const flights = new SingleFlight<Kept>();
  const turns = new Semaphore({ limit: CONCURRENT, maxWaiting: MAX_WAITING });

  const ask = async (entry: LogEntry, signal: AbortSignal): Promise<Kept> => {
    const { startSector, paddedSectors: sectors, block, sequence } = entry;
    const terms = await turns.run(
      async () => termsOf?.({ startSector, sectors }, block.number, { signal }),
      signal,
    );
    if (terms === undefined) {
      throw new StorageNodeError(
        { code: 'FEES_UNKNOWN', sequence },
        `the contracts of the log of chain ${chainId} tell no fees of log entry ${sequence}`,
      );
    }
    const nodes = shards();
    const { least, most } = countReplicas(
      nodes.filter(({ count }) => count <= MAX_COUNTED_SHARDS),
      entry,
    );
    const replicas = { least, most, nodes: nodes.length };
    const found = { terms, replicas, untilMs: clock.monotonic() + FRESH_MS };
    kept.set(sequence, found);
    return found;
  };

  return (app) => {
    addRoute(app, storageRouteTable(), 'getEconomics', async (request, reply) => {
      const root = parseRoot(pathText(request, 'root'));
      const seq = queryNumber(request, 'seq');
      const signal = requestSignal(reply, stopping);
      const sequence = seq === undefined ? undefined : sequenceOf(seq);
      const known = await finder.find({ root, sequence }, signal);
      if (known === undefined || known.entry.root !== root) {
        throw new StorageNodeError(
          { code: 'ENTRY_UNKNOWN', root },
          `no log entry with the root ${root} is known here`,
        );
      }
      const { entry } = known;
      const held = kept.get(entry.sequence);
      const isFresh = held !== undefined && held.untilMs > clock.monotonic();
      // What several wait for is not ended by one who leaves.
      const { terms, replicas } = isFresh
        ? held
        : await flights.run(`${entry.sequence}`, () => ask(entry, stopping), signal);
      void reply.header('cache-control', 'no-store');
      return entryEconomicsJson({
        chainId,
        root,
        sequence: entry.sequence,
        ...terms,
        replicas,
      });
    });
  };
}
