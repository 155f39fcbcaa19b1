import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainClient, signerFromKey } from '@cairn/chain-access';
import { EpochBook, openMining, readPhase, SignerBook, setSocket } from '@cairn/chain-access/da';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type Address,
  type ChainId,
  type HttpTransport,
  keccak256,
  type Logger,
  silentLogger,
  utf8Bytes,
} from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS, type TestSigner } from '../../../foundation/chain-access/test/da-network.ts';
import { ShardNetwork, senderOn } from '../../../foundation/chain-access/test/shard-network.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import { chainOffice } from '../../src/chain/chain-office.ts';
import { ChainPlaces } from '../../src/chain/chain-places.ts';
import { mirrorChainOf, orderChainOf } from '../../src/chain/chain-relay.ts';
import { chainRewards } from '../../src/chain/chain-rewards.ts';
import { ChainShards } from '../../src/chain/chain-shards.ts';
import { ChainSignerFacts, signerNetworkOf } from '../../src/chain/chain-signer-facts.ts';
import type { DaChain } from '../../src/chain/connect-chain.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { httpCheckpointPeers } from '../../src/relayer/http-checkpoint-peers.ts';
import { createRelayerMetrics } from '../../src/relayer/metrics.ts';
import { BundleRelayer } from '../../src/relayer/order-bundles.ts';
import { Turns } from '../../src/relayer/take-turns.ts';
import { MirrorRelayer } from '../../src/relayer/tell-mirror.ts';
import { auditRulesOf } from '../../src/signer/office/audit-rules.ts';
import { httpOfficePeers } from '../../src/signer/office/http-office-peers.ts';
import { type Office, openOffice } from '../../src/signer/office/open-office.ts';
import { openSigner, type Signer } from '../../src/signer/open-signer.ts';
import { openShards, type Shards } from '../../src/signer/shards/open-shards.ts';
import type { ShardChains } from '../../src/signer/shards/ports.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { ChainClock } from './chain-clock.ts';

/** A clock whose turns pass as the test says. */
export class TurnClock {
  ms = 0;
  monotonic(): number {
    return this.ms;
  }
}

/** A signer that watches both chains, in this process. */
export interface ShardSigner extends TestSigner {
  readonly signer: Signer;
  readonly office: Office;
  readonly shards: Shards;
  readonly host: HttpHost;
  /** What its node of the shards tells: may be made to lie. */
  readonly node: LyingNode;
  /** Where it keeps blobs beside the hub. */
  readonly places: ChainPlaces;
}

/** A signer's view of the shards through a node that can be told to lie or to stay away. */
export class LyingNode implements ShardChains {
  readonly #chains: ShardChains;
  /** Shards of which it tells another log. */
  readonly lies = new Set<number>();
  readonly away = new Set<number>();

  constructor(chains: ShardChains) {
    this.#chains = chains;
  }

  shards: ShardChains['shards'] = (options) => this.#chains.shards(options);
  head: ShardChains['head'] = (...args) => this.#chains.head(...args);
  orderedHash: ShardChains['orderedHash'] = (...args) => this.#chains.orderedHash(...args);

  newest: ShardChains['newest'] = async (shardId, options) => {
    if (this.away.has(shardId)) throw new Error(`the node of shard ${shardId} is away`);
    return this.#chains.newest(shardId, options);
  };

  content: ShardChains['content'] = async (shardId, number, options) => {
    const told = await this.#chains.content(shardId, number, options);
    return this.lies.has(shardId) ? { ...told, logRoot: new Uint8Array(32).fill(6) } : told;
  };
}

/** A relayer: its account, and its duties. */
export interface TestRelayer {
  readonly order: BundleRelayer;
  readonly mirror: MirrorRelayer;
  readonly turns: TurnClock;
  readonly address: Address;
}

