import { createChainClient } from '@cairn/chain-access';
import type { Finality } from '@cairn/chain-access/da';
import {
  type Ordering,
  openOrderingOf,
  readHead,
  readShard,
  readShardCount,
  type Shard,
  ShardBook,
} from '@cairn/chain-access/shards';
import type { Hasher } from '@cairn/commitments';
import {
  type Address,
  type ChainId,
  describeError,
  Fault,
  parseAddress,
  Semaphore,
  withDeadline,
} from '@cairn/primitives';
import { badOption, type ClientParts, Connection } from '../connection.ts';
import { MAX_SHARD_PLACES, type ShardPlace, type ShardsOptions } from './shard-options.ts';

/** How long what the registry said counts: shards come and go by a timelock. */
const KNOWN_MS = 60_000;
/** How long a hub that did not answer is not asked again. */
const SILENT_MS = 10_000;
/** What asking the hub may take while somebody waits for a file. */
const HUB_MS = 10_000;
/** Calls that wait for the registry at a time. */
const MAX_WAITING = 256;
const MAX_COIN_WEIGHT = 1_000_000;

/** What is asked of one shard's log. */
export type ShardConnection = Pick<
  Connection,
  'locate' | 'openNetwork' | 'openDestination' | 'contract' | 'price' | 'fees' | 'economics'
>;

/** A consensus shard whose log can hold files. */
export interface KnownShard {
  /** Its number at the hub. */
  readonly shard: number;
  readonly chainId: ChainId;
  readonly flow: Address | undefined;
  readonly finality: Finality;
  /** Blocks between two checkpoints; `undefined` where no hub says so. */
  readonly periodBlocks: number | undefined;
  readonly coinWeight: number;
  /** The way there; `undefined` where the client was told of none. */
  readonly connection: ShardConnection | undefined;
}

interface Call {
  readonly signal: AbortSignal;
}

/** Which consensus shards there are, from the hub's registry, and how each is reached. */
export class ShardDirectory {
  readonly #options: ShardsOptions;
  readonly #parts: ClientParts;
  readonly #hasher: () => Promise<Hasher>;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #connections = new Map<string, Connection>();
  #ordering: Ordering | undefined;
  #known: readonly KnownShard[] | undefined;
  #askAgainMs = 0;

  constructor(options: ShardsOptions, parts: ClientParts, hasher: () => Promise<Hasher>) {
    assertOptions(options);
    this.#options = options;
    this.#parts = parts;
    this.#hasher = hasher;
  }

  /** Names the set of shards: what an upload was begun for is not taken for another network's. */
  get name(): string {
    const { hub, places } = this.#options;
    const who = hub?.sortition ?? places.map(({ chainId, shard }) => `${chainId}:${shard}`).join();
    return `shards ${who.toLowerCase()}`;
  }

  /**
   * All shards with a log, by rising number. While the hub does not answer, what it said last counts, or else what the
   * places say themselves.
   *
   * @throws {SdkError} SDK_OPTION where neither tells of a shard; the signal's reason
   */
  async shards({ signal }: Call): Promise<readonly KnownShard[]> {
    const { clock, logger } = this.#parts;
    return this.#turn.run(async () => {
      if (this.#known !== undefined && clock.monotonic() < this.#askAgainMs) return this.#known;
      let keepMs = KNOWN_MS;
      try {
        const ask = (inner: AbortSignal) => this.#registered({ signal: inner });
        const found = await withDeadline('the hub', HUB_MS, ask, { clock, signal });
        this.#known = found ?? this.#configured();
      } catch (error) {
        if (signal.aborted || !(error instanceof Fault)) throw error;
        keepMs = SILENT_MS;
        logger.warn({ reason: describeError(error) }, 'the registry of shards cannot be read');
        this.#known ??= this.#configured();
      }
      this.#askAgainMs = clock.monotonic() + keepMs;
      if (this.#known.length > 0) return this.#known;
      throw badOption('shards', 'neither the hub nor any place says which shard it is');
    }, signal);
  }

  /** The way to the first place, which streams are written to. */
  async home({ signal }: Call): Promise<ShardConnection> {
    const [first] = this.#options.places;
    const all = await this.shards({ signal });
    const home = all.find(({ shard, chainId }) =>
      first?.shard === undefined ? chainId === first?.chainId : shard === first.shard,
    );
    if (home?.connection !== undefined) return home.connection;
    throw badOption('shards', `the hub knows no log of chain ${first?.chainId}, the first place`);
  }

