import { deepEqual, equal, throws } from 'node:assert/strict';
import { encodeCall } from '@cairn/chain-access';
import { type Address, isFault, parseAddress, toHex } from '@cairn/primitives';
import { describeGovernedCall, parseGovernedCall } from '../../src/governance/describe-call.ts';

const at = (digit: string): Address => parseAddress(`0x${digit.repeat(40)}`);
const CONTRACTS = new Map([
  ['directory', at('1')],
  ['orderingHub', at('2')],
  ['stakeHub', at('3')],
]);
const call = (text: string) => parseGovernedCall(text, CONTRACTS);

describe('calls that governance makes', () => {
  it('are built by the names of contracts and functions, and told the same way', () => {
    const change = `orderingHub.changeShard(3, ${at('a')}, ${at('b')}, ${at('c')}, 64)`;
    const texts = [
      `directory.set(market, ${at('a')})`,
      `stakeHub.setModule(${at('a')}, true)`,
      `stakeHub.setModule(${at('a')}, false)`,
      change,
    ];
    for (const text of texts) equal(describeGovernedCall(call(text), CONTRACTS), text);
    const { target, data } = call(change);
    equal(target, at('2'));
    const fragment =
      'function changeShard(uint32 shardId, address flow, address daEntrance, address mirror, uint32 finality)';
    deepEqual(data, encodeCall(fragment, [3, at('a'), at('b'), at('c'), 64]));
    equal(
      describeGovernedCall({ target, data, valueWei: 7n }, new Map()),
      `${at('2')}.${toHex(data)} with 7 wei`,
    );
  });

  it('take the types of a contract that nobody knows here, lists and texts with commas', () => {
    const text = `${at('9')}.publish(string,uint256[][],bool)("a, b [c] \\"d\\"", [[1,2],[0x03],[]], false)`;
    const { target, data } = call(text);
    equal(target, at('9'));
    const fragment = 'function publish(string text, uint256[][] lists, bool flag)';
    deepEqual(data, encodeCall(fragment, ['a, b [c] "d"', [[1, 2], [3], []], false]));
    deepEqual(call(`${at('9')}.stop()()`).data, encodeCall('function stop()', []));
    deepEqual(
      call(`${at('1')}.set(market, ${at('a')})`),
      call(`directory.set(market, ${at('a')})`),
    );
  });

  it('are refused by name where they cannot be what was meant', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['market.set(1)', /there is no contract market: directory, orderingHub, stakeHub are known/],
      ['directory.sett(market)', /directory has no function sett/],
      ['directory.set(market)', /set takes 2 arguments, not 1/],
      ['directory.set(market, 0x12)', /no call/],
      [`stakeHub.setModule(${at('a')}, yes)`, /yes is neither true nor false/],
      [`${at('9')}.stop()`, /the types of stop are not known/],
      ['directory.set(market, [1)', /its arguments cannot be read/],
      ['directory.set(market, "x)', /its arguments cannot be read/],
      [`directory.set(${'['.repeat(99)}`, /not written|cannot be read/],
      ['directory set market', /not written CONTRACT.FUNCTION\(ARGUMENTS\)/],
      ['x'.repeat(70_000), /it has 70000 characters/],
      [`orderingHub.changeShard(-1, ${at('a')}, ${at('b')}, ${at('c')}, 64)`, /no call/],
    ];
    for (const [text, message] of cases) {
      throws(
        () => call(text),
        (error: unknown) => isFault(error, 'GOVERNANCE_BAD_CALL') && message.test(String(error)),
        text.slice(0, 100),
      );
    }
  });
});
