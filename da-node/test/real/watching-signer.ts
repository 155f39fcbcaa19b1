import { blstBackend } from '@cairn/attestation/native';
import { createChainClient, signerFromKey } from '@cairn/chain-access';
import { openOrdering } from '@cairn/chain-access/shards';
import { createHttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { type Address, type ChainId, fromHex, type Hex, silentLogger } from '@cairn/primitives';
import { ChainShards } from '../../src/chain/chain-shards.ts';
import { ChainSignerFacts, signerNetworkOf } from '../../src/chain/chain-signer-facts.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { openSigner } from '../../src/signer/open-signer.ts';
import { openShards } from '../../src/signer/shards/open-shards.ts';
import { ChainClock } from './chain-clock.ts';

/** What the process is told, as JSON. */
export interface WatchingSigner {
  readonly hubRpc: string;
  readonly entrance: Address;
  readonly shards: readonly (readonly [chainId: ChainId, rpc: string])[];
  readonly account: Hex;
  readonly secret: Hex;
  readonly folder: string;
  readonly port: number;
}

/**
 * A signer's part in the order of shards as a process that is killed: on the clock of the hub's chain, which runs as a test
 * mines. Writes a line once it listens.
 */
const told: WatchingSigner = JSON.parse(process.argv[2] ?? '');
const { signal } = new AbortController();
const logger = silentLogger();
const clock = new ChainClock();
const backend = blstBackend();
const settings = {
  rpcUrl: told.hubRpc,
  hub: undefined,
  chainId: undefined,
  finality: 2,
  pollMs: 100,
};
const chain = await connectChain(
  { ...settings, entrance: told.entrance, startBlock: 0 },
  { clock, logger, backend },
  { signal },
);
const follow = async (): Promise<void> => {
  clock.seconds = (await chain.client.getBlock('latest', { signal }))?.timestamp ?? clock.seconds;
};
await follow();
const ordering = await openOrdering(chain.hub, { signal });
if (ordering === undefined) throw new Error('nothing orders checkpoints');
const clients = new Map(told.shards.map(([id, rpcUrl]) => [id, createChainClient({ rpcUrl })]));
const clientOf = (id: ChainId) =>
  clients.get(id) ?? (id === chain.chainId ? chain.client : undefined);
const { address } = signerFromKey(fromHex(told.account));
const identity = { address, key: backend.openKey(fromHex(told.secret)), backend };
const metrics = createMetrics({ processMetrics: false });
const facts = new ChainSignerFacts(chain);
const signer = await openSigner(
  {
    ...{ chain: facts, network: signerNetworkOf(chain), identity, clock, logger },
    ...{ metrics: metrics.metrics, version: '0.1.0' },
  },
  {
    directory: told.folder,
    capacityBytes: 256 * 1024 ** 2,
    mayCreateProtection: false,
    reserveBytes: 0,
  },
  { signal },
);
const { epochSeconds } = chain.entrance.settings;
const shards = openShards(
  {
    ...{ identity, protection: signer.protection, clock, logger, stopping: signal },
    ...{ chain: facts, network: chain.hub.network, orderingHub: ordering.domain },
    chains: new ChainShards({ ordering, endpoints: { clientOf }, logger }),
    times: { epochSeconds, graceSeconds: ordering.graceSeconds },
  },
  { pollMs: 100 },
);
const host = createHttpHost({
  ...{ name: 'signer', version: '0.1.0', logger, metrics, describeProblem },
  port: told.port,
  routes: [signer.routes, shards.routes],
});
await host.start();
process.stdout.write(`${host.address.url}\n`);
for (;;) {
  await follow();
  await shards.look({ signal }).catch(() => undefined);
  await clock.sleep(200, signal);
}
