import {
  type BlobHeader,
  type Committee,
  type EpochHeader,
  encodeBlobHeader,
  leafHash,
} from '@cairn/attestation';
import type { BlockEntropy, LoggedConfirmation } from '@cairn/chain-access/da';
import type { Hasher } from '@cairn/commitments';
import type { RowSuite } from '@cairn/commitments/rows';
import { assignRows, type RowArc } from '@cairn/erasure-codec';
import {
  type Address,
  bigEndianBytes,
  type Clock,
  compareBytes,
  concatBytes,
  keccak256,
  LruCache,
  type Root,
  rootOf,
  viewOf,
} from '@cairn/primitives';
import type { ChainOptions } from '../ports.ts';
import { layoutOfHeld } from '../slice-file.ts';
import type { BatchBook, BatchFetchDeps } from './batch-book.ts';
import type { OfficeChain } from './ports.ts';

/** What the chain tells about draws, from final blocks. */
export interface DrawChain {
  readonly periodBlocks: number;
  /** A row is drawn where its 32 bits of a hash are not above it. */
  readonly drawTarget: number;
  finalBlock(options: ChainOptions): Promise<number>;
  /** Of a final block. */
  entropyOf(block: number, options: ChainOptions): Promise<BlockEntropy | undefined>;
  /** Confirmed batches of an epoch and later ones, in the chain's order. */
  batchesSince(epoch: number, options: ChainOptions): Promise<readonly LoggedConfirmation[]>;
}

/** A row that a period's seed asks for. */
export interface DrawnRow {
  readonly period: number;
  /** Leaf of the blob's header, 32 bytes. */
  readonly leaf: Uint8Array;
  readonly row: number;
  /** keccak-256 of the hash that drew it, and the row. */
  readonly line: Uint8Array;
  readonly header: BlobHeader;
  /** Who holds it by its seats. */
  readonly holder: Address;
  /** The first batch that holds the header, and its place there. */
  readonly batch: LoggedConfirmation;
  readonly leafIndex: number;
}

/** All rows that a period's seed asks for. */
export interface PeriodDraw {
  readonly period: number;
  readonly seed: Uint8Array;
  /** Unix seconds of the seed's block. */
  readonly timeSeconds: number;
  /** The lowest line first. */
  readonly rows: readonly DrawnRow[];
  /** Whether the headers of all batches could be had. */
  readonly isComplete: boolean;
}

/** What draws are made of. */
export interface DrawDeps {
  readonly chain: OfficeChain;
  readonly mining: DrawChain;
  readonly batches: Pick<BatchBook, 'find'>;
  readonly fetching: BatchFetchDeps;
  /** One for each suite. */
  readonly suites: readonly RowSuite[];
  readonly hasher: Pick<Hasher, 'hashMany'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly maxRetentionEpochs: number;
}

/** Rows of one period at most: those with the lowest lines. */
const MAX_DRAWN = 4096;
/** Draws kept: those of two epochs of any network. */
const MAX_KEPT = 24;
/** Periods of one epoch at most. */
const MAX_PERIODS = 512;
/** Rows whose chances are in one hash, 32 bits each, the first row's lowest. */
const ROWS_PER_HASH = 8;
/** Hashes that are made before others get their turn: about two milliseconds. */
const HASHES_AT_ONCE = 2048;
/** What chances are the hash of: seed, leaf and number of the eight rows u256. */
const INPUT_BYTES = 96;
const HASH_BYTES = 32;

/**
 * Which rows a period's seed asks for: the same for everyone. Rows of all blobs that were confirmed
 * before the seed's block, are not void and have not expired, each once in however many batches its
 * blob stands, whose chance is not above the target.
 *
 * @see contracts/src/da/HeldLottery.sol, which draws in the same way
 */
export class RowDraws {
  readonly #deps: DrawDeps;
  readonly #kept = new LruCache<number, PeriodDraw>({ maxWeight: MAX_KEPT });

  constructor(deps: DrawDeps) {
    this.#deps = deps;
  }

  /** The periods whose seeds' blocks are final and fall into an epoch's time, oldest first. @throws what the chain throws */
  async periodsOf(
    { startSeconds, endSeconds }: Pick<EpochHeader, 'startSeconds' | 'endSeconds'>,
    options: ChainOptions,
  ): Promise<readonly number[]> {
    const { mining } = this.#deps;
    const newest = Math.floor((await mining.finalBlock(options)) / mining.periodBlocks);
    const periods: number[] = [];
    for (let period = newest; period > 0 && periods.length < MAX_PERIODS; period -= 1) {
      const found = await mining.entropyOf(period * mining.periodBlocks, options);
      if (found === undefined || found.timeSeconds < startSeconds) break;
      if (found.timeSeconds < endSeconds) periods.push(period);
    }
    return periods.reverse();
  }

