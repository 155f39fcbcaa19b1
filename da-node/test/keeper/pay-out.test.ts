import assert from 'node:assert/strict';
import { silentLogger, systemClock } from '@cairn/primitives';
import { PayOut, type PayOutChain } from '../../src/keeper/pay-out.ts';

const options = { signal: new AbortController().signal };

/** Epochs of a hundred seconds, the first from 0 on, with fees in some pools. */
class FakePools implements PayOutChain {
  readonly maxRetentionEpochs = 4;
  readonly graceSeconds = 100;
  seconds = 50;
  nextEpoch = 0;
  scheduledWei = 0n;
  readonly fees = new Map<string, bigint>();
  readonly calls: string[] = [];
  looks = 0;

  async currentEpoch(): Promise<number> {
    return Math.floor(this.seconds / 100);
  }

  async endOf(epoch: number): Promise<number | undefined> {
    return epoch === 0 ? undefined : (epoch + 1) * 100;
  }

  async newestSeconds(): Promise<number> {
    return this.seconds;
  }

  async feesOf(pool: { epoch: number; retentionEpochs: number; suite: number }): Promise<bigint> {
    this.looks += 1;
    return this.fees.get(nameOf(pool)) ?? 0n;
  }

  async release(pool: { epoch: number; retentionEpochs: number; suite: number }): Promise<void> {
    this.calls.push(`release ${nameOf(pool)}`);
    this.scheduledWei += this.fees.get(nameOf(pool)) ?? 0n;
    this.fees.delete(nameOf(pool));
  }

  async pools(): Promise<{ nextEpoch: number; scheduledWei: bigint }> {
    return { nextEpoch: this.nextEpoch, scheduledWei: this.scheduledWei };
  }

  async fix({ epoch }: { epoch: number }): Promise<void> {
    this.calls.push(`fix ${epoch}`);
    this.nextEpoch = await this.currentEpoch();
  }
}

const nameOf = (pool: { epoch: number; retentionEpochs: number; suite: number }): string =>
  `${pool.epoch}/${pool.retentionEpochs}/${pool.suite}`;

describe('a keeper that moves fees on', () => {
  it('releases an epoch once it takes no more fees, and fixes pools after that', async () => {
    const chain = new FakePools();
    const payOut = new PayOut({ chain, clock: systemClock(), logger: silentLogger() });
    chain.fees.set('1/2/0', 7n).set('1/4/1', 5n);
    chain.seconds = 290;
    await payOut.look(options);
    assert.deepEqual(chain.calls, [], 'the time of grace is not over');
    chain.seconds = 301;
    await payOut.look(options);
    assert.deepEqual(chain.calls.sort(), ['fix 0', 'release 1/2/0', 'release 1/4/1']);
    const { looks } = chain;
    await payOut.look(options);
    assert.equal(chain.calls.length, 3, 'nothing is left to do');
    assert.equal(chain.looks, looks, 'an epoch that is released is not looked at again');
  });

  it('fixes nothing while nothing is scheduled', async () => {
    const chain = new FakePools();
    const payOut = new PayOut({ chain, clock: systemClock(), logger: silentLogger() });
    chain.seconds = 950;
    await payOut.look(options);
    assert.deepEqual(chain.calls, []);
  });
});
