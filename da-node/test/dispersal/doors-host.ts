import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { MIB, silentLogger, systemClock } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { opStackDoors } from '../../src/doors/op-stack/op-stack-doors.ts';
import { blobDoors } from '../../src/doors/rest/blob-doors.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { NETWORK } from './committee.ts';
import type { RunningDisperser, TestQuorum } from './harness.ts';

/** Both doors of a running disperser on one socket. */
export async function openDoors(
  quorum: TestQuorum,
  { disperser }: RunningDisperser,
  putTimeoutMs = 3000,
): Promise<HttpHost> {
  const retriever = await quorum.reader();
  const clock = systemClock();
  const deps = {
    disperser,
    reader: (wanted: Parameters<typeof readBlob>[0], options: { readonly signal: AbortSignal }) =>
      readBlob(wanted, retriever, options),
    intake: { budget: new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }), clock },
    clock,
    stopping: new AbortController().signal,
  };
  const place = { chainId: NETWORK.entrance.chainId, shardId: NETWORK.shardId };
  const host = createHttpHost({
    name: 'doors under test',
    version: '0.0.0',
    logger: silentLogger(),
    metrics: createMetrics(),
    limits: { drainMs: 200 },
    describeProblem,
    routes: [
      blobDoors({ ...deps, place }),
      opStackDoors({ ...deps, shardId: NETWORK.shardId, putTimeoutMs }),
    ],
  });
  await host.start();
  return host;
}
