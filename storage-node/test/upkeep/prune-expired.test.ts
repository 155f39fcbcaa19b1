import { deepEqual, equal, rejects } from 'node:assert/strict';
import { ChainError } from '@cairn/chain-access';
import type { LogEntry } from '@cairn/log-layer';
import {
  type KeyValueStore,
  memoryKeyValueStore,
  noMetrics,
  rootOf,
  sequenceOf,
  silentLogger,
} from '@cairn/primitives';
import { createUpkeepMetrics } from '../../src/upkeep/metrics.ts';
import { ExpiredPruner, type PaymentLook } from '../../src/upkeep/prune-expired.ts';

const { signal } = new AbortController();
const NOW = 1_000_000;
const AFTER = 100;

/** Entries of a segment each, with what is held of them and what is paid for them. */
class Node {
  readonly kv: KeyValueStore = memoryKeyValueStore();
  readonly held = new Set<number>();
  readonly pruned = new Set<number>();
  /** Until when each is paid for. */
  readonly paid: (number | undefined)[];
  firstTermEnd = 0;
  chainNow = NOW;
  localNow = NOW;
  promised = new Set<number>();
  told: number[] = [];
  reclaims = 0;
  monotonic = 0;
  sweepsLeft = Number.POSITIVE_INFINITY;
  chainFault: ChainError | undefined;

  constructor(paid: readonly (number | undefined)[]) {
    this.paid = [...paid];
    for (const at of paid.keys()) this.held.add(at);
  }

  open({ afterSeconds }: { readonly afterSeconds: number | undefined } = { afterSeconds: AFTER }) {
    const look: PaymentLook = {
      now: this.chainNow,
      of: async ({ sequence }) => {
        const until = this.paid[sequence];
        return until === undefined ? undefined : { until, firstTermEnd: this.firstTermEnd };
      },
      told: async ({ sequence }) => {
        this.told.push(sequence);
        return this.paid[sequence];
      },
    };
    return ExpiredPruner.open(
      {
        log: {
          nextSequence: sequenceOf(this.paid.length),
          entryAt: async (sequence) => entryOf(sequence),
          stateOf: async (sequence) => ({ pruned: this.pruned.has(sequence), finalized: false }),
          markPruned: async (entries, alongside = []) => {
            await this.kv.write(alongside, { sync: true });
            for (const { sequence } of entries) this.pruned.add(sequence);
          },
        },
        segments: {
          sweep: async ({ from, end = 0 }) => {
            this.sweepsLeft -= 1;
            if (this.sweepsLeft < 0) throw new Error('the machine is off');
            for (let sector = from; sector < end; sector += 1024) this.held.delete(sector / 1024);
            return { dropped: 1, next: undefined };
          },
        },
        kv: this.kv,
        reclaimer: {
          reclaimAll: async () => {
            this.reclaims += 1;
          },
        },
        look: async () => {
          if (this.chainFault !== undefined) throw this.chainFault;
          return look;
        },
        isPromised: ({ sequence }) => this.promised.has(sequence),
        rest: async () => undefined,
        clock: { monotonic: () => this.monotonic, now: () => this.localNow * 1000 },
        logger: silentLogger(),
        metrics: createUpkeepMetrics(noMetrics()),
      },
      { afterSeconds },
    );
  }
}

function entryOf(sequence: number): LogEntry {
  return {
    sequence: sequenceOf(sequence),
    root: rootOf(new Uint8Array(32).fill(sequence + 1)),
    startSector: sequence * 1024,
    paddedSectors: 1024,
    sizeBytes: 262_144,
  } as LogEntry;
}

const OVER = NOW - AFTER - 1;

describe('giving up files that nobody pays for', () => {
  it('is off unless told after how long', async () => {
    const node = new Node([OVER, OVER]);
    const pruner = await node.open({ afterSeconds: undefined });
    equal(pruner.isDue, false);
    equal(await pruner.run(signal), false);
    deepEqual([...node.held], [0, 1]);
  });

  it('takes exactly those whose time is over, by the contract’s last word too', async () => {
    const node = new Node([OVER, OVER + 1, OVER, undefined, OVER]);
    const pruner = await node.open();
    equal(await pruner.run(signal), true);
    deepEqual([...node.held], [1, 3, 4], 'behind a chunk that is not full nothing is over');
    deepEqual([...node.pruned], [0, 2]);
    deepEqual(node.told, [0, 2]);
    equal(node.reclaims, 1);
    equal(pruner.isDue, false);
    node.monotonic = 3_600_000;
    equal(pruner.isDue, true);
    equal(await pruner.run(signal), false);
    equal(node.reclaims, 1);
  });

  it('takes nothing while either clock says that there is time', async () => {
    for (const clock of ['chainNow', 'localNow'] as const) {
      const node = new Node([OVER, OVER]);
      node[clock] = NOW - 5;
      equal(await (await node.open()).run(signal), false);
      deepEqual([...node.held], [0, 1], clock);
    }
  });

  it('keeps what the node has promised to somebody, and looks at it again', async () => {
    const node = new Node([OVER, OVER, OVER]);
    node.promised = new Set([0]);
    const pruner = await node.open();
    await pruner.run(signal);
    deepEqual([...node.held], [0]);
    node.promised = new Set();
    node.monotonic = 3_600_000;
    equal(await pruner.run(signal), true);
    deepEqual([...node.held], []);
  });

  it('goes on after a stop between any two steps, also once it is off', async () => {
    for (let sweeps = 0; sweeps < 4; sweeps += 1) {
      const node = new Node([OVER, OVER + 50, OVER, OVER]);
      node.sweepsLeft = sweeps;
      const first = await node.open();
      if (sweeps < 3) await rejects(first.run(signal), /the machine is off/);
      else await first.run(signal);
      node.sweepsLeft = Number.POSITIVE_INFINITY;
      const begun = [...node.pruned];
      const off = await node.open({ afterSeconds: undefined });
      equal(off.isDue, sweeps < 3);
      await off.run(signal);
      deepEqual([...node.pruned], begun, 'nothing more is begun');
      for (const sequence of begun) equal(node.held.has(sequence), false, 'what was begun is done');
      await (await node.open()).run(signal);
      deepEqual([...node.held], [1]);
      equal(Reflect.get(Object((await node.open()).report), 'files'), 3);
    }
  });

  it('waits for a chain that does not answer, and says so', async () => {
    const node = new Node([OVER]);
    node.chainFault = new ChainError(
      { code: 'CHAIN_UNREACHABLE', method: 'eth_call', url: 'http://chain' } as never,
      'the chain is away',
    );
    const pruner = await node.open();
    equal(await pruner.run(signal), false);
    equal(Reflect.get(Object(pruner.report), 'fault'), 'the chain is away');
    equal(pruner.isDue, false);
    node.chainFault = undefined;
    node.monotonic = 60_000;
    equal(await pruner.run(signal), true);
    equal(Reflect.get(Object(pruner.report), 'fault'), null);
  });
});
