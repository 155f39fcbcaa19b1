import assert from 'node:assert/strict';
import { loadRowSuite, type RowSuite, sha256Suite } from '@cairn/commitments/rows';
import { equalBytes, systemClock } from '@cairn/primitives';
import { type ChosenCodec, type CodecCandidate, chooseCodec } from '../../src/choose-codec.ts';
import type { AnyCodec } from '../../src/codec-trial.ts';
import type { RowCombiner } from '../../src/combination.ts';
import { commitBlob, rowsOf } from '../../src/commitment.ts';
import { CodecError } from '../../src/errors.ts';
import { scalarCombiner } from '../../src/kernels/scalar-combiner.ts';
import { MemoryRows } from '../../src/memory-rows.ts';
import type { HeldRows, HoldingCodec, MatrixShape, PlacedRow } from '../../src/row-codec.ts';
import { loadWasmCodec } from '../../src/wasm/wasm-codec.ts';
import { loadWasmCombiner } from '../../src/wasm/wasm-combiner.ts';
import { bytesOf, shapeOf, signal } from '../support.ts';

let suite: RowSuite;
let combiner: RowCombiner;

/** A device made of the codec in WebAssembly: it holds rows, and can be lost. */
class FakeDevice implements HoldingCodec {
  readonly name = 'gpu';
  readonly suite = 0;
  /** Questions it answers until it is lost. */
  lives = Number.POSITIVE_INFINITY;
  /** Bytes it gets wrong. */
  alter: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  isClosed = false;
  held = 0;
  /** Whether it has no room left. */
  isFull = false;
  readonly #codec: AnyCodec;

  private constructor(codec: AnyCodec) {
    this.#codec = codec;
  }

  static async open(): Promise<FakeDevice> {
    return new FakeDevice(await loadWasmCodec({ build: 'strict' }));
  }

