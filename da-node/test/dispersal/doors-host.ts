import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { MIB, silentLogger, systemClock } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import {
  type DoorDeps,
  type DoorSettings,
  disperserDoors,
} from '../../src/doors/disperser-doors.ts';
import type { PayloadReader } from '../../src/doors/read-payload.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { backend, NETWORK } from './committee.ts';
import type { RunningDisperser, TestQuorum } from './harness.ts';
import { MemoryFacts } from './memory-facts.ts';

/** What of the doors a test puts in the place of the usual. */
export interface DoorParts {
  readonly replies?: ByteBudget;
  readonly arriving?: ByteBudget;
  readonly reader?: PayloadReader;
  readonly facts?: MemoryFacts;
  readonly putWait?: DoorSettings['putWait'];
  readonly getTimeoutMs?: number;
}

/** What all doors of a running disperser are made of. */
export async function doorDeps(
  quorum: TestQuorum,
  { disperser, archiver }: RunningDisperser,
  putTimeoutMs: number,
  parts: DoorParts = {},
): Promise<DoorDeps> {
  const retriever = await quorum.reader();
  const clock = systemClock();
  return {
    disperser,
    network: { ...NETWORK, maxMembers: 32 },
    epochs: quorum.chain,
    chain: parts.facts ?? new MemoryFacts(quorum.chain),
    backend,
    replies: parts.replies ?? new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }),
    reader: (...[wanted, options]: Parameters<PayloadReader>) =>
      parts.reader?.(wanted, options) ?? readBlob(wanted, retriever, options),
    ...(archiver === undefined ? {} : { archive: archiver.read.bind(archiver) }),
    intake: {
      budget: parts.arriving ?? new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }),
      clock,
    },
    clock,
    putTimeoutMs,
    stopping: new AbortController().signal,
  };
}

/** All doors of a running disperser on one socket. */
export async function openDoors(
  quorum: TestQuorum,
  running: RunningDisperser,
  putTimeoutMs = 3000,
  parts: DoorParts = {},
): Promise<HttpHost> {
  const deps = await doorDeps(quorum, running, putTimeoutMs, parts);
  const { chainId, address } = NETWORK.entrance;
  const server = { version: '0.0.0', chainId, entrance: address, verifier: address };
  const { putWait = 'dispersed', getTimeoutMs = 1000 } = parts;
  const host = createHttpHost({
    name: 'doors under test',
    version: '0.0.0',
    logger: silentLogger(),
    metrics: createMetrics(),
    limits: { drainMs: 200 },
    describeProblem,
    routes: disperserDoors(deps, { server, putWait, getTimeoutMs }),
  });
  await host.start();
  return host;
}
