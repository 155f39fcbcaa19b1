import type { Database, ReopeningDatabase } from './reopening-database.ts';

/**
 * A read on this thread that takes longer went to a disk: for a while reads go to other threads, so that
 * what this thread serves waits for a disk once a second at most.
 */
const SLOW_READ_MS = 1;
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
  #patientUntilMs = Number.NEGATIVE_INFINITY;

  constructor(database: ReopeningDatabase) {
    this.#database = database;
  }

  /** The value of a key. @throws what LevelDB throws */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const { current } = this.#database;
    const beganMs = performance.now();
    const isPatient = beganMs < this.#patientUntilMs || this.#inTurn >= MAX_IN_TURN;
    if (current === undefined || isPatient) {
      return this.#database.use((database) => database.get(key));
    }
    return this.#getNow(current, key, beganMs);
  }

  #getNow(database: Database, key: Uint8Array, beganMs: number): Uint8Array | undefined {
    if (this.#inTurn === 0) {
      setImmediate(() => {
        this.#inTurn = 0;
      });
    }
    this.#inTurn += 1;
    const value = database.getSync(key);
    const endedMs = performance.now();
    if (endedMs - beganMs > SLOW_READ_MS) this.#patientUntilMs = endedMs + PATIENT_MS;
    return value;
  }
}
