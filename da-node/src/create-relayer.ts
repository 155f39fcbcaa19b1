import { createTransactionSender } from '@cairn/chain-access';
import {
  type Ordering,
  openMirror,
  openOrdering,
  type Shard,
  ShardBook,
} from '@cairn/chain-access/shards';
import { ChainEpochs } from './chain/chain-epochs.ts';
import { mirrorChainOf, orderChainOf } from './chain/chain-relay.ts';
import { openShardEndpoints, type ShardEndpoints } from './chain/chain-shards.ts';
import { outlastOutages } from './chain/outlast-outages.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { DaNodeError } from './node-errors.ts';
import type { NodeParts } from './node-parts.ts';
import { httpCheckpointPeers } from './relayer/http-checkpoint-peers.ts';
import { createRelayerMetrics } from './relayer/metrics.ts';
import { BundleRelayer } from './relayer/order-bundles.ts';
import { type RelayDuty, runRelayer } from './relayer/run-relayer.ts';
import { Turns } from './relayer/take-turns.ts';
import { MirrorRelayer } from './relayer/tell-mirror.ts';
import { startHost } from './role-host.ts';
import type { StartedRole } from './roles.ts';
import type { ChainOptions } from './signer/ports.ts';

/** Addresses of signers read longer ago than this are read again. */
const SOCKETS_MS = 10_000;

/**
 * Starts the relayer role: checkpoints of consensus shards are brought to the hub, and its epochs to the
 * mirrors of the shards whose endpoints are named, until the process stops.
 *
 * @throws {DaNodeError} NODE_NOTHING_ORDERED; what listening throws; the signal's reason
 */
export async function startRelayer(
  parts: NodeParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<StartedRole> {
  const { config, chain, clock, logger, metrics, backend, runner, watch, opened } = parts;
  const { hub } = chain;
  const open = (): Promise<Ordering | undefined> => openOrdering(hub, { signal });
  const ordering = await outlastOutages(open, { clock, logger }, signal);
  if (ordering === undefined) {
    throw new DaNodeError(
      { code: 'NODE_NOTHING_ORDERED', hub: hub.network.hub },
      `the hub ${hub.network.hub} orders no shards: there is nothing to relay`,
    );
  }
  const { relayer } = config;
  const endpoints = openShardEndpoints(config.shards.rpcs, chain, clock);
  opened('shard endpoints', () => endpoints.close());
  const stopping = new AbortController();
  opened('relayer', async () => stopping.abort(new Error('the relayer is stopping')));
  const sockets = new ChainEpochs(
    { chain, sender: undefined, clock, logger, stopping: stopping.signal },
    { pollMs: config.chain.pollMs, socketsMs: SOCKETS_MS },
  );
  const turns = new Turns({ account: parts.account.address, clock }, relayer);
  const shared = {
    ...{ sockets, backend, turns, clock, logger },
    peers: httpCheckpointPeers(parts.transport),
    metrics: createRelayerMetrics(metrics.metrics),
  };
  const bundles = new BundleRelayer({
    ...shared,
    chain: orderChainOf({ chain, ordering, sender: parts.sender, backend }),
  });
  const order = { name: 'order', look: (options: ChainOptions) => bundles.look(options) };
  const mirrors = mirrorDuties(parts, { ordering, endpoints, shared });
  runner.run('relayer', (inner) =>
    runRelayer({ order, mirrors, clock, logger }, relayer.pollMs, inner),
  );
  const doors = { routes: [], describeProblem, ready: () => watch.ready() };
  return { role: 'relayer', host: await startHost('relayer', relayer, doors, parts) };
}

/** Opens the mirrors of the registry's shards as they come; one that cannot be opened is tried again. */
function mirrorDuties(
  { config, chain, account, index, backend, logger }: NodeParts,
  {
    ordering,
    endpoints,
    shared,
  }: {
    readonly ordering: Ordering;
    readonly endpoints: Pick<ShardEndpoints, 'clientOf'>;
    readonly shared: Omit<ConstructorParameters<typeof MirrorRelayer>[0], 'chain'>;
  },
): (options: ChainOptions) => Promise<readonly RelayDuty[]> {
  const book = new ShardBook(ordering);
  const known = new Map<string, RelayDuty>();
  const missing = new Set<number>();
  const { network } = chain.hub;
  const opened = async (
    { shardId, chainId, mirror: address }: Shard,
    options: ChainOptions,
  ): Promise<RelayDuty | undefined> => {
    const client = endpoints.clientOf(chainId);
    if (address === undefined || client === undefined) return undefined;
    const name = `${chainId}:${address}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const mirror = await openMirror({ client, mirror: address, chainId, network }, options);
    const sender = createTransactionSender({
      client,
      signer: account,
      journal: index,
      chainId,
      logger,
      pollMs: Math.max(10, Math.floor(config.chain.pollMs / 2)),
    });
    const relayed = mirrorChainOf({ chain, ordering, mirror, sender, backend });
    const teller = new MirrorRelayer({ ...shared, chain: relayed }, config.relayer);
    const duty = {
      name: `mirror of shard ${shardId}`,
      look: (inner: ChainOptions) => teller.look(inner),
    };
    known.set(name, duty);
    return duty;
  };
  return async (options) => {
    const duties: RelayDuty[] = [];
    for (const shard of await book.shards(options)) {
      // One that cannot be opened fails by itself, as a duty.
      const open = async (inner: ChainOptions): Promise<number> =>
        (await opened(shard, inner))?.look(inner) ?? 0;
      const { shardId, chainId } = shard;
      if (shard.mirror === undefined) continue;
      if (endpoints.clientOf(chainId) !== undefined) {
        duties.push({ name: `mirror of shard ${shardId}`, look: open });
      } else if (!missing.has(shardId)) {
        missing.add(shardId);
        logger.warn({ shardId, chainId }, 'no endpoint is named for the chain of a shard');
      }
    }
    return duties;
  };
}
