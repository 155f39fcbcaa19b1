import type { ReopeningDatabase } from './reopening-database.ts';

/** A read on this thread that takes longer went to a disk, or another program had its turn meanwhile. */
const SLOW_READ_MS = 1;
/**
 * Slow reads weigh so much, quick ones take one away: above the limit reads go to other threads for a
 * while. One that another program delayed is forgotten after 16 others; with a disk that is asked every
 * time, this thread waits for it four times a second.
 */
const SLOW_WEIGHT = 16;
const SLOW_LIMIT: number = 3 * SLOW_WEIGHT;
const PATIENT_MS = 1000;
/** Reads on this thread before others get a turn, who would else wait for a loop of reads to end. */
const MAX_IN_TURN = 256;

/**
 * Point reads on the caller's thread while what is asked for is in memory, as the parts of an index that
 * are used are: 4 µs, where the way to another thread and back takes 20 to 40 µs of CPU time.
 */
export class QuickReads {
  readonly #database: ReopeningDatabase;
  #inTurn = 0;
  #slowness = 0;
  readonly #endTurn = (): void => {
    this.#inTurn = 0;
  };
  #patientUntilMs = Number.NEGATIVE_INFINITY;

  constructor(database: ReopeningDatabase) {
    this.#database = database;
  }

  /** The value of a key. @throws what LevelDB throws */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#inTurn === 0) setImmediate(this.#endTurn);
    this.#inTurn += 1;
    const value = this.#inTurn > MAX_IN_TURN ? null : this.getNow(key);
    return value === null ? this.#database.use((database) => database.get(key)) : value;
  }

  /** The value of a key, or `null` if another thread should look. @throws what LevelDB throws */
  getNow(key: Uint8Array): Uint8Array | undefined | null {
    const { current } = this.#database;
    const beganMs = performance.now();
    if (current === undefined || beganMs < this.#patientUntilMs) return null;
    const value = current.getSync(key);
    const endedMs = performance.now();
    if (endedMs - beganMs <= SLOW_READ_MS) {
      if (this.#slowness > 0) this.#slowness -= 1;
      return value;
    }
    this.#slowness += SLOW_WEIGHT;
    if (this.#slowness > SLOW_LIMIT) {
      this.#slowness = 0;
      this.#patientUntilMs = endedMs + PATIENT_MS;
    }
    return value;
  }
}