  /** Number of the newest ordered checkpoint of a shard; `undefined` where nobody orders. */
  async orderedNumber(shard: number, { signal }: Call): Promise<number | undefined> {
    if (this.#ordering === undefined) return undefined;
    return (await readHead(this.#ordering, shard, { signal })).number;
  }

  /** @returns `undefined` without a hub, or where it orders nothing */
  async #registered({ signal }: Call): Promise<readonly KnownShard[] | undefined> {
    const { hub, places } = this.#options;
    if (hub === undefined) return undefined;
    if (this.#ordering === undefined) {
      const { clock, transport } = this.#parts;
      const client = createChainClient({ rpcUrl: hub.rpc, clock, transport });
      const { firstBlock = 0 } = hub;
      const place = { client, sortition: parseAddress(hub.sortition), firstBlock };
      this.#ordering = await openOrderingOf(place, { signal });
    }
    if (this.#ordering === undefined) return undefined;
    const shards = await readRegistry(this.#ordering, places, { signal });
    // Checkpoints of shard 0 tell of the order where others tell of a log.
    const withLogs = shards.filter(({ shardId, flow }) => shardId !== 0 && flow !== undefined);
    return withLogs.map(({ shardId: shard, chainId, flow, finality, periodBlocks }) =>
      this.#placed({ shard, chainId, flow, finality, periodBlocks }),
    );
  }

  #configured(): readonly KnownShard[] {
    const shards = this.#options.places.flatMap(({ shard, chainId, flow: text }) => {
      const flow = text === undefined ? undefined : parseAddress(text);
      if (shard === undefined) return [];
      const pace = { finality: 'tag' as const, periodBlocks: undefined };
      return [this.#placed({ shard, chainId, flow, ...pace })];
    });
    return shards.toSorted((left, right) => left.shard - right.shard);
  }

  #placed(shard: Omit<KnownShard, 'coinWeight' | 'connection'>): KnownShard {
    const place = placeOf(shard, this.#options.places);
    if (place === undefined) return { ...shard, coinWeight: 1, connection: undefined };
    return { ...shard, coinWeight: place.coinWeight ?? 1, connection: this.#open(shard, place) };
  }

  #open(
    { shard, chainId, flow }: Pick<KnownShard, 'shard' | 'chainId' | 'flow'>,
    place: ShardPlace,
  ): ShardConnection {
    const key = `${shard} ${chainId} ${flow}`;
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      const { nodes = [], indexer, rpc } = place;
      const name = `shard ${shard}`;
      const where = { nodes, indexer, rpc, chainId, flow, name, shard };
      connection = new Connection(where, this.#parts, this.#hasher);
      this.#connections.set(key, connection);
    }
    return connection;
  }
}

/** The place of a shard: the one with its number, or else the one of its chain. */
function placeOf(
  { shard, chainId }: Pick<KnownShard, 'shard' | 'chainId'>,
  places: readonly ShardPlace[],
): ShardPlace | undefined {
  const own = places.filter((place) => place.chainId === chainId);
  return (
    own.find((place) => place.shard === shard) ?? own.find((place) => place.shard === undefined)
  );
}

/**
 * The registry as of the newest final block. Where the places name all of its shards, each is asked for by its number;
 * else the registry's events are read.
 */
async function readRegistry(
  ordering: Ordering,
  places: readonly ShardPlace[],
  { signal }: Call,
): Promise<readonly Shard[]> {
  const block = await ordering.hub.finalBlock({ signal });
  const named = new Set([
    0,
    ...places.flatMap(({ shard }) => (shard === undefined ? [] : [shard])),
  ]);
  if (named.size === (await readShardCount(ordering, { signal, block }))) {
    const shards: Shard[] = [];
    for (const shardId of [...named].sort((left, right) => left - right)) {
      const shard = await unlessUnknown(() => readShard(ordering, shardId, { signal, block }));
      if (shard !== undefined) shards.push(shard);
    }
    if (shards.length === named.size) return shards;
  }
  return new ShardBook(ordering).shards({ signal });
}

/** Numbers of places may be wrong. */
async function unlessUnknown<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Fault && error.code === 'CHAIN_RPC_ERROR') return undefined;
    throw error;
  }
}

function assertOptions({ hub, places }: ShardsOptions): void {
  if (places.length < 1 || places.length > MAX_SHARD_PLACES) {
    throw badOption('shards', `there are 1 to ${MAX_SHARD_PLACES} places, not ${places.length}`);
  }
  if (hub !== undefined && !URL.canParse(hub.rpc)) {
    throw badOption('shards', `${JSON.stringify(hub.rpc)} is no address of a hub`);
  }
  for (const { chainId, shard, nodes = [], indexer, rpc, coinWeight = 1 } of places) {
    const urls = [...nodes, indexer, rpc].filter((url) => url !== undefined);
    const wrong = urls.find((url) => !URL.canParse(url));
    if (wrong !== undefined) throw badOption('shards', `${JSON.stringify(wrong)} is no address`);
    if (hub === undefined && shard === undefined) {
      throw badOption(
        'shards',
        `without a hub the place of chain ${chainId} has to say which shard it is`,
      );
    }
    if (!(coinWeight > 0 && coinWeight <= MAX_COIN_WEIGHT)) {
      const text = `a coin's weight is above 0 and up to ${MAX_COIN_WEIGHT}, not ${coinWeight}`;
      throw badOption('shards', text);
    }
  }
}
