import { loadRowSuite } from '@cairn/commitments/rows';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { seededRng, silentLogger, systemClock } from '@cairn/primitives';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { nitroDoors } from '../../src/doors/nitro/nitro-doors.ts';
import { NETWORK } from './committee.ts';
import { type DoorParts, doorDeps } from './doors-host.ts';
import type { RunningDisperser, TestQuorum } from './harness.ts';

/** The door for Arbitrum nodes of a running disperser, on a socket of its own. */
export async function openNitroDoor(
  quorum: TestQuorum,
  running: RunningDisperser,
  putTimeoutMs = 3000,
  parts: DoorParts = {},
): Promise<HttpHost> {
  const deps = await doorDeps(quorum, running, putTimeoutMs, parts);
  const { codec, combiner } = await quorum.reader();
  const host = createHttpHost({
    name: 'nitro door under test',
    version: '0.0.0',
    logger: silentLogger(),
    metrics: createMetrics(),
    limits: { drainMs: 200 },
    describeProblem,
    routes: [
      nitroDoors(
        {
          ...deps,
          network: NETWORK,
          clock: { ...systemClock(), now: () => quorum.chain.nowSeconds * 1000 },
          rng: seededRng(7),
          logger: silentLogger(),
          tools: { codec, combiner, suite: await loadRowSuite(1) },
        },
        { putStage: 'confirmed', putTimeoutMs, getTimeoutMs: 10_000, retentionEpochs: 1 },
      ),
    ],
  });
  await host.start();
  return host;
}
