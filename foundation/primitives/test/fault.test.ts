import assert from 'node:assert/strict';
import { describeError, Fault, isFault } from '../src/fault.ts';

class SampleError extends Fault<{ code: 'SAMPLE'; held: number }> {}

describe('Fault', () => {
  it('carries its facts and its cause', () => {
    const cause = new Error('the disk is gone');
    const error = new SampleError({ code: 'SAMPLE', held: 3 }, 'only 3 held', { cause });
    assert.equal(error.code, 'SAMPLE');
    assert.equal(error.facts.held, 3);
    assert.equal(error.name, 'SampleError');
    assert.equal(isFault(error, 'SAMPLE'), true);
    assert.equal(isFault(error, 'OTHER'), false);
    assert.equal(isFault(cause), false);
    assert.equal(describeError(error), 'only 3 held: the disk is gone');
  });

  it('describes anything that was thrown', () => {
    assert.equal(describeError('text'), 'text');
    assert.equal(describeError(undefined), 'unknown error');
  });
});
