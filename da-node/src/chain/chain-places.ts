import type { ChainClient } from '@cairn/chain-access';
import { type Entrance, openEntrance } from '@cairn/chain-access/da';
import { type Ordering, type Shard, ShardBook, ShardError } from '@cairn/chain-access/shards';
import { type Clock, describeError, forEachConcurrent, type Logger } from '@cairn/primitives';
import type { OtherPlaces, SignerPlace } from '../signer/places.ts';
import type { ChainOptions } from '../signer/ports.ts';
import type { ShardEndpoints } from './chain-shards.ts';
import { ChainSignerFacts, signerNetworkOf } from './chain-signer-facts.ts';
import type { DaChain } from './connect-chain.ts';

/** What the entrances of shards are found with. */
export interface ChainPlacesDeps {
  /** The hub with the entrance on its chain. */
  readonly chain: DaChain;
  readonly ordering: Ordering;
  readonly endpoints: Pick<ShardEndpoints, 'clientOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Entrances that are opened at once: a chain that is away holds up no other. */
const PARALLEL = 16;

/** An entrance as the registry names it, and what was opened there. */
interface Found {
  readonly name: string;
  readonly place: SignerPlace | 'away';
}

/**
 * Entrances of the consensus shards that the hub's registry names and this node has an endpoint for,
 * but its own. One that cannot be opened is tried again at every look, and told of once; an entrance
 * that the registry replaced is served no more.
 */
export class ChainPlaces implements OtherPlaces {
  readonly #deps: ChainPlacesDeps;
  readonly #book: ShardBook;
  /** `undefined` until the registry was read. */
  #found: ReadonlyMap<number, Found> | undefined;
  readonly #told = new Set<string>();

  constructor(deps: ChainPlacesDeps) {
    this.#deps = deps;
    this.#book = new ShardBook(deps.ordering);
  }

  of(shardId: number): SignerPlace | 'away' | undefined {
    return this.#found === undefined ? 'away' : this.#found.get(shardId)?.place;
  }

  all(): readonly SignerPlace[] {
    return [...(this.#found?.values() ?? [])].flatMap(({ place }) =>
      place === 'away' ? [] : [place],
    );
  }

  /** Runs until `signal` aborts; what fails is tried again at the next look. @throws the signal's reason */
  async run(pollMs: number, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    for (;;) {
      try {
        await this.look({ signal });
      } catch (error) {
        signal.throwIfAborted();
        logger.debug({ reason: describeError(error) }, 'the registry of shards was not read');
      }
      await clock.sleep(pollMs, signal);
    }
  }

  /** Reads the registry and opens what is new there. @throws what the hub's chain throws */
  async look({ signal }: ChainOptions): Promise<void> {
    const { chain, endpoints } = this.#deps;
    const found = new Map<number, Found>();
    const missing: Opening[] = [];
    for (const shard of await this.#book.shards({ signal })) {
      const { shardId, chainId, entrance } = shard;
      const client = endpoints.clientOf(chainId);
      if (entrance === undefined || client === undefined) continue;
      if (shardId === chain.entrance.settings.shardId) continue;
      const name = `${chainId}:${entrance}:${shard.finality}`;
      const before = this.#found?.get(shardId);
      const known = before?.name === name && before.place !== 'away' ? before : undefined;
      found.set(shardId, known ?? { name, place: 'away' });
      if (known === undefined) missing.push({ shard, entrance, client, name });
    }
    this.#found = found;
    const open = async (opening: Opening, inner: AbortSignal): Promise<void> => {
      const { shard, name } = opening;
      const { shardId, chainId } = shard;
      const { logger } = this.#deps;
      try {
        const place = await this.#open(opening, { signal: inner });
        found.set(shardId, { name, place });
        logger.info({ shardId, chainId }, 'blobs of a shard are kept here');
      } catch (error) {
        inner.throwIfAborted();
        if (this.#told.has(name)) return;
        this.#told.add(name);
        const reason = describeError(error);
        logger.warn({ shardId, chainId, reason }, 'the entrance of a shard was not opened');
      }
    };
    await forEachConcurrent(missing, open, { parallel: PARALLEL, signal });
  }

  /** @throws {ShardError} SHARD_OTHER_ENTRANCE; as `openEntrance` */
  async #open(
    { shard, entrance: address, client }: Opening,
    options: ChainOptions,
  ): Promise<SignerPlace> {
    const { chain } = this.#deps;
    const { shardId, chainId, finality } = shard;
    const { network } = chain.hub;
    const place = { client, entrance: address, chainId, network, finality };
    const entrance = await openEntrance(place, options);
    const { shardId: actual } = entrance.settings;
    if (actual !== shardId) {
      throw new ShardError(
        { code: 'SHARD_OTHER_ENTRANCE', expected: shardId, actual, entrance: address },
        `the entrance ${address} is of shard ${actual}, the registry has it as that of ${shardId}`,
      );
    }
    const there = chainOfEntrance(chain, entrance);
    return { network: signerNetworkOf(there), chain: new ChainSignerFacts(there) };
  }
}

interface Opening {
  readonly shard: Shard;
  readonly entrance: Entrance['domain']['address'];
  readonly client: ChainClient;
  readonly name: string;
}

/** The chain of another entrance of the same hub; whoever opened its client closes it. */
export function chainOfEntrance(
  { hub, signers, epochs }: Pick<DaChain, 'hub' | 'signers' | 'epochs'>,
  entrance: Entrance,
): DaChain {
  const { client, chainId } = entrance;
  return { client, chainId, hub, entrance, signers, epochs, close: async () => undefined };
}
