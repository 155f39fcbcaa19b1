import { describeError } from '@cairn/primitives';
import { firstGlobalSegment, ownsSegment } from '@cairn/wire-protocol';
import type { BankFile } from './file-bank.ts';
import type { LoggedFile } from './simulated-chain.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** Files are paid for, and things go wrong, for so long. */
export const BUSY_MS = 60_000;
const BLOCK_MS = 2000;
/** Until an uploader that was turned away tries again, at most. */
const RETRY_MS = 700;
/** Between two reads, at most. */
const READ_MS = 500;
/** Different files that runs draw from. */
const BANK_FILES = 120;

/** People who pay for files, bring them to nodes and read them. */
export class Customers {
  /** Segments that are being brought. */
  uploads = 0;
  /** Segments that were asked for, and those of them that came. */
  readonly reads = { asked: 0, given: 0 };
  /** Since when nothing goes wrong and no file is paid for. */
  calmSinceMs: number | undefined;
  readonly #simulation: Simulation;
  /** Files that were paid for and are in no block. */
  readonly #waiting: BankFile[] = [];

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Mines blocks with files, each of which somebody uploads, and lets things go wrong with each. */
  async payForFiles(): Promise<void> {
    const { options, clock, chain, bank, faults } = this.#simulation;
    const { files, seed } = options;
    const blocks = BUSY_MS / BLOCK_MS;
    let paid = 0;
    for (let block = 1; block <= blocks || this.#waiting.length > 0; block += 1) {
      await clock.wait(BLOCK_MS);
      const due = Math.min(files, Math.round((files * block) / blocks));
      for (; paid < due; paid += 1) this.#waiting.push(bank.file((seed * 7 + paid) % BANK_FILES));
      if (block <= blocks) await faults.strike();
      if (block === blocks) faults.end();
      const mined = chain.mine(this.#waiting.splice(0));
      this.#simulation.note(`block ${chain.head.number} of ${mined.length} files`);
      for (const logged of mined) {
        this.#simulation.notePlace(logged);
        for (const index of logged.file.segments.keys()) {
          this.uploads += 1;
          this.#simulation.spawn(() => this.#upload(logged, index));
        }
      }
    }
    this.calmSinceMs = clock.monotonic();
  }

  /** Takes blocks back; their files are paid for again in another order. */
  takeBack(depth: number): void {
    const { chain, rng } = this.#simulation;
    const dropped = [...chain.reorg(depth)];
    while (dropped.length > 0) {
      this.#waiting.push(...dropped.splice(rng.below(dropped.length), 1));
    }
  }

  /** Reads segments that were acknowledged, from nodes that should hold them, until it is calm. */
  async read(): Promise<void> {
    const { clock, rng, judge, options } = this.#simulation;
    while (this.calmSinceMs === undefined && options.isCalm !== true) {
      await clock.wait(rng.below(READ_MS));
      const { acknowledged } = judge;
      const wanted = acknowledged[rng.below(Math.max(1, acknowledged.length))];
      if (wanted === undefined) continue;
      const node = this.#someOwner(wanted.logged, wanted.index);
      if (node === undefined) continue;
      this.reads.asked += 1;
      const data = await node.serve(wanted.logged, wanted.index).catch(() => undefined);
      if (data === undefined) continue;
      this.reads.given += 1;
      const right = wanted.logged.file.segments[wanted.index] ?? new Uint8Array(0);
      if (Buffer.compare(data, right) !== 0)
        this.#simulation.problem(`${node.options.peer} gave a reader bad bytes`);
    }
  }

  /** Brings one segment to an honest node of its shard, as often as it takes. */
  async #upload(logged: LoggedFile, index: number): Promise<void> {
    const { clock, chain, rng, judge, faults } = this.#simulation;
    for (;;) {
      await clock.wait(rng.below(RETRY_MS));
      if (!chain.stands(logged.entry)) break;
      const node = this.#someOwner(logged, index);
      if (node === undefined) continue;
      const { diskNumber } = node;
      // What is said before a reorg was heard of is about the place that the file had.
      const isSeen = await node.sees(logged);
      const outcome = await node.accept(logged, index).catch(describeError);
      this.#simulation.note(`${node.options.peer} ${logged.entry.sequence}/${index} ${outcome}`);
      if (outcome !== 'stored' && outcome !== 'already' && outcome !== 'finalized') continue;
      if (diskNumber === node.diskNumber) judge.noteAcknowledged(logged, index, node, isSeen);
      faults.onAcknowledged(node);
      break;
    }
    this.uploads -= 1;
  }

  /** Some honest node that says that it keeps a segment, if it is up. */
  #someOwner({ entry }: LoggedFile, index: number): SimulatedNode | undefined {
    const { honest, rng } = this.#simulation;
    const segment = firstGlobalSegment(entry.startSector) + index;
    const owners = honest.filter(({ toldShard }) => ownsSegment(toldShard, segment));
    const node = owners[rng.below(Math.max(1, owners.length))];
    return node?.isUp === true ? node : undefined;
  }
}
