import assert from 'node:assert/strict';
import { jobBoardAbi } from '@cairn/contracts';
import { TransactionError } from '../src/send/errors.ts';
import { explainJobRefusal, JobRefusal } from '../src/shards/explain-job-refusal.ts';

interface AbiItem {
  readonly type: string;
  readonly name?: string;
  readonly inputs?: readonly { readonly name: string }[];
}

const refused = (errorName: string, errorArgs: Record<string, string>): TransactionError =>
  new TransactionError(
    {
      ...{ code: 'TX_REVERTED', intent: 'x', transactionHash: undefined },
      ...{ errorName, errorArgs, reason: errorName },
    },
    'the contract would refuse',
  );

describe('refusals of a board of jobs', () => {
  it('are sentences with their numbers', () => {
    const taken = refused('JobTakenBy', { worker: `0x${'0b'.repeat(20)}`, takenUntil: '77' });
    const told = explainJobRefusal(taken);
    assert.ok(told instanceof JobRefusal);
    assert.equal(told.facts.refusal, 'JobTakenBy');
    assert.match(
      told.message,
      /^0x0b.*0b has the job until Unix second 77 \(JobTakenBy; nothing was paid\)$/,
    );
  });

  it('are told for every error of the contract that a caller meets', () => {
    const items: readonly AbiItem[] = jobBoardAbi;
    const errors = items.filter(({ type, name }) => type === 'error' && name !== 'PaymentFailed');
    assert.ok(errors.length >= 8);
    for (const { name = '', inputs } of errors) {
      const args = Object.fromEntries((inputs ?? []).map((input) => [input.name, '5']));
      const told = explainJobRefusal(refused(name, args));
      assert.ok(told instanceof JobRefusal, name);
      assert.doesNotMatch(told.message, /undefined/);
    }
  });

  it('leave what they do not know as it is', () => {
    const other = refused('Something', {});
    assert.equal(explainJobRefusal(other), other);
  });
});
