import { deepEqual, equal, rejects } from 'node:assert/strict';
import { ChainError } from '@cairn/chain-access';
import type { Logger } from '@cairn/primitives';
import { silentLogger } from '@cairn/primitives';
import { outlastOutages } from '../../src/chain/outlast-outages.ts';

const outage = (): ChainError =>
  new ChainError(
    { code: 'CHAIN_UNREACHABLE', method: 'eth_call', endpoint: 'http://c', attempts: 1 },
    'the chain does not answer',
  );

describe('outages of the chain', () => {
  const waits: number[] = [];
  const warned: string[] = [];
  const clock = {
    sleep: async (durationMs: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      waits.push(durationMs);
    },
  };
  const logger: Logger = { ...silentLogger(), warn: (_, message) => void warned.push(message) };
  const deps = { clock, logger };
  beforeEach(() => {
    waits.length = 0;
    warned.length = 0;
  });

  it('are waited out with growing waits of at most ten seconds, and told of once', async () => {
    let tries = 0;
    const work = async (): Promise<string> => {
      tries += 1;
      if (tries <= 8) throw outage();
      return 'there';
    };
    equal(await outlastOutages(work, deps, new AbortController().signal), 'there');
    deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    equal(warned.length, 1);
  });

  it('end with the signal, and other faults at once', async () => {
    const stop = new AbortController();
    const failing = async (): Promise<never> => {
      if (waits.length === 3) stop.abort(new Error('enough'));
      throw outage();
    };
    await rejects(outlastOutages(failing, deps, stop.signal), /enough/);
    const broken = async (): Promise<never> => {
      throw new Error('another fault');
    };
    await rejects(outlastOutages(broken, deps, new AbortController().signal), /another fault/);
    equal(waits.length, 3);
  });
});
