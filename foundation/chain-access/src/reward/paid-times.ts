import type { CallOptions } from '../client/chain-client.ts';
import { EventReader } from '../log/event-reader.ts';
import type { FileFees, Stretch } from './open-reward.ts';
import { readPaidUntil } from './renewals.ts';

/** Blocks that are read again, so that a reorganisation hides no renewal. */
const REREAD_BLOCKS = 1_000;
/** Renewals remembered, 24 MB; beyond, all of a chunk counts as long as any of it. */
const MAX_RENEWALS = 1_000_000;

/** Until when sectors are paid for. Unix seconds. */
export interface PaidTime {
  /** Until which anybody paid for any sector of the stretch. */
  readonly until: number;
  /** The end of the first term: of sectors behind these it is no earlier. */
  readonly firstTermEnd: number;
}

interface Chunk {
  /** 0 while it is not full. */
  readonly startTime: number;
  readonly deadline: number;
}

interface RenewedStretch extends Stretch {
  readonly lastTerm: number;
}

/** Where the renewals of a log are read from. */
export interface PaidTimesOptions {
  /** The first block that can hold one. */
  readonly fromBlock?: number;
  /** Blocks asked for at once, at most; 999 unless told. */
  readonly pageBlocks?: number;
}

/**
 * Until when stretches of the flow are paid for, by whoever paid for any sector of them: what may be
 * given up is answered from this. Asks once for each pricing chunk, and reads renewals only where a chunk has some.
 */
export class PaidTimes {
  readonly #fees: FileFees;
  readonly #options: PaidTimesOptions;
  readonly #chunks = new Map<number, Promise<Chunk>>();
  readonly #renewed = new Map<number, RenewedStretch[]>();
  #renewals = 0;
  #readThrough: number;
  #head: number | undefined;

  constructor(fees: FileFees, options: PaidTimesOptions = {}) {
    this.#fees = fees;
    this.#options = options;
    this.#readThrough = (options.fromBlock ?? 0) - 1;
  }

  /** Forgets what may have changed. */
  refresh(): void {
    this.#chunks.clear();
    this.#head = undefined;
  }

  /** Time of the newest block. @throws what the client throws */
  async now({ signal }: CallOptions): Promise<number> {
    return (await this.#fees.client.getBlock('latest', { signal }))?.timestamp ?? 0;
  }

  /**
   * Until when any of a stretch is paid for, as of the last `refresh`; `undefined` while the time of a chunk of
   * its has not begun.
   *
   * @throws as `EventReader`; what the client throws
   */
  async of({ startSector, sectors }: Stretch, options: CallOptions): Promise<PaidTime | undefined> {
    const { sectorsPerChunk, termSeconds } = this.#fees;
    const end = startSector + sectors;
    let [until, firstTermEnd] = [0, 0];
    for (let at = startSector; at < end; ) {
      const index = Math.floor(at / sectorsPerChunk);
      const { startTime, deadline } = await this.#chunk(index, options);
      if (startTime === 0) return undefined;
      const piece = { startSector: at, sectors: Math.min(end, (index + 1) * sectorsPerChunk) - at };
      firstTermEnd = Math.max(firstTermEnd, startTime + termSeconds);
      const lastTerm =
        deadline === startTime + termSeconds ? 0 : await this.#lastTermOf(index, piece, options);
      const paid = lastTerm === undefined ? deadline : startTime + (lastTerm + 1) * termSeconds;
      until = Math.max(until, paid);
      at += piece.sectors;
    }
    return { until, firstTermEnd };
  }

  /** The contract's own word on exactly this stretch, now; `undefined` as `of`. @throws what the client throws */
  told(stretch: Stretch, options: CallOptions): Promise<number | undefined> {
    return readPaidUntil(this.#fees, stretch, options);
  }

  #chunk(index: number, { signal }: CallOptions): Promise<Chunk> {
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    const asked = this.#readChunk(index, signal).catch((error: unknown) => {
      this.#chunks.delete(index);
      throw error;
    });
    this.#chunks.set(index, asked);
    return asked;
  }

  async #readChunk(index: number, signal: AbortSignal): Promise<Chunk> {
    const { reward, termSeconds } = this.#fees;
    const pool = (await reward.read('rewards', [index], { signal })).inner(0);
    const deadline = (await reward.read('rewardDeadline', [index], { signal })).number(0);
    const startTime = pool.number('startTime');
    // Full between the two questions: its first term is what it has.
    return startTime === 0
      ? { startTime, deadline: 0 }
      : { startTime, deadline: Math.max(deadline, startTime + termSeconds) };
  }

  /** The last term that any sector of a piece of a chunk is paid for; `undefined` if too many were renewed to say. */
  async #lastTermOf(
    index: number,
    { startSector, sectors }: Stretch,
    options: CallOptions,
  ): Promise<number | undefined> {
    await this.#readRenewals(options);
    if (this.#renewals > MAX_RENEWALS) return undefined;
    let last = 0;
    for (const renewed of this.#renewed.get(index) ?? []) {
      const overlaps =
        renewed.startSector < startSector + sectors &&
        renewed.startSector + renewed.sectors > startSector;
      if (overlaps) last = Math.max(last, renewed.lastTerm);
    }
    return last;
  }

  /** Reads what was renewed up to the newest block, once after each `refresh`. */
  async #readRenewals({ signal }: CallOptions): Promise<void> {
    if (this.#head !== undefined) return;
    const { client, reward, sectorsPerChunk } = this.#fees;
    const head = await client.blockNumber({ signal });
    const { fromBlock = 0, pageBlocks } = this.#options;
    const size = pageBlocks === undefined ? {} : { pageBlocks };
    const reader = new EventReader({ client, address: reward.address, ...size });
    const query = {
      topics: [reward.topic('Renewed')],
      fromBlock: Math.max(fromBlock, this.#readThrough + 1 - REREAD_BLOCKS),
      toBlock: head,
    };
    for await (const { through, logs } of reader.forward(query, { signal })) {
      for (const log of logs) {
        const event = reward.decode('Renewed', log);
        const startSector = event.number('start');
        const index = Math.floor(startSector / sectorsPerChunk);
        this.#note(index, {
          startSector,
          sectors: event.number('sectors'),
          lastTerm: event.number('lastTerm'),
        });
      }
      this.#readThrough = Math.max(this.#readThrough, through.number);
    }
    this.#head = head;
  }

  #note(index: number, renewed: RenewedStretch): void {
    if (this.#renewals > MAX_RENEWALS) return;
    const known = this.#renewed.get(index) ?? [];
    const same = known.findIndex(
      ({ startSector, sectors }) =>
        startSector === renewed.startSector && sectors === renewed.sectors,
    );
    if (same >= 0) {
      const before = known[same];
      if (before !== undefined && before.lastTerm < renewed.lastTerm) known[same] = renewed;
      return;
    }
    known.push(renewed);
    this.#renewals += 1;
    this.#renewed.set(index, known);
  }
}