  async encode(data: Uint8Array, shape: MatrixShape): Promise<Uint8Array> {
    this.#ask();
    return this.alter(await this.#codec.encode(data, shape, { signal }));
  }

  async decode(rows: readonly PlacedRow[], shape: MatrixShape): Promise<Uint8Array> {
    this.#ask();
    return this.#codec.decode(rows, shape, { signal });
  }

  async hold(data: Uint8Array, shape: MatrixShape): Promise<HeldRows> {
    this.#ask();
    const codec = this.#codec;
    const held = await MemoryRows.encode(data.slice(), shape, { codec, suite, signal });
    this.held += 1;
    return {
      leaves: this.alter(held.leaves),
      combine: async (coefficients, part) => {
        this.#ask();
        return held.combine(coefficients, part, { signal });
      },
      read: async (indexes) => {
        this.#ask();
        return held.read(indexes, { signal });
      },
      release: () => {
        this.held -= 1;
      },
    };
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  #ask(): void {
    if (this.isFull) {
      throw new CodecError({ code: 'DEVICE_FULL', reason: 'a test' }, 'the device is full');
    }
    this.lives -= 1;
    if (this.lives < 0) {
      throw new CodecError(
        { code: 'DEVICE_LOST', reason: 'a test' },
        'the device fell off the bus',
      );
    }
  }
}

/** With the fast combiner: the scalar one is most of what a trial takes. */
function choose(candidates: readonly CodecCandidate[], more = {}): Promise<ChosenCodec> {
  return chooseCodec({ candidates, suite, combiner, signal, ...more });
}

/** A candidate whose calibration takes no time by a clock, on which that of the others takes some. */
function fastest(device: FakeDevice) {
  let isTiming = false;
  let now = 0;
  const clock = {
    ...systemClock(),
    monotonic: () => {
      if (!isTiming) now += 5; // every look at the clock costs the others time
      return now;
    },
  };
  const candidate: CodecCandidate = {
    name: 'device',
    open: async () => {
      isTiming = true;
      return device;
    },
  };
  const rest: CodecCandidate = {
    name: 'nothing',
    open: async () => {
      isTiming = false;
      throw new CodecError({ code: 'DEVICE_ABSENT', reason: 'a test' }, 'there is no such device');
    },
  };
  return { clock, candidates: [candidate, rest] };
}

describe('choosing a codec', () => {
  const shape = shapeOf(6, 3, 128);
  const data = bytesOf(64 * 128, 5);
  let expected: MemoryRows;
  before(async () => {
    suite = await loadRowSuite(0);
    combiner = await loadWasmCombiner();
    const codec = await loadWasmCodec({ build: 'strict' });
    expected = await MemoryRows.encode(data, shape, { codec, suite, signal });
  });

  it('takes one in WebAssembly where there is nothing else, and says why', async () => {
    const said: string[] = [];
    const say = (_fields: unknown, message: string): void => void said.push(message);
    const logger = { error: say, warn: say, info: say, debug: say, child: () => logger };
    const codec = await choose([], { logger, combiner: scalarCombiner() });
    assert.match(codec.name, /^wasm/);
    assert.deepEqual(said, [`rows are encoded by the codec ${codec.name}`]);
    const [first, ...rest] = codec.trials;
    assert.equal(first?.outcome, 'chosen');
    assert.ok((first?.megabytesPerSecond ?? 0) > 1);
    for (const { outcome, reason } of rest) assert.ok(outcome !== 'chosen' && reason.length > 0);
    assert.ok(equalBytes(await codec.encode(data, shape, { signal }), expected.parity));
    await codec.close();
  });

  it('takes the fastest, and keeps one in WebAssembly beside it', async () => {
    const device = await FakeDevice.open();
    const { clock, candidates } = fastest(device);
    const codec = await choose(candidates, { clock });
    assert.equal(codec.name, 'gpu');
    assert.deepEqual(codec.trials.map(({ name, outcome }) => `${name} ${outcome}`).slice(0, 1), [
      'device chosen',
    ]);
    const nothing = codec.trials.find(({ name }) => name === 'nothing');
    assert.deepEqual(nothing, {
      name: 'nothing',
      outcome: 'failed',
      reason: 'there is no such device',
    });
    const held = await codec.hold(data, shape, { signal });
    assert.equal(device.held, 1);
    assert.ok(equalBytes(held.leaves, expected.leaves));
    held.release();
    assert.equal(device.held, 0);
    await codec.close();
    assert.ok(device.isClosed);
  });

  it('takes none that gets a bit wrong, and says what', async () => {
    const device = await FakeDevice.open();
    device.alter = (bytes) => bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte));
    const codec = await choose([{ name: 'device', open: async () => device }]);
    assert.match(codec.name, /^wasm/);
    const trial = codec.trials.find(({ name }) => name === 'device');
    assert.equal(trial?.reason, 'its parity of 64 rows and 2 cosets is wrong');
    assert.ok(device.isClosed);
  });

  it('does not wait for one that never opens', async () => {
    const real = systemClock();
    let deadlines = 0;
    const clock = {
      ...real,
      sleep: async (ms: number, inner: AbortSignal) => {
        if (ms < 10_000) return real.sleep(ms, inner);
        deadlines += 1;
        if (deadlines > 1) await real.sleep(ms, inner); // only the first one passes at once
      },
    };
    const never: CodecCandidate = { name: 'device', open: () => new Promise(() => undefined) };
    const codec = await choose([never], { clock });
    const trial = codec.trials.find(({ name }) => name === 'device');
    assert.match(trial?.reason ?? '', /30/);
    assert.match(codec.name, /^wasm/);
  });

