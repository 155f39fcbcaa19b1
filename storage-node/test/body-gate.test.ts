import { deepEqual, equal, rejects } from 'node:assert/strict';
import { type Clock, isFault, systemClock } from '@cairn/primitives';
import { BodyGate } from '../src/body-gate.ts';

const KIB = 1024;
const never = new AbortController().signal;

/** A body whose parts come when the test sends them. */
class PushedBody implements AsyncIterable<Uint8Array> {
  pulls = 0;
  #parts: Uint8Array[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  push(bytes: number): void {
    this.#parts.push(new Uint8Array(bytes));
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      this.pulls += 1;
      const part = this.#parts.shift();
      if (part !== undefined) yield part;
      else if (this.#isOver) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

describe('the body gate', () => {
  const gateOf = (budget: number, clock: Pick<Clock, 'sleep'> = systemClock()): BodyGate =>
    new BodyGate({ clock }, { budgetBytes: budget, maxWaiting: 2 });
  const bodyOf = (stream: AsyncIterable<Uint8Array>, declaredBytes: number | undefined) => ({
    stream,
    declaredBytes,
    maxBytes: 1000 * KIB,
  });
  const whole = (bytes: number): PushedBody => {
    const body = new PushedBody();
    body.push(bytes);
    body.end();
    return body;
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('does not read a large body before the budget has room for it', async () => {
    const gate = gateOf(200 * KIB);
    let finish: () => void = () => undefined;
    const first = gate.read(
      bodyOf(whole(150 * KIB), 150 * KIB),
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      never,
    );
    const waiting = whole(100 * KIB);
    const second = gate.read(bodyOf(waiting, 100 * KIB), async (bytes) => bytes.length, never);
    await turn();
    await turn();
    deepEqual([gate.usedBytes, gate.waiting, waiting.pulls], [150 * KIB, 1, 0]);
    finish();
    await first;
    equal(await second, 100 * KIB);
    deepEqual([gate.usedBytes, gate.waiting], [0, 0]);
  });

  it('lets small bodies pass and a body larger than the budget in alone', async () => {
    const gate = gateOf(100 * KIB);
    const large = gate.read(bodyOf(whole(500 * KIB), 500 * KIB), async (it) => it.length, never);
    const small = gate.read(bodyOf(whole(3), 3), async (it) => it.length, never);
    deepEqual(await Promise.all([large, small]), [500 * KIB, 3]);
  });

  it('refuses what is announced too large, or grows too large', async () => {
    const gate = gateOf(100 * KIB);
    const announced = new PushedBody();
    await rejects(
      gate.read(bodyOf(announced, 1001 * KIB), async () => undefined, never),
      (error) => isFault(error, 'WIRE_TOO_LONG'),
    );
    equal(announced.pulls, 0);
    await rejects(
      gate.read(bodyOf(whole(1001 * KIB), undefined), async () => undefined, never),
      (error) => isFault(error, 'WIRE_TOO_LONG'),
    );
    equal(gate.usedBytes, 0);
  });

  it('turns away those who would wait behind too many, and forgets those who leave', async () => {
    const gate = gateOf(100 * KIB);
    const stuck = new AbortController();
    const held = gate.read(bodyOf(new PushedBody(), 100 * KIB), async () => 0, stuck.signal);
    const leaver = new AbortController();
    const read = (signal: AbortSignal): Promise<number> =>
      gate.read(bodyOf(whole(90 * KIB), 90 * KIB), async (it) => it.length, signal);
    const [left, patient] = [read(leaver.signal), read(never)];
    await rejects(read(never), (error) => isFault(error, 'QUEUE_FULL'));
    leaver.abort(new Error('gone'));
    await rejects(left, /gone/);
    stuck.abort(new Error('cut'));
    await rejects(held, /cut/);
    equal(await patient, 90 * KIB);
  });

  it('gives up a body that comes too slowly', async () => {
    let tick: () => void = () => undefined;
    const clock = {
      sleep: (_: number, signal: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          tick = resolve;
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    const gate = gateOf(100 * KIB, clock);
    const drip = new PushedBody();
    drip.push(5);
    const reading = gate.read(bodyOf(drip, 70 * KIB), async () => undefined, never);
    await turn();
    tick();
    await rejects(reading, (error) => isFault(error, 'WIRE_TOO_SLOW'));
    equal(gate.usedBytes, 0);
  });
});