/** Two chains, four signers that watch both, and as many relayers as are asked for. */
export class ShardWorld {
  readonly network: ShardNetwork;
  readonly chain: DaChain;
  /** Those in this process. */
  readonly signers: ShardSigner[];
  readonly clock: ChainClock;
  /** Chains that signers have endpoints for. */
  readonly clients: Map<ChainId, ChainClient>;
  /** What signers warned of. */
  readonly warnings: readonly string[];
  readonly #parts: {
    readonly folder: string;
    readonly transport: HttpTransport;
    readonly stop: AbortController;
    readonly sockets: ChainEpochs;
  };

  private constructor(
    parts: Pick<ShardWorld, 'network' | 'chain' | 'signers' | 'clock' | 'clients' | 'warnings'>,
    rest: {
      readonly folder: string;
      readonly transport: HttpTransport;
      readonly stop: AbortController;
      readonly sockets: ChainEpochs;
    },
  ) {
    this.network = parts.network;
    this.chain = parts.chain;
    this.signers = parts.signers;
    this.clock = parts.clock;
    this.clients = parts.clients;
    this.warnings = parts.warnings;
    this.#parts = rest;
  }

  static async start(): Promise<ShardWorld> {
    const network = await ShardNetwork.start();
    const folder = await mkdtemp(join(tmpdir(), 'cairn-shards-'));
    const { hub, entrance, anvil } = network.hub;
    const book = new SignerBook(hub);
    const chain: DaChain = {
      client: anvil.client,
      chainId: hub.chainId,
      hub,
      entrance,
      signers: book,
      epochs: new EpochBook({ hub, signers: book, backend: BLS }),
      close: async () => undefined,
    };
    const clock = new ChainClock();
    const transport = createNodeTransport();
    const stop = new AbortController();
    const warnings: string[] = [];
    const warn: Logger['warn'] = (fields, message) => {
      warnings.push(`${JSON.stringify(fields)} ${message}`);
    };
    const logger: Logger = { ...silentLogger(), warn };
    const clients = new Map<ChainId, ChainClient>([
      [hub.chainId, anvil.client],
      [network.entrance.chainId, network.anvil.client],
    ]);
    const sockets = new ChainEpochs(
      { chain, sender: undefined, clock, logger, stopping: stop.signal },
      { pollMs: 100, socketsMs: 10_000 },
    );
    const mining = await openMining(entrance, { signal: testSignal() });
    const signers: ShardSigner[] = [];
    const { ordering } = network;
    const endpoints = { clientOf: (chainId: ChainId) => clients.get(chainId) };
    for (const [index, who] of network.hub.signers.entries()) {
      const { address, key, sender, account } = who;
      const metrics = createMetrics({ processMetrics: false });
      const identity = { address, key, backend: BLS };
      const facts = new ChainSignerFacts(chain);
      const signerNetwork = signerNetworkOf(chain);
      const places = new ChainPlaces({ chain, ordering, endpoints, clock, logger });
      const signer = await openSigner(
        {
          chain: facts,
          others: places,
          network: signerNetwork,
          identity,
          clock,
          logger,
          metrics: metrics.metrics,
          version: '0.1.0',
        },
        {
          directory: join(folder, `${index}`),
          capacityBytes: 256 * 1024 ** 2,
          mayCreateProtection: true,
          reserveBytes: 0,
        },
        { signal: testSignal() },
      );
      const shared = { identity, protection: signer.protection, clock, logger };
      const office = openOffice({
        ...signer.office,
        ...shared,
        chain: chainOffice(chain),
        rewards: chainRewards({ mining, sender }, BLS),
        network: signerNetwork,
        mining: mining.domain,
        rules: auditRulesOf(entrance.settings),
        backend: BLS,
        signDigest: (digest) => account.signDigest(digest),
        sockets,
        peers: { ...httpSignerPeers(transport), ...httpOfficePeers(transport) },
        metrics: metrics.metrics,
        stopping: stop.signal,
      });
      const node = new LyingNode(new ChainShards({ ordering, endpoints, logger }));
      const shards = openShards(
        {
          ...shared,
          chain: facts,
          chains: node,
          network: hub.network,
          orderingHub: ordering.domain,
          times: {
            epochSeconds: entrance.settings.epochSeconds,
            graceSeconds: ordering.graceSeconds,
          },
          stopping: stop.signal,
        },
        { pollMs: 1000 },
      );
      const host = createHttpHost({
        name: 'signer',
        version: '0.1.0',
        logger,
        metrics,
        describeProblem,
        limits: { drainMs: 100 },
        routes: [signer.routes, office.routes, shards.routes],
      });
      await host.start();
      const socket = host.address.url;
      await setSocket({ hub, sender }, socket, { intent: 'socket', signal: testSignal() });
      signers.push({ ...who, signer, office, shards, host, node, places });
    }
    const world = new ShardWorld(
      { network, chain, signers, clock, clients, warnings },
      { folder, transport, stop, sockets },
    );
    await world.mineHub(3);
    return world;
  }

  /** A relayer with an account of its own; its waits are as long as `spreadMs` says. */
  async relayer(name: string, spreadMs = 0): Promise<TestRelayer> {
    const { network, chain } = this;
    const account = signerFromKey(keccak256(utf8Bytes(name)));
    const { hub, ordering, mirror } = network;
    for (const { rpc } of [
      { rpc: hub.anvil.rpc.bind(hub.anvil) },
      { rpc: network.anvil.rpc.bind(network.anvil) },
    ]) {
      await rpc('anvil_setBalance', account.address, `0x${(10n ** 20n).toString(16)}`);
    }
    const turns = new TurnClock();
    const shared = {
      sockets: this.#parts.sockets,
      peers: httpCheckpointPeers(this.#parts.transport),
      backend: BLS,
      turns: new Turns({ account: account.address, clock: turns }, { spreadMs }),
      clock: this.clock,
      logger: silentLogger(),
      metrics: createRelayerMetrics(createMetrics({ processMetrics: false }).metrics),
    };
    const sender = senderOn(hub.anvil, hub.hub.chainId, account);
    const onShard = senderOn(network.anvil, network.entrance.chainId, account);
    const order = orderChainOf({ chain, ordering, sender, backend: BLS });
    const told = mirrorChainOf({ chain, ordering, mirror, sender: onShard, backend: BLS });
    return {
      order: new BundleRelayer({ ...shared, chain: order }),
      mirror: new MirrorRelayer({ ...shared, chain: told }, { orderMs: 0 }),
      turns,
      address: account.address,
    };
  }

  /** Takes a signer out of this process; another one may go on with its disk. @returns its folder */
  async retire(index: number): Promise<{ readonly who: TestSigner; readonly folder: string }> {
    const [gone] = this.signers.splice(index, 1);
    if (gone === undefined) throw new RangeError(`there is no signer ${index}`);
    await gone.host.stop();
    await gone.signer.close();
    return { who: gone, folder: join(this.#parts.folder, `${index}`) };
  }

  /** Every signer looks at the shards. */
  async watch(): Promise<void> {
    for (const { shards, places } of this.signers) {
      await shards.look({ signal: testSignal() });
      await places.look({ signal: testSignal() });
    }
  }

  /** Blocks of the hub, a second apart; the clock follows. */
  async mineHub(blocks: number): Promise<void> {
    await this.network.hub.mine(blocks);
    await this.#follow();
  }

  /** The hub's next epoch; signers hand it over. @returns it */
  async turn(): Promise<number> {
    const epoch = await this.takeOffice();
    await this.network.keepTime();
    return epoch;
  }

  /** As `turn`, on the hub alone; an epoch that nobody drew for in time is carried over before. */
  async takeOffice(): Promise<number> {
    const { phase } = await readPhase(this.chain.hub, { signal: testSignal() });
    if (phase === 'seal') await this.carryOver();
    const epoch = await this.network.hub.turn();
    await this.mineHub(3);
    for (const { office } of this.signers) await office.look({ signal: testSignal() });
    return epoch;
  }

  /** The hub's next epoch, for which nobody drew: the committee stays. */
  async carryOver(): Promise<void> {
    await this.network.hub.seal();
    await this.network.hub.advanceTo('open');
    await this.mineHub(3);
  }

  async stop(): Promise<void> {
    const { stop, transport, folder } = this.#parts;
    stop.abort(new Error('the test is over'));
    for (const { host, signer } of this.signers) {
      await host.stop();
      await signer.close();
    }
    await transport.close();
    await this.network.stop();
    await rm(folder, { recursive: true, force: true });
  }

  async #follow(): Promise<void> {
    const block = await this.chain.client.getBlock('latest', { signal: testSignal() });
    this.clock.seconds = block?.timestamp ?? this.clock.seconds;
  }
}
