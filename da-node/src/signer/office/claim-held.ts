import {
  type Committee,
  encodeBlobHeader,
  leafHash,
  snapshotHash,
  treePath,
} from '@cairn/attestation';
import type { HeldRow, OpenPeriod } from '@cairn/chain-access/da';
import { type RowSuite, RowTree } from '@cairn/commitments/rows';
import { assignRows, COMBINATION_BYTES } from '@cairn/erasure-codec';
import { type Address, type KeyValueStore, type Logger, rootOf } from '@cairn/primitives';
import type { ChainOptions } from '../ports.ts';
import { layoutOfHeld } from '../slice-file.ts';
import type { HeldSlice } from '../slice-index.ts';
import type { SliceStore } from '../slice-store.ts';
import type { BatchBook, BatchFetchDeps } from './batch-book.ts';
import type { DrawnRow, RowDraws } from './draw-rows.ts';
import { isWinner, nextTarget } from './lottery-target.ts';
import type { OfficeMetrics } from './metrics.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { OfficeChain } from './ports.ts';

/** What the held lottery asks of the chain. */
export interface LotteryChain {
  readonly maxRowBytes: number;
  readonly prizesPerPeriod: number;
  /** A row of `maxRowBytes` is paid the pot divided by this. */
  readonly potShare: number;
  readonly periodBlocks: number;
  finalBlock(options: ChainOptions): Promise<number>;
  /** The period that pays now. */
  openPeriod(options: ChainOptions): Promise<OpenPeriod>;
  potWei(options: ChainOptions): Promise<bigint>;
  gasPriceWei(options: ChainOptions): Promise<bigint>;
  /** Opens a period with the header of its first block. */
  open(period: number, options: ChainOptions): Promise<void>;
  /** Whether arcs of a quorum over so many rows can be proven, and making it so. */
  hasArcs(snapshot: Uint8Array, rows: number, options: ChainOptions): Promise<boolean>;
  publishArcs(committee: Committee, rows: number, options: ChainOptions): Promise<void>;
  /** Gas that a claim takes on trial; `undefined` where the contract would refuse it. */
  gasOf(held: HeldRow, options: ChainOptions): Promise<bigint | undefined>;
  claimHeld(held: HeldRow, options: ChainOptions): Promise<void>;
}

/** What claiming held rows needs. */
export interface HeldClaimerDeps {
  readonly chain: OfficeChain;
  readonly lottery: LotteryChain;
  readonly draws: Pick<RowDraws, 'ofPeriod'>;
  readonly batches: Pick<BatchBook, 'find'>;
  readonly fetching: BatchFetchDeps;
  readonly slices: Pick<SliceStore, 'get' | 'read'>;
  readonly suites: readonly RowSuite[];
  readonly address: Address;
  readonly store: KeyValueStore;
  readonly logger: Logger;
  readonly metrics: OfficeMetrics;
}

/** The suite whose rows the contract can check. */
const SUITE = 1;
/** Gas of opening a period, of a table of arcs and for each of its members, and of a claim and each of its bytes: to judge before anything is tried. */
const OPEN_GAS = 100_000n;
const ARCS_GAS = 80_000n;
const ARC_GAS = 9_000n;
const CLAIM_GAS = 160_000n;
const BYTE_GAS = 40n;
/** Rows of one period that are claimed at most. */
const MAX_CLAIMS = 64;

/** A row of this holder that wins. */
interface Winner {
  readonly drawn: DrawnRow;
  readonly slice: HeldSlice;
  /** Index u32, bytes and path, as they lie on disk. */
  readonly stored: Uint8Array;
  /** Coset roots, then combinations. */
  readonly proving: Uint8Array;
}

/**
 * Takes part in the held lottery: rows of suite 1 that the newest period draws, that this signer holds
 * and whose bytes win. Everything is worked out here before gas is spent: what wins, what the pot pays
 * for it, and what opening the period, the table of arcs and the claims cost.
 */
export class HeldClaimer {
  readonly #deps: HeldClaimerDeps;
  /** The newest period of which nothing is left to claim. */
  #settled = 0;

  constructor(deps: HeldClaimerDeps) {
    this.#deps = deps;
  }

