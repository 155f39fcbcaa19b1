import type { BlobHeader } from '@cairn/attestation';
import { SignerError } from '../errors.ts';
import { misplaced } from './check-blob.ts';
import type { SignerChain, SignerNetwork } from './ports.ts';
import { PromiseCover } from './promise-cover.ts';
import type { SliceStore } from './slice-store.ts';

/** An entrance whose blobs a signer keeps and signs for, and the facts of its chain. */
export interface SignerPlace {
  readonly network: SignerNetwork;
  readonly chain: SignerChain;
}

/** Entrances of consensus shards beside the signer's own: they come and change while it runs. */
export interface OtherPlaces {
  /** The entrance of a shard; `away` while its chain was not reached yet, `undefined` where none is served. */
  of(shardId: number): SignerPlace | 'away' | undefined;
  /** Those that are served now. */
  all(): readonly SignerPlace[];
}

/** An entrance with what covers promises there. */
export interface CoveredPlace extends SignerPlace {
  readonly cover: PromiseCover;
}

/** What a book of places works with. */
export interface PlaceBookDeps {
  /** The entrance on the hub's chain. */
  readonly home: SignerPlace;
  readonly others: OtherPlaces;
  readonly store: Pick<SliceStore, 'ofPayer'>;
}

/**
 * The entrances that one signer serves, by shard: each with its chain, its rules and its payers, all
 * with one disk and one log of what was signed.
 */
export class PlaceBook {
  readonly home: CoveredPlace;
  readonly #deps: PlaceBookDeps;
  readonly #maxPayerBytes: number;
  /** At most one for each shard of the registry. */
  readonly #covered = new Map<number, CoveredPlace>();

  /** @param maxPayerBytes - bytes of one payer's open slices of one quorum of a shard at most */
  constructor(deps: PlaceBookDeps, { maxPayerBytes }: { readonly maxPayerBytes: number }) {
    this.#deps = deps;
    this.#maxPayerBytes = maxPayerBytes;
    this.home = this.#cover(deps.home);
  }

  /** The entrance of a shard; `undefined` where it is not served, or not yet. */
  of(shardId: number): CoveredPlace | undefined {
    if (shardId === this.home.network.shardId) return this.home;
    const place = this.#deps.others.of(shardId);
    return place === undefined || place === 'away' ? undefined : this.#known(place);
  }

  /**
   * The entrance that a blob is of, by its header.
   *
   * @throws {SignerError} SHARD_AWAY; BLOB_MISPLACED for a shard that is not served
   */
  require(header: Pick<BlobHeader, 'shardId' | 'submissionIndex'>): CoveredPlace {
    const { shardId } = header;
    const place = this.of(shardId);
    if (place !== undefined) return place;
    if (this.#deps.others.of(shardId) === 'away') {
      throw new SignerError(
        { code: 'SHARD_AWAY', shardId },
        `the chain of shard ${shardId} was not reached yet`,
      );
    }
    throw misplaced(header, 'shard', this.home.network.shardId, shardId);
  }

  /** All that are served now, the own first. */
  all(): readonly CoveredPlace[] {
    return [this.home, ...this.#deps.others.all().map((place) => this.#known(place))];
  }

  #known(place: SignerPlace): CoveredPlace {
    const { shardId } = place.network;
    const known = this.#covered.get(shardId);
    if (known?.chain === place.chain && known.network === place.network) return known;
    const covered = this.#cover(place);
    this.#covered.set(shardId, covered);
    return covered;
  }

  #cover({ network, chain }: SignerPlace): CoveredPlace {
    const { store } = this.#deps;
    const { shardId } = network;
    const cover = new PromiseCover(
      { chain, store, shardId },
      { maxPayerBytes: this.#maxPayerBytes },
    );
    return { network, chain, cover };
  }
}

/** For a signer that serves no other entrance than its own. */
export const NO_OTHER_PLACES: OtherPlaces = { of: () => undefined, all: () => [] };