  for (const [when, lives] of [
    ['before a blob', 0],
    ['while its rows are combined', 1],
    ['while its rows are read', 2],
  ] as const) {
    it(`goes on when the device is lost ${when}, with the same commitment`, async () => {
      const device = await FakeDevice.open();
      const { clock, candidates } = fastest(device);
      const warned: unknown[] = [];
      const none = (): void => undefined;
      const logger = {
        error: none,
        warn: (fields: unknown) => void warned.push(fields),
        info: none,
        debug: none,
        child: () => logger,
      };
      const codec = await choose(candidates, { clock, logger });
      device.lives = lives;
      const payload = bytesOf(9_000, 6);
      const blob = await commitBlob(payload, {}, { codec, suite, signal });
      const plain = await commitBlob(
        payload,
        {},
        {
          codec: await loadWasmCodec(),
          suite,
          combiner: scalarCombiner(),
          signal,
        },
      );
      assert.deepEqual(blob.commitment, plain.commitment);
      const rows = [3, 70, 255];
      assert.deepEqual(await rowsOf(blob, rows, { signal }), await rowsOf(plain, rows, { signal }));
      blob.held.release();
      assert.equal(device.held, 0);
      assert.match(codec.name, /^wasm/);
      assert.equal(warned.length, 1);
      assert.equal(codec.trials[0]?.outcome, 'chosen');
      assert.equal(codec.trials.at(-1)?.reason, 'the device fell off the bus');
      assert.ok(device.isClosed);
    });
  }

  it('makes rows again once for all who ask, and for nobody after their release', async () => {
    const device = await FakeDevice.open();
    const { clock, candidates } = fastest(device);
    const codec = await choose(candidates, { clock });
    const held = await codec.hold(data, shape, { signal });
    const before = await codec.hold(data, shape, { signal });
    device.lives = 0;
    const into = new Uint8Array(3 * data.length);
    const again = await codec.hold(data, shape, { signal, into });
    assert.ok(equalBytes(into, expected.parity), 'parity goes where it was asked for');
    const rows = await Promise.all([1, 2, 3, 4].map((index) => held.read([index], { signal })));
    assert.deepEqual(
      rows.map(([row]) => row),
      [1, 2, 3, 4].map((index) => expected.rowAt(index)),
    );
    const pending = before.read([1], { signal });
    before.release();
    await assert.rejects(pending, /released/);
    await assert.rejects(held.read([1], { signal: AbortSignal.abort() }), { name: 'AbortError' });
    held.release();
    again.release();
    assert.equal(device.held, 0);
  });

  it('gives another codec what the device has no room for, and keeps the device', async () => {
    const device = await FakeDevice.open();
    const { clock, candidates } = fastest(device);
    const codec = await choose(candidates, { clock });
    const held = await codec.hold(data, shape, { signal });
    device.isFull = true;
    assert.deepEqual(await codec.encode(data, shape, { signal }), expected.parity);
    assert.deepEqual(await held.read([5], { signal }), [expected.rowAt(5)]);
    assert.equal(codec.name, 'gpu');
    device.isFull = false;
    assert.equal(device.held, 0, 'the rows are in memory now');
    (await codec.hold(data, shape, { signal })).release();
    held.release();
    assert.equal(device.lives, Number.POSITIVE_INFINITY);
    assert.ok(!device.isClosed);
  });

  it('closes what it opened when it is told to stop', async () => {
    const device = await FakeDevice.open();
    const stop = new AbortController();
    const first: CodecCandidate = { name: 'device', open: async () => device };
    const second: CodecCandidate = {
      name: 'another',
      open: async () => {
        stop.abort(new Error('enough'));
        return device;
      },
    };
    await assert.rejects(choose([first, second], { signal: stop.signal }), /enough/);
    assert.ok(device.isClosed);
  });

  it('gives out no rows in place of others that a lost device had hashed', async () => {
    const device = await FakeDevice.open();
    const { clock, candidates } = fastest(device);
    const codec = await choose(candidates, { clock });
    device.alter = (bytes) => bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte));
    const held = await codec.hold(data, shape, { signal });
    device.lives = 0;
    await assert.rejects(held.read([1], { signal }), /those of the data/);
  });

  it('leaves rows of another suite to memory', async () => {
    const device = await FakeDevice.open();
    const { clock, candidates } = fastest(device);
    const codec = await choose(candidates, { clock });
    const blob = await commitBlob(bytesOf(10, 1), {}, { codec, suite: sha256Suite, signal });
    assert.ok(blob.held instanceof MemoryRows);
  });

  it('stops when told to', async () => {
    const aborted = AbortSignal.abort();
    await assert.rejects(choose([], { signal: aborted }), { name: 'AbortError' });
  });
});