  /**
   * The rows of a period; `undefined` while its seed's block is not final.
   *
   * @throws what the chain and the store throw; the signal's reason
   */
  async ofPeriod(period: number, options: ChainOptions): Promise<PeriodDraw | undefined> {
    const known = this.#kept.get(period);
    if (known !== undefined) return known;
    const { mining } = this.#deps;
    const block = period * mining.periodBlocks;
    if (block > (await mining.finalBlock(options))) return undefined;
    const entropy = await mining.entropyOf(block, options);
    if (entropy === undefined) return undefined;
    const draw = await this.#draw(period, entropy, options);
    if (draw.isComplete) this.#kept.set(period, draw);
    return draw;
  }

  async #draw(
    period: number,
    { block, seed, timeSeconds }: BlockEntropy,
    options: ChainOptions,
  ): Promise<PeriodDraw> {
    const { chain, mining, batches, fetching, maxRetentionEpochs } = this.#deps;
    const oldest = (await chain.currentEpoch(options)) - maxRetentionEpochs - 2;
    const confirmed = await mining.batchesSince(Math.max(0, oldest), options);
    const seen = new Set<Root>();
    let rows: DrawnRow[] = [];
    let isComplete = true;
    for (const batch of confirmed) {
      if (batch.block >= block.number) continue;
      const committee = await chain.committee(batch.epoch, batch.quorumId, options);
      if (committee === undefined) continue;
      const found = await batches.find({ root: batch.root, committee }, fetching, options);
      if (found === undefined) {
        isComplete = false;
        continue;
      }
      for (const [leafIndex, header] of found.headers.entries()) {
        if (batch.voids.has(leafIndex) || header.expirySeconds <= timeSeconds) continue;
        const leaf = leafHash(encodeBlobHeader(header));
        const name = rootOf(leaf);
        if (seen.has(name)) continue;
        seen.add(name);
        const place = { period, leaf, header, batch, leafIndex };
        rows.push(...(await this.#rowsOf(place, seed, committee, options)));
      }
      if (rows.length > 2 * MAX_DRAWN) rows = lowest(rows);
    }
    return { period, seed, timeSeconds, rows: lowest(rows), isComplete };
  }

  async #rowsOf(
    place: Omit<DrawnRow, 'row' | 'line' | 'holder'>,
    seed: Uint8Array,
    committee: Committee,
    { signal }: ChainOptions,
  ): Promise<DrawnRow[]> {
    const { clock, mining, hasher } = this.#deps;
    const { rows: all } = layoutOfHeld(place.header);
    const drawn: DrawnRow[] = [];
    let arcs: readonly RowArc<Address>[] | undefined;
    const groups = all / ROWS_PER_HASH; // a blob has a multiple of 64 rows
    for (let first = 0; first < groups; first += HASHES_AT_ONCE) {
      const count = Math.min(HASHES_AT_ONCE, groups - first);
      const hashes = hasher.hashMany(groupInputs(seed, place.leaf, first, count), INPUT_BYTES);
      for (const { at, row } of chosenRows(hashes, first, mining.drawTarget)) {
        arcs ??= this.#arcsOf(place.header, committee);
        const holder = arcs.find(({ start, count: held }) => (row - start + all) % all < held)?.id;
        const line = keccak256(
          concatBytes(hashes.subarray(at, at + HASH_BYTES), bigEndianBytes(row, 32)),
        );
        if (holder !== undefined) drawn.push({ ...place, row, line, holder });
      }
      await clock.sleep(0, signal);
    }
    return drawn;
  }

  #arcsOf(header: BlobHeader, { members, snapshot }: Committee): readonly RowArc<Address>[] {
    const suite = this.#deps.suites.find(({ id }) => id === header.suite);
    if (suite === undefined) return [];
    const seats = members.map(({ signer, seats: count }) => ({ id: signer, seats: count }));
    const { commitment } = header;
    const { seed } = snapshot.office;
    return assignRows(seats, layoutOfHeld(header), { suite, commitment, seed });
  }
}

/** What the chances of some groups of rows are hashes of, one after another. */
function groupInputs(seed: Uint8Array, leaf: Uint8Array, first: number, count: number): Uint8Array {
  const inputs = new Uint8Array(count * INPUT_BYTES);
  const view = viewOf(inputs);
  for (let at = 0; at < inputs.length; at += INPUT_BYTES) {
    inputs.set(seed, at);
    inputs.set(leaf, at + 32);
    view.setUint32(at + INPUT_BYTES - 4, first + at / INPUT_BYTES);
  }
  return inputs;
}

/** Rows that hashes choose, and where the hash of each lies; `first` is the number of the first eight rows. */
function chosenRows(
  hashes: Uint8Array,
  first: number,
  target: number,
): readonly { readonly at: number; readonly row: number }[] {
  const view = viewOf(hashes);
  const chosen: { at: number; row: number }[] = [];
  for (let word = 0; word < hashes.length; word += 4) {
    if (view.getUint32(word) > target) continue;
    const at = word - (word % HASH_BYTES);
    const place = ROWS_PER_HASH - 1 - (word - at) / 4; // the lowest bits are the last bytes
    chosen.push({ at, row: (first + at / HASH_BYTES) * ROWS_PER_HASH + place });
  }
  return chosen;
}

function lowest(rows: readonly DrawnRow[]): DrawnRow[] {
  return [...rows].sort((left, right) => compareBytes(left.line, right.line)).slice(0, MAX_DRAWN);
}
