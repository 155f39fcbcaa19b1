import type { BlsBackend } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  createTransactionSender,
  type LocalSigner,
  type TransactionSender,
} from '@cairn/chain-access';
import type { Runner } from '@cairn/node-runtime/lifecycle';
import { createMetrics, type MetricsRegistry } from '@cairn/node-runtime/observe';
import type { P2pHost } from '@cairn/node-runtime/p2p';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type Clock,
  type HttpTransport,
  type KeyValueStore,
  type Logger,
  systemClock,
} from '@cairn/primitives';
import { connectChain, type DaChain } from './chain/connect-chain.ts';
import type { DaNodeConfig } from './config.ts';
import { ChainWatch } from './health.ts';
import { type Opened, openData } from './open-data.ts';
import { openP2p } from './open-p2p.ts';
import { readAccount } from './read-keys.ts';
import { VERSION } from './version.ts';

/** What the roles of a process share. */
export interface NodeParts {
  readonly config: DaNodeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly backend: BlsBackend;
  /** Carries requests to signers. */
  readonly transport: HttpTransport;
  /** Carries questions to signers that registered a multiaddress, and this signer's answers. */
  readonly p2p: P2pHost | undefined;
  readonly chain: DaChain;
  /** The account that this process acts for. */
  readonly account: LocalSigner;
  readonly sender: TransactionSender;
  /** What the process knows of itself, beside the journal of its transactions. */
  readonly index: KeyValueStore;
  /** Whether the chain answers. */
  readonly watch: ChainWatch;
  /** Where the loops of roles go. */
  readonly runner: Runner;
  readonly opened: Opened;
}

/** What opening works with. */
export interface OpenPartsDeps {
  readonly config: DaNodeConfig;
  readonly logger: Logger;
  readonly runner: Runner;
  readonly opened: Opened;
}

/** A transaction in flight waits this many looks at least before it is sent again. */
const SENDER_LOOKS_PER_POLL = 2;

/**
 * Reads the keys, connects to the chain and takes the data directory.
 *
 * @throws as `readAccount`, `connectChain`, `openData`
 */
export async function openParts(
  { config, logger, runner, opened }: OpenPartsDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<NodeParts> {
  const clock = systemClock();
  const metrics = createMetrics();
  const backend = blstBackend();
  const account = await readAccount(config.keys, { signal });
  const chain = await connectChain(config.chain, { clock, logger, backend }, { signal });
  opened('chain', () => chain.close());
  const { chainId, entrance, client } = chain;
  const place = { chainId, account: account.address, entrance: entrance.domain.address };
  const index = await openData({ directory: config.node.dataDirectory, ...place }, opened);
  const p2p = await openP2p({ config, clock, logger, metrics: metrics.metrics, opened });
  const transport = createNodeTransport();
  opened('transport', () => transport.close());
  const sender = createTransactionSender({
    client,
    signer: account,
    journal: index,
    chainId,
    logger,
    pollMs: Math.max(10, Math.floor(config.chain.pollMs / SENDER_LOOKS_PER_POLL)),
  });
  const watch = new ChainWatch({ client, clock, metrics: metrics.metrics });
  runner.run('chain watch', (inner) => watch.run(config.chain.pollMs, inner));
  metrics.metrics
    .gauge({
      name: 'cairn_build_info',
      help: 'always 1; the labels say what runs',
      labels: ['version', 'chain_id'],
    })
    .set(1, { version: VERSION, chain_id: String(chainId) });
  return {
    config,
    clock,
    logger,
    metrics,
    backend,
    transport,
    p2p,
    chain,
    account,
    sender,
    index,
    watch,
    runner,
    opened,
  };
}
