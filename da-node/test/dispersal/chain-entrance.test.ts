import { deepEqual, equal } from 'node:assert/strict';
import { silentLogger, systemClock, toHex } from '@cairn/primitives';
import { ChainEntrance, type ChainEntranceDeps } from '../../src/chain/chain-entrance.ts';
import type { BlobOrder } from '../../src/disperser/blob-order.ts';
import { backend } from './committee.ts';

const { signal } = new AbortController();
const EPOCH = 3;
const END_SECONDS = 1000;
const GRACE_SECONDS = 60;

/** What an entrance knows in its final block. The slot of every promise is charged. */
interface FinalState {
  readonly roots: readonly Uint8Array[];
  readonly voids: readonly number[];
  readonly seconds: number;
}

function entranceAt({ roots, voids, seconds }: FinalState): ChainEntrance {
  const confirmed = roots.map((root) => toHex(root));
  const read = async (name: string, [root, leafIndex]: readonly unknown[]) => ({
    number: () => (confirmed.some((known) => known === root) ? 1 : 0),
    flag: () => (name === 'isSlotCharged' ? true : voids.some((leaf) => leaf === leafIndex)),
  });
  const chain = {
    client: { getBlock: async () => ({ timestamp: seconds }) },
    entrance: {
      contract: { read },
      finalBlock: async () => 7,
      settings: { graceSeconds: GRACE_SECONDS },
    },
    epochs: { sealed: async () => ({ header: { endSeconds: END_SECONDS } }) },
  };
  const deps = { chain, sender: {}, backend, clock: systemClock(), logger: silentLogger() };
  return new ChainEntrance(deps as unknown as ChainEntranceDeps, { pollMs: 1 });
}

describe('the fate of a promise', () => {
  const order = { epoch: EPOCH, promise: {} } as BlobOrder;
  const root = new Uint8Array(32).fill(1);
  const batch = { root, leafIndex: 2 };
  const over = { roots: [root], voids: [], seconds: END_SECONDS + GRACE_SECONDS + 1 };

  it('counts where its own leaf of its own batch counts in the final block', async () => {
    const fate = await entranceAt({ ...over, seconds: 0 }).fateOf({ order, batch }, { signal });
    deepEqual(fate, { kind: 'counted', block: 7 });
  });

  it('is void once the time is over where another leaf has used the slot', async () => {
    const elsewhere = entranceAt({ ...over, roots: [new Uint8Array(32)] });
    const beside = entranceAt({ ...over, voids: [2] });
    for (const entrance of [elsewhere, beside]) {
      deepEqual(await entrance.fateOf({ order, batch }, { signal }), { kind: 'void' });
    }
    const unsigned = await entranceAt(over).fateOf({ order, batch: undefined }, { signal });
    equal(unsigned.kind, 'void');
  });

  it('is open until then', async () => {
    const waiting = AbortSignal.timeout(30);
    const entrance = entranceAt({ ...over, voids: [2], seconds: END_SECONDS + GRACE_SECONDS });
    const fate = await entrance.fateOf({ order, batch }, { signal: waiting }).catch(() => 'open');
    equal(fate, 'open');
  });
});