  /** Claims what the newest period pays, if it is worth it. @throws what chain and disk throw; the signal's reason */
  async look(options: ChainOptions): Promise<void> {
    const { lottery, draws } = this.#deps;
    const newest = Math.floor((await lottery.finalBlock(options)) / lottery.periodBlocks);
    if (newest <= this.#settled) return;
    const draw = await draws.ofPeriod(newest, options);
    if (draw === undefined) return;
    const open = await lottery.openPeriod(options);
    if (open.period > newest) return;
    const isOpen = open.period === newest;
    const elapsed = newest - open.period;
    const target = isOpen ? open.target : nextTarget(open, elapsed, lottery.prizesPerPeriod);
    const winners = await this.#winners(draw.rows, target);
    const isWorth = winners.length > 0 && (await this.#isWorth(winners, isOpen, options));
    if (isWorth) {
      if (!isOpen) await lottery.open(newest, options);
      for (const winner of winners) await this.#claim(winner, options);
    }
    if (draw.isComplete) this.#settled = newest;
  }

  /** Rows of this holder that win and were not claimed. */
  async #winners(rows: readonly DrawnRow[], target: bigint): Promise<readonly Winner[]> {
    const { address, slices, store, lottery } = this.#deps;
    const winners: Winner[] = [];
    for (const drawn of rows) {
      const { header, holder, leaf, row, line } = drawn;
      const isMine = holder === address && header.suite === SUITE;
      if (!isMine || header.rowSizeBytes > lottery.maxRowBytes) continue;
      const slice = slices.get(rootOf(leaf));
      if (slice === undefined || winners.length >= MAX_CLAIMS) continue;
      if ((await store.get(officeKey(OFFICE_KEYS.prize, drawn.period, line))) !== undefined)
        continue;
      const { rows: all } = layoutOfHeld(header);
      const place = (row - slice.firstRow + all) % all;
      const read = place < slice.rows ? await slices.read(slice, [place]) : undefined;
      const stored = read?.rows[0];
      if (read === undefined || stored === undefined) continue;
      const bytes = stored.subarray(4, 4 + header.rowSizeBytes);
      if (!isWinner({ line, holder, row: bytes }, target)) continue;
      winners.push({ drawn, slice, stored, proving: read.proving });
    }
    return winners;
  }

  /** Whether the prizes together are more than all transactions cost. */
  async #isWorth(
    winners: readonly Winner[],
    isOpen: boolean,
    options: ChainOptions,
  ): Promise<boolean> {
    const { lottery, chain } = this.#deps;
    const potWei = await lottery.potWei(options);
    let gas = isOpen ? 0n : OPEN_GAS;
    let prizesWei = 0n;
    const tables = new Set<string>();
    for (const { drawn } of winners) {
      const { header, batch } = drawn;
      prizesWei += this.#prizeWei(potWei, header.rowSizeBytes);
      gas += CLAIM_GAS + BYTE_GAS * BigInt(header.rowSizeBytes);
      const { rows } = layoutOfHeld(header);
      const name = `${batch.epoch}/${batch.quorumId}/${rows}`;
      if (tables.has(name)) continue;
      tables.add(name);
      const committee = await chain.committee(batch.epoch, batch.quorumId, options);
      if (committee === undefined) return false;
      if (await lottery.hasArcs(snapshotHash(committee.snapshot), rows, options)) continue;
      gas += ARCS_GAS + ARC_GAS * BigInt(committee.members.length);
    }
    return prizesWei > gas * (await lottery.gasPriceWei(options));
  }

  async #claim(winner: Winner, options: ChainOptions): Promise<void> {
    const { lottery, chain, store, logger, metrics } = this.#deps;
    const { period, header, batch, line, row } = winner.drawn;
    const committee = await chain.committee(batch.epoch, batch.quorumId, options);
    if (committee === undefined) return;
    const { rows } = layoutOfHeld(header);
    if (!(await lottery.hasArcs(snapshotHash(committee.snapshot), rows, options))) {
      await lottery.publishArcs(committee, rows, options);
    }
    const held = await this.#proven(winner, committee, options);
    if (held === undefined) return;
    const gas = await lottery.gasOf(held, options);
    const prizeWei = this.#prizeWei(await lottery.potWei(options), header.rowSizeBytes);
    if (gas === undefined || prizeWei <= gas * (await lottery.gasPriceWei(options))) return;
    await lottery.claimHeld(held, options);
    const key = officeKey(OFFICE_KEYS.prize, period, line);
    await store.write([{ type: 'put', key, value: new Uint8Array(0) }], { sync: true });
    await forgetBefore(store, OFFICE_KEYS.prize, period - 1, options);
    metrics.rewardsWei.add(Number(prizeWei), { kind: 'held' });
    logger.info({ period, row, prizeWei }, 'a row that is held won a prize');
  }

  /** The row with everything that the contract checks. */
  async #proven(
    { drawn, stored, proving }: Winner,
    committee: Committee,
    options: ChainOptions,
  ): Promise<HeldRow | undefined> {
    const { batches, fetching, suites, address } = this.#deps;
    const { header, batch, leafIndex, period, row } = drawn;
    const suite = suites.find(({ id }) => id === SUITE);
    const found = await batches.find({ root: batch.root, committee }, fetching, options);
    if (suite === undefined || found === undefined) return undefined;
    const layout = layoutOfHeld(header);
    const rootsBytes = (1 + layout.cosets) * HASH_BYTES;
    const combinations = proving.subarray(rootsBytes);
    const { commitment } = header;
    const { seed } = committee.snapshot.office;
    const seats = committee.members.map(({ index, seats: own }) => ({ id: index, seats: own }));
    const counts = assignRows(seats, layout, { suite, commitment, seed });
    let start = 0;
    const arcs = committee.members.map(({ index, signer }) => {
      const own = { index, holder: signer, start, rows: counts[index]?.count ?? 0 };
      start += own.rows;
      return own;
    });
    return {
      period,
      header,
      batchRoot: batch.root,
      leafIndex,
      batchPath: treePath(
        found.headers.map((each) => leafHash(encodeBlobHeader(each))),
        leafIndex,
      ),
      cosetRoots: hashesIn(proving.subarray(0, rootsBytes)),
      combinationRoot: RowTree.fromLeaves(suite, suite.leaves(combinations, COMBINATION_BYTES))
        .root,
      rowIndex: row,
      row: stored.subarray(4, 4 + layout.rowBytes),
      rowPath: hashesIn(stored.subarray(4 + layout.rowBytes)),
      arcs,
      arcIndex: committee.members.findIndex(({ signer }) => signer === address),
    };
  }

  #prizeWei(potWei: bigint, rowBytes: number): bigint {
    const { maxRowBytes, potShare } = this.#deps.lottery;
    return (potWei * BigInt(rowBytes)) / BigInt(maxRowBytes * potShare);
  }
}

const HASH_BYTES = 32;

function hashesIn(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}
