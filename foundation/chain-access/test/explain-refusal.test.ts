import assert from 'node:assert/strict';
import { possessionAbi, stakeHubAbi } from '@cairn/contracts';
import { Fault } from '@cairn/primitives';
import { explainRefusal } from '../src/possession/explain-refusal.ts';
import { TransactionError } from '../src/send/errors.ts';

interface AbiItem {
  readonly type?: string;
  readonly name?: string;
  readonly inputs?: readonly { readonly name?: string }[];
}

const refused = (errorName: string, errorArgs: Record<string, string>): TransactionError =>
  new TransactionError(
    {
      code: 'TX_REVERTED',
      intent: 'x',
      transactionHash: undefined,
      errorName,
      errorArgs,
      reason: errorName,
    },
    'the contract would refuse',
  );

/** Errors of deployment, of administration and of modules, which no caller of a duty meets. */
const NOT_OF_DUTIES =
  /^(Bad|OnlyAdmin|NotAdmin|NotModule|Case|Unknown(Role|Module|Admin)|.*Module.*|PaymentFailed|PeriodOpen|LogFull|NotPendingAdmin|TooManyCases|TooSoon|NotJailed|StillJailed|Zero|.*Clock.*|.*Overflow.*)/;

describe('refusals of the contract of duties', () => {
  it('are sentences with their numbers', () => {
    const spent = explainRefusal(refused('DepositSpent', { left: `${10n ** 17n}`, penalty: '5' }));
    assert.ok(spent instanceof Fault && spent.code === 'POSSESSION_REFUSED');
    assert.match(spent.message, /^0\.1 coins of the deposit are left, less than the 5 wei that/);
    assert.match(spent.message, /\(DepositSpent; nothing was paid\)$/);
  });

  it('leave what they do not know as it is', () => {
    const other = refused('Something', {});
    assert.equal(explainRefusal(other), other);
    const plain = new Error('away');
    assert.equal(explainRefusal(plain), plain);
  });

  it('name every argument that the contracts give, and no other', () => {
    const items = [...possessionAbi, ...stakeHubAbi] as readonly (AbiItem | string)[];
    const errors = items.filter(
      (item): item is AbiItem => typeof item !== 'string' && item.type === 'error',
    );
    const unknown: string[] = [];
    for (const { name = '', inputs = [] } of errors) {
      const args = Object.fromEntries(inputs.map(({ name: key = '' }, at) => [key, `${at + 11}`]));
      const told = explainRefusal(refused(name, args));
      if (told instanceof TransactionError) unknown.push(name);
      else assert.ok(!String(told).includes('undefined') && !String(told).includes('?'), name);
    }
    assert.deepEqual(
      unknown.filter((name) => !NOT_OF_DUTIES.test(name)),
      [],
    );
  });
});
