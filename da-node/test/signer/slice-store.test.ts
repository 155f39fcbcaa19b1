import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { rootOf, silentLogger, systemClock } from '@cairn/primitives';
import { rowsPath } from '@cairn/wire-protocol/da';
import { ByteBudget } from '../../src/byte-budget.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { createSignerMetrics } from '../../src/signer/metrics.ts';
import { type SignerDoorsDeps, signerDoors } from '../../src/signer/signer-doors.ts';
import type { HeldSlice } from '../../src/signer/slice-index.ts';
import { SliceStore } from '../../src/signer/slice-store.ts';
import { verifiedSlices } from '../real/verified-slices.ts';

const { signal } = new AbortController();

describe('slices on disk', () => {
  let directory: string;
  let store: SliceStore;
  /** What the next write waits for. */
  let gate: Promise<void>;
  beforeEach(async () => {
    gate = Promise.resolve();
    directory = await mkdtemp(join(tmpdir(), 'cairn-slices-'));
    const freeBytes = async (): Promise<number> => {
      await gate;
      return 10 ** 12;
    };
    const bounds = { capacityBytes: 10 ** 9, reserveBytes: 0, freeBytes };
    store = await SliceStore.open({ directory, ...bounds, logger: silentLogger() }, { signal });
  });
  afterEach(() => rm(directory, { recursive: true }));

  const putFirst = async (): Promise<HeldSlice> => {
    const { claim, slice } = await verifiedSlices(1);
    return store.put(claim, slice, { signal });
  };

  /** Delivers the slice anew, and does `work` while its file is about to be written. */
  async function whileWriting<Result>(work: () => Promise<Result>): Promise<Result> {
    let open = (): void => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const { claim, slice } = await verifiedSlices(1);
    const writing = store.put(claim, slice, { signal });
    const working = work();
    open();
    await writing;
    return working;
  }

  it('stay when they are delivered anew while they are given up', async () => {
    const held = await putFirst();
    await whileWriting(() => {
      const removing = store.remove(held.leaf);
      equal(store.get(held.leaf), held, 'its turn comes after the file');
      return removing;
    });
    const anew = store.get(held.leaf);
    ok(anew !== undefined && anew !== held);
    equal((await store.read(anew, [0, 31]))?.rows.length, 2);
  });

  it('stay when they are delivered anew while damage is found', async () => {
    const held = await putFirst();
    const name = held.leaf.slice(2);
    await truncate(join(directory, name.slice(0, 2), `${name}.slice`), 100);
    await whileWriting(() => store.read(held, [0]));
    const anew = store.get(held.leaf);
    ok(anew !== undefined && anew !== held);
    equal((await store.read(anew, [0, 31]))?.rows.length, 2);
  });

  it('are read for those who ask once there is memory for the rows', async () => {
    const { header } = await putFirst();
    const order: string[] = [];
    class WatchedBudget extends ByteBudget {
      override take(bytes: number, until: AbortSignal): Promise<() => void> {
        order.push('memory');
        return super.take(bytes, until);
      }
    }
    const watched: SignerDoorsDeps['store'] = {
      ofCommitment: (commitment) => store.ofCommitment(commitment),
      read: (slice, places) => {
        order.push('disk');
        return store.read(slice, places);
      },
    };
    const metrics = createMetrics({ processMetrics: false });
    const none = async (): Promise<never> => Promise.reject(new Error('nobody asks for it'));
    const routes = signerDoors(
      {
        store: watched,
        unsent: new WatchedBudget({ maxBytes: 10, maxWaiting: 1 }),
        acceptor: { accept: none },
        signer: { sign: none, turnOf: () => 0 },
        votes: { get: none },
        status: () => {
          throw new Error('nobody asks for it');
        },
        clock: systemClock(),
        metrics: createSignerMetrics(metrics.metrics),
        stopping: signal,
      },
      1000,
    );
    const about = { name: 'signer', version: '0.1.0', logger: silentLogger(), metrics };
    const host = createHttpHost({ ...about, describeProblem, routes: [routes] });
    await host.start();
    try {
      const path = rowsPath(rootOf(header.commitment), [1, 2]);
      const reply = await fetch(`${host.address.url}${path}`);
      equal(reply.status, 200);
      await reply.arrayBuffer();
      deepEqual(order, ['memory', 'disk']);
    } finally {
      await host.stop();
    }
  });
});
