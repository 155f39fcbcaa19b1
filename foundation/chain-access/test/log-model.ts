import assert from 'node:assert/strict';
import {
  type BlockMark,
  type ChainEntry,
  type ChainLog,
  type ChainStep,
  toHex,
} from '@cairn/primitives';

/** A store as simple as can be: applies steps, and fails on any that a real store must refuse. */
export class LogModel {
  entries: ChainEntry[] = [];
  marks: BlockMark[] = [];
  rollbacks = 0;
  largestStep = 0;

  apply(step: ChainStep): void {
    if (step.kind === 'rollback') {
      this.rollbacks += 1;
      const { to } = step;
      assert.ok(to === undefined || this.marks.some(({ hash }) => hash === to.hash));
      this.marks = this.marks.filter(({ number }) => to !== undefined && number <= to.number);
      this.entries = this.entries.filter(
        ({ block }) => to !== undefined && block.number <= to.number,
      );
      return;
    }
    const previous = this.marks.at(-1);
    assert.ok(previous === undefined || step.through.number > previous.number, 'marks grow');
    assert.ok(step.head >= step.through.number);
    for (const entry of step.entries) {
      assert.equal(entry.sequence, this.entries.length, 'sequences are dense');
      assert.ok(entry.block.number <= step.through.number);
      assert.ok(previous === undefined || entry.block.number > previous.number);
      this.entries.push(entry);
    }
    this.marks.push(step.through);
    this.largestStep = Math.max(this.largestStep, step.entries.length);
  }

  /** Everything that must be equal for two followers of the same chain. */
  digest(): readonly string[] {
    return this.entries.map(({ sequence, startSector, block, nodes, tags }) =>
      [
        sequence,
        startSector,
        block.hash,
        ...nodes.map(({ root }) => toHex(root)),
        toHex(tags),
      ].join(),
    );
  }
}

/** Follows into `model` until `done` holds after a step. */
export async function followUntil(
  chainLog: ChainLog,
  model: LogModel,
  done: (model: LogModel, step: ChainStep) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for await (const step of chainLog.follow(model.marks, { signal })) {
    model.apply(step);
    if (done(model, step)) return;
  }
}
