import assert from 'node:assert/strict';
import { GroupCommit } from '../../src/files/group-commit.ts';

interface Run {
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** A step that ends when told to. */
function manualStep(): { readonly runs: Run[]; readonly step: () => Promise<void> } {
  const runs: Run[] = [];
  const step = (): Promise<void> =>
    new Promise((resolve, reject) => {
      runs.push({ end: resolve, fail: reject });
    });
  return { runs, step };
}

describe('group commit', () => {
  it('lets all who come during a run share the next one', async () => {
    const { runs, step } = manualStep();
    const commit = new GroupCommit(step);
    const first = commit.run();
    const later = [commit.run(), commit.run(), commit.run()];
    assert.equal(runs.length, 1);
    let laterDone = false;
    void later[0]?.then(() => {
      laterDone = true;
    });
    runs[0]?.end();
    await first;
    await new Promise(setImmediate);
    assert.equal(laterDone, false, 'the run that was under way does not count for them');
    assert.equal(runs.length, 2);
    runs[1]?.end();
    await Promise.all(later);
    assert.equal(runs.length, 2);
  });

  it('never has two runs at once, whenever somebody comes', async () => {
    let running = 0;
    let most = 0;
    const commit = new GroupCommit(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
    });
    const calls = [commit.run(), commit.run()];
    let moment: Promise<unknown> = calls[0] as Promise<void>;
    for (let turn = 0; turn < 8; turn += 1) {
      moment = moment.then(() => void calls.push(commit.run())); // each a little later than the last
    }
    await moment;
    await Promise.all(calls);
    assert.equal(most, 1);
  });

  it('begins a new run for each who comes when none is under way', async () => {
    let count = 0;
    const commit = new GroupCommit(async () => {
      count += 1;
    });
    await commit.run();
    await commit.run();
    assert.equal(count, 2);
  });

  it('tells a failure to those of its run and tries again for the next', async () => {
    const { runs, step } = manualStep();
    const commit = new GroupCommit(step);
    const first = commit.run();
    const second = commit.run();
    runs[0]?.fail(new Error('the disk is gone'));
    await assert.rejects(first, /the disk is gone/);
    await new Promise(setImmediate);
    runs[1]?.end();
    await second;
  });
});
