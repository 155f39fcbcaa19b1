/**
 * A disperser in a process of its own, to be killed: `disperser-child.ts DIRECTORY CHAIN_URL SIGNERS`,
 * the last one a JSON list of addresses. Prints the address of its REST door.
 */
import { join } from 'node:path';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { createHttpHost } from '@cairn/node-runtime/http';
import { openLevelStore } from '@cairn/node-runtime/level';
import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { MIB, silentLogger, systemClock, toHex } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { openAccounts } from '../../src/disperser/accounts.ts';
import { orderJson } from '../../src/disperser/blob-order.ts';
import { openPayloadFiles } from '../../src/disperser/payload-files.ts';
import type { BatchOutcome, Entrance } from '../../src/disperser/ports.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { blobDoors } from '../../src/doors/rest/blob-doors.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { backend, NETWORK } from './committee.ts';
import { createDisperser } from './create-disperser.ts';
import { chainClock, payer, QUICK, START_SECONDS } from './harness.ts';
import { MemoryChain } from './memory-chain.ts';

const [directory = '', chainUrl = '', sockets = '[]'] = process.argv.slice(2);
const urls = JSON.parse(sockets) as string[];
const { signal } = new AbortController();

/** Epochs as the parent has them; batches are confirmed there, so that they outlive this process. */
const chain = new MemoryChain({
  seats: urls.map(() => 1),
  startSeconds: START_SECONDS,
  socketOf: (index) => urls[index],
});
const entrance: Entrance = {
  confirm: async ({ epoch, quorumId, orders, absent, signature, root }) => {
    const reply = await fetch(`${chainUrl}/confirm`, {
      method: 'POST',
      body: JSON.stringify({
        epoch,
        quorumId,
        orders: orders.map(orderJson),
        absent,
        signature: toHex(signature),
        root: toHex(root),
      }),
    });
    return (await reply.json()) as BatchOutcome;
  },
  submit: async () => [], // no blob is paid for first
  holds: async () => true,
  freeDepositWei: async () => 10n ** 24n,
  finalConfirmation: async () => ({ block: 1, voidLeaves: [] }),
  fateOf: () => new Promise(() => undefined), // no epoch ends here
};
const clock = chainClock(() => chain);
const codec = await loadWasmCodec();
const suite = await loadRowSuite(0);
const combiner = await loadWasmCombiner();
const peers = httpSignerPeers(createNodeTransport());
const budget = new ByteBudget({ maxBytes: 256 * MIB, maxWaiting: 256 });
const logger = silentLogger();
const { disperser } = createDisperser({
  index: await openLevelStore({ directory: join(directory, 'index') }),
  payloads: await openPayloadFiles(join(directory, 'payloads')),
  accounts: openAccounts(),
  network: NETWORK,
  epochs: chain,
  entrance,
  peers,
  payer,
  codec,
  suites: [suite],
  combiner,
  backend,
  budget,
  clock,
  logger,
  settings: QUICK,
});
await disperser.open(signal);
const retriever = {
  epochs: chain,
  peers,
  codec,
  suites: [suite],
  combiner,
  layout: NETWORK.layout,
  budget,
  clock: systemClock(),
  logger,
  timeoutMs: 10_000,
  hedgeMs: 200,
};
const host = createHttpHost({
  name: 'disperser',
  version: '0.1.0',
  logger,
  metrics: createMetrics(),
  describeProblem,
  routes: [
    blobDoors({
      place: { chainId: NETWORK.entrance.chainId, shardId: NETWORK.shardId },
      disperser,
      reader: (wanted, options) => readBlob(wanted, retriever, options),
      intake: { budget, clock },
      replies: budget,
      clock,
      stopping: signal,
    }),
  ],
});
await host.start();
process.stdout.write(`${host.address.url}\n`);
await disperser.run(signal);
