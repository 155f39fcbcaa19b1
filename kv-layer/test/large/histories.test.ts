import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { type Rng, seededRng, sequenceOf } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import type { Generations } from '../../src/store/generations.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import type { StreamId } from '../../src/stream-id.ts';
import { type Disk, openGenerations } from '../support/generations.ts';
import { drawEntry, type HistoryEntry, inputOf, openState, rootsOf } from '../support/history.ts';
import { Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const SEED = seedOf(20_261_123);
const HISTORIES = runsOf(500);
const LOG = 70;
const MAX_REORG = 32;
const STREAMS = [1, 2, 3, 4].map(streamNumber);

let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

describe('any replay of a log', () => {
  it(`comes to one state: ${HISTORIES} histories of restarts, reorganisations and added streams`, async () => {
    for (let history = 0; history < HISTORIES; history += 1) {
      const seed = SEED + history;
      const node = new SimulatedNode(seededRng(seed));
      const { log, streams } = await node.live();
      const fresh = await openState({ kv: sortedKeyValueStore(), hasher }, streams, { signal });
      const { applied } = await fresh.apply(log.map(inputOf), { signal });
      const state = node.state;
      assert.deepEqual(rootsOf(state), rootsOf(fresh), `seed ${seed}`);
      assert.equal(state.timeSeconds, fresh.timeSeconds, `seed ${seed}`);
      const model = new Model(streams);
      const results = new Map(applied.map(({ sequence, result }) => [Number(sequence), result]));
      for (const entry of log) {
        const expected = model.apply(entry);
        const where = `seed ${seed}, sequence ${entry.sequence}`;
        assert.equal(results.get(entry.sequence) ?? null, expected, where);
        assert.equal((await state.resultOf(sequenceOf(entry.sequence))) ?? null, expected, where);
      }
    }
  });
});

/** A node that is restarted, told of reorganisations and given streams, by chance. */
class SimulatedNode {
  readonly #rng: Rng;
  readonly #disk: Disk = { kv: sortedKeyValueStore(), values: new Map() };
  #log: HistoryEntry[] = [];
  #streams: readonly StreamId[] = STREAMS.slice(0, 2);
  #generations: Generations | undefined;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get state(): StreamState {
    return this.#generations?.active ?? assert.fail();
  }

  async live(): Promise<{ log: readonly HistoryEntry[]; streams: readonly StreamId[] }> {
    const rng = this.#rng;
    await this.#start();
    while (this.#log.length < LOG) {
      const count = 1 + rng.below(12);
      for (let index = 0; index < count; index += 1) {
        this.#log.push(drawEntry(rng, this.#log.length, STREAMS));
      }
      await this.#event();
      await this.#catchUp(rng.below(2) === 0);
    }
    await this.#catchUp(true);
    await this.#catchUp(true);
    assert.equal(this.#generations?.pending, undefined);
    return { log: this.#log, streams: this.#streams };
  }

  async #event(): Promise<void> {
    const rng = this.#rng;
    switch (rng.below(5)) {
      case 0:
        return this.#start();
      case 1:
        return this.#reorganise(Math.max(0, this.#log.length - 1 - rng.below(MAX_REORG)));
      case 2:
        if (rng.below(3) === 0) return this.#reorganise(rng.below(this.#log.length + 1)); // deeper
        return;
      case 3: {
        this.#streams = STREAMS.slice(
          0,
          Math.min(STREAMS.length, this.#streams.length + rng.below(2)),
        );
        await this.#generations?.watch(this.#streams, { signal });
        return;
      }
      default:
        return;
    }
  }

  async #start(): Promise<void> {
    this.#generations = await openGenerations(this.#disk, {
      streams: this.#streams,
      hasher,
      signal,
    });
    await this.#generations.watch(this.#streams, { signal });
  }

  async #reorganise(to: number): Promise<void> {
    this.#log = this.#log.slice(0, to);
    for (const state of [this.#generations?.active, this.#generations?.pending]) {
      if (state === undefined || state.nextSequence <= to) continue;
      await state.rollback(sequenceOf(to), { signal });
    }
  }

  /** Applies what there is, in groups of any size; a pending state takes over once it is there. */
  async #catchUp(isWhole: boolean): Promise<void> {
    const generations = this.#generations ?? assert.fail();
    for (const state of [generations.active, generations.pending]) {
      while (state !== undefined && state.nextSequence < this.#log.length) {
        const count = 1 + this.#rng.below(20);
        const rest = this.#log.slice(state.nextSequence, state.nextSequence + count);
        await state.apply(rest.map(inputOf), { signal });
        if (!isWhole && this.#rng.below(3) === 0) break;
      }
    }
    if (generations.pending?.nextSequence === this.#log.length)
      await generations.promote({ signal });
  }
}
