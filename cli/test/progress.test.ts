import assert from 'node:assert/strict';
import { Progress } from '../src/progress.ts';
import { fakeIo } from './fake-io.ts';

/** A clock that is turned by hand. */
function handClock() {
  let now = 0;
  return {
    monotonic: () => now,
    forward: (durationMs: number) => {
      now += durationMs;
    },
  };
}

describe('progress', () => {
  it('is a line every five seconds where nobody watches', () => {
    const io = fakeIo();
    const clock = handClock();
    const progress = new Progress({ io, clock });
    for (let second = 0; second <= 11; second += 1) {
      progress.update('sending', second * 1_048_576, 20 * 1_048_576);
      clock.forward(1000);
    }
    const lines = io.err().trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^sending .* 25 % {2}5\.0 MiB of 20\.0 MiB .* 15\.0 s left$/);
    assert.ok(!io.err().includes('\u001b'));
  });

  it('says nothing about what is over in a moment', () => {
    const io = fakeIo();
    const progress = new Progress({ io, clock: handClock() });
    progress.update('hashing', 1, 1);
    progress.clear();
    assert.equal(io.err(), '');
  });

  it('is a bar that redraws where a person watches, and fits the screen', () => {
    const io = fakeIo({ isTerminal: true });
    const clock = handClock();
    const progress = new Progress({ io, clock });
    progress.update('hashing', 0, 100);
    clock.forward(50);
    progress.update('hashing', 10, 100);
    clock.forward(60);
    progress.update('hashing', 50, 100);
    progress.clear();
    const frames = io.err().split('\r\u001b[2K').slice(1);
    assert.equal(frames.length, 3, 'the second update came too soon to draw');
    assert.match(frames[1] ?? '', /\[############------------\]/);
    assert.ok(frames.every((frame) => frame.length < 80));
    assert.equal(frames.at(-1), '');
  });

  it('draws the end at once', () => {
    const io = fakeIo({ isTerminal: true });
    const progress = new Progress({ io, clock: handClock() });
    progress.update('hashing', 0, 100);
    progress.update('hashing', 100, 100);
    assert.match(io.err(), /100 %/);
  });

  it('counts no speed for what a resumed run found done', () => {
    const io = fakeIo();
    const clock = handClock();
    const progress = new Progress({ io, clock });
    progress.update('sending', 90, 100, 'segments');
    clock.forward(5000);
    progress.update('sending', 95, 100, 'segments');
    assert.match(io.err(), /1 segments\/s {2}5\.0 s left/);
  });

  it('puts notes above the bar', () => {
    const io = fakeIo({ isTerminal: true });
    const progress = new Progress({ io, clock: handClock() });
    progress.update('hashing', 1, 100);
    progress.note('root 0x12');
    assert.ok(io.err().endsWith('\r\u001b[2Kroot 0x12\n'));
  });
});
