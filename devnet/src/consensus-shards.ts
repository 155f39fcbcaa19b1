import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import {
  createChainClient,
  createTransactionSender,
  type TransactionSender,
} from '@cairn/chain-access';
import { EpochBook, type Hub, readPhase, SignerBook } from '@cairn/chain-access/da';
import {
  anchorMirror,
  type HandedEpoch,
  openMirror,
  readMirrorHead,
} from '@cairn/chain-access/shards';
import {
  chainIdOf,
  forEachConcurrent,
  memoryKeyValueStore,
  type Rng,
  silentLogger,
} from '@cairn/primitives';
import { anvilControl } from './anvil-control.ts';
import { openAccount } from './da-keys.ts';
import {
  type ContractAddresses,
  deployDevnetContracts,
  deployDevnetJobBoard,
  deployDevnetShard,
  deployerOf,
  registerDevnetShards,
  requireContract,
} from './deploy-contracts.ts';
import { loopback, type ShardChainEndpoint } from './endpoints.ts';
import type { ShardPorts } from './ports.ts';
import type { DevnetPaths } from './run-file.ts';
import type { ServicePlan, Services } from './services.ts';
import { DEVNET_CHAIN_ID, type RunningChain, startChain } from './start-chain.ts';
import { type DaSurroundings, startRelayer, startShardDisperser } from './start-da.ts';
import type { StartNodeDeps } from './start-node.ts';
import { chainPath, type KeptChain, loneStorageServices } from './start-nodes.ts';
import type { ManagedProcess } from './supervise.ts';
import { type ConsensusShardPlan, MAX_CONSENSUS_SHARDS, RELAYER } from './topology.ts';

/**
 * Under this number the hub orders what its own chain's log holds: shard 0 has the order itself where others
 * have a log. It follows on those of all chains that there can be, so that it is the same in every devnet.
 */
export const HUB_LOG_SHARD: number = MAX_CONSENSUS_SHARDS;
/** Coins of the relayer on each chain: gas for years. */
const RELAYER_WEI = 10_000n * 10n ** 18n;
/** Coins of each chain's disperser: its deposit, and gas for years. */
const DISPERSER_WEI = 10_000n * 10n ** 18n;
const POLL_MS = 10;
/** Chains that start at once: all there can be. */
const PARALLEL = MAX_CONSENSUS_SHARDS;
/** Storage nodes of a chain that load at once. */
const STORAGE_PARALLEL = 8;

/** What the chains beside the hub are made of. */
export interface ConsensusShardsOptions {
  readonly plans: readonly ConsensusShardPlan[];
  readonly ports: ShardPorts;
  readonly blockTimeSeconds: number;
  readonly paths: DevnetPaths;
  readonly rng: Rng;
}

/** The hub that chains join. */
export interface HubPlace {
  readonly chain: RunningChain;
  /** Of its log, and of stake, epochs and blobs. */
  readonly contracts: ContractAddresses;
}

interface ShardChain {
  readonly plan: ConsensusShardPlan;
  readonly chainId: number;
  readonly port: number;
  readonly storagePorts: readonly number[];
  readonly disperserPort: number;
  running: RunningChain | undefined;
  contracts: ContractAddresses;
}

interface Waiting {
  readonly signal: AbortSignal;
}

/** The chains of a devnet beside its hub: their processes, logs and storage nodes, and their ties to the hub. */
export class ConsensusShards {
  readonly #deps: StartNodeDeps;
  readonly #services: Pick<Services, 'start'>;
  readonly #options: ConsensusShardsOptions;
  readonly #chains: readonly ShardChain[];
  #hubContracts: ContractAddresses = {};

  constructor(
    deps: StartNodeDeps & { readonly services: Pick<Services, 'start'> },
    options: ConsensusShardsOptions,
  ) {
    this.#deps = { supervisor: deps.supervisor, clock: deps.clock };
    this.#services = deps.services;
    this.#options = options;
    this.#chains = options.plans.map((plan, index) => {
      const ports = options.ports.chains[index];
      if (ports === undefined) throw new RangeError(`no ports for ${plan.name}`);
      return {
        plan,
        chainId: DEVNET_CHAIN_ID + plan.shardId,
        port: ports.chain,
        storagePorts: ports.storage,
        disperserPort: ports.disperser,
        running: undefined,
        contracts: {},
      };
    });
  }

  /** Where nodes reach the chains, as "chain id=URL"; known before they run. */
  get rpcs(): readonly string[] {
    return this.#chains.map(({ chainId, port }) => `${chainId}=${loopback(port)}`);
  }

  /** What the hub has for all chains, once they have joined it. */
  get hubContracts(): ContractAddresses {
    return this.#hubContracts;
  }

  /** What programs read of the chains, once they have joined the hub. */
  endpoints(): readonly ShardChainEndpoint[] {
    return this.#chains.map(({ plan, chainId, port, storagePorts, disperserPort, contracts }) => ({
      name: plan.name,
      rpc: loopback(port),
      chainId,
      contracts,
      logShard: plan.shardId,
      rest: loopback(disperserPort),
      storage: plan.storage.map(({ shard, keptBy }, index) => {
        const path = keptBy === undefined ? '' : chainPath(chainId);
        return { rpc: `${loopback(storagePorts[index] ?? 0)}${path}`, shard };
      }),
    }));
  }

  /** Starts every chain and deploys its log. @throws as `startChain`; what the chains throw */
  async start({ signal }: Waiting): Promise<void> {
    await this.#each(signal, async (shard, starting) => {
      const { plan, chainId, port } = shard;
      const { paths, blockTimeSeconds } = this.#options;
      const { name } = plan;
      const directory = join(paths.data, name);
      const start = async (inner: AbortSignal): Promise<ManagedProcess> => {
        const place = { name, chainId, port, blockTimeSeconds, directory, isKept: false };
        shard.running = await startChain(this.#deps, place, { signal: inner });
        return shard.running.process;
      };
      await this.#services.start({ name, url: loopback(port), start }, starting);
      const remembered = join(paths.data, `${name}-deployment.json`);
      const waiting = { clock: this.#deps.clock, signal: starting };
      shard.contracts = await deployDevnetContracts(runningOf(shard), { remembered, ...waiting });
    });
  }

  /** The chains that the process of one of the hub's storage nodes keeps besides. After `start`. */
  keptBy(storage: string): readonly KeptChain[] {
    return this.#chains.flatMap(({ plan, chainId, port, contracts }) =>
      plan.storage
        .filter(({ keptBy }) => keptBy === storage)
        .map(({ shard }) => {
          const flow = requireContract(contracts, 'flow');
          return { name: plan.name, rpc: loopback(port), chainId, flow, shard };
        }),
    );
  }

  /** Starts the storage nodes that have processes of their own. @throws as `startNode` */
  async startStorage({ signal }: Waiting): Promise<void> {
    const { data: dataDirectory, config: configDirectory } = this.#options.paths;
    const services = this.#chains.flatMap(({ plan, chainId, port, storagePorts, contracts }) => {
      const surroundings = {
        ...{ rpc: loopback(port), chainId, dataDirectory, configDirectory },
        flow: requireContract(contracts, 'flow'),
        poraMine: contracts['poraMine'],
        minerKeys: new Map<string, string>(),
      };
      const lone = plan.storage.flatMap((node, at) =>
        node.keptBy === undefined ? [{ node, port: storagePorts[at] ?? 0 }] : [],
      );
      const [plans, ports] = [lone.map(({ node }) => node), lone.map((each) => each.port)];
      return loneStorageServices(this.#deps, { plans, ports, surroundings });
    });
    const start = (service: ServicePlan, starting: AbortSignal): Promise<void> =>
      this.#services.start(service, starting);
    await forEachConcurrent(services, start, { parallel: STORAGE_PARALLEL, signal });
  }

  /**
   * Deploys mirror and entrance on every chain and registers all of them at the hub, and the hub's own log; deploys a board of
   * jobs over what they hold.
   *
   * @throws what the chains throw
   */
  async join({ chain: hub, contracts }: HubPlace, { signal }: Waiting): Promise<void> {
    const { clock } = this.#deps;
    const { paths } = this.#options;
    await this.#each(signal, async (shard, starting) => {
      const { shardId, name } = shard.plan;
      const remembered = join(paths.data, `${name}-shard-deployment.json`);
      const place = { shardId, chain: runningOf(shard), log: shard.contracts };
      const hubPlace = { chainId: hub.chainId, contracts };
      const options = { remembered, clock, signal: starting };
      const deployed = await deployDevnetShard(place, hubPlace, options);
      shard.contracts = { ...shard.contracts, ...deployed };
    });
    const entries = this.#chains.map(({ plan: { shardId }, chainId, contracts: own }) => ({
      shardId,
      chainId: chainIdOf(chainId),
      flow: own['flow'],
      daEntrance: own['daEntrance'],
      epochMirror: own['epochMirror'],
    }));
    const { flow } = contracts;
    const hubLog = { shardId: HUB_LOG_SHARD, chainId: chainIdOf(hub.chainId), flow };
    const orderingHub = requireContract(contracts, 'orderingHub');
    await registerDevnetShards(hub, orderingHub, [...entries, hubLog], { clock, signal });
    const jobBoard = await deployDevnetJobBoard(hub, orderingHub, { clock, signal });
    this.#hubContracts = { jobBoard };
  }

  /**
   * The dispersers of all chains, to be started once these have joined; their accounts have coins.
   *
   * @throws what chains and disk throw
   */
  async dispersers(hubRpc: string, { signal }: Waiting): Promise<readonly ServicePlan[]> {
    const { paths, rng } = this.#options;
    const { data: dataDirectory, config: configDirectory } = paths;
    const directory = join(dataDirectory, 'shard-disperser-keys');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const services: ServicePlan[] = [];
    for (const { plan, chainId, port, disperserPort: own, contracts } of this.#chains) {
      const name = `${plan.name}-disperser`;
      const keys = await openAccount(directory, name, rng);
      const rpc = loopback(port);
      await anvilControl(rpc).setBalance(keys.account, DISPERSER_WEI, { signal });
      const surroundings: DaSurroundings = {
        ...{ rpc, chainId, dataDirectory, configDirectory },
        entrance: requireContract(contracts, 'daEntrance'),
        log: undefined,
        startBlock: 0,
        shardRpcs: [],
      };
      const start = (starting: AbortSignal): Promise<ManagedProcess> =>
        startShardDisperser(
          this.#deps,
          { name, port: own, keys, surroundings, hubRpc },
          { signal: starting },
        );
      services.push({ name, url: loopback(own), start });
    }
    return services;
  }

  /** The relayer, to be started; its account has coins on every chain. @throws what chains and disk throw */
  async relayer(surroundings: DaSurroundings, { signal }: Waiting): Promise<ServicePlan> {
    const { paths, ports, rng } = this.#options;
    const directory = join(paths.data, 'relayer-keys');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const keys = await openAccount(directory, RELAYER, rng);
    const rpcs = [surroundings.rpc, ...this.#chains.map(({ port }) => loopback(port))];
    for (const rpc of rpcs) {
      await anvilControl(rpc).setBalance(keys.account, RELAYER_WEI, { signal });
    }
    const port = ports.relayer;
    const start = (starting: AbortSignal): Promise<ManagedProcess> =>
      startRelayer(this.#deps, { port, keys, surroundings }, { signal: starting });
    return { name: RELAYER, url: loopback(port), start };
  }

  /**
   * Lets every mirror begin at the hub's epoch in office, or begin again where the hub did. A mirror that knows it
   * already is left as it is.
   *
   * @throws what the chains throw
   */
  async anchor(hub: Hub, { signal }: Waiting): Promise<void> {
    const handed = await handedEpoch(hub, { signal });
    await this.#each(signal, async (shard, calling) => {
      const chain = runningOf(shard);
      const chainId = chainIdOf(shard.chainId);
      const client = createChainClient({ rpcUrl: chain.rpc, clock: this.#deps.clock });
      try {
        const address = requireContract(shard.contracts, 'epochMirror');
        const place = { client, mirror: address, chainId, network: hub.network };
        const mirror = await openMirror(place, { signal: calling });
        const head = await readMirrorHead(mirror, { signal: calling });
        if (head !== undefined && head.epoch >= handed.header.epoch) return;
        const sender: TransactionSender = createTransactionSender({
          ...{ client, chainId, pollMs: POLL_MS },
          signer: deployerOf(chain),
          journal: memoryKeyValueStore(), // a devnet with several chains is made anew at every start
          logger: silentLogger(),
        });
        await anchorMirror({ mirror, sender }, handed, { signal: calling });
      } finally {
        await client.close();
      }
    });
  }

  #each(
    signal: AbortSignal,
    step: (shard: ShardChain, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    return forEachConcurrent(this.#chains, step, { parallel: PARALLEL, signal });
  }
}

/** The hub's epoch in office as of a final block, as mirrors take it. */
async function handedEpoch(hub: Hub, { signal }: Waiting): Promise<HandedEpoch> {
  const epochs = new EpochBook({ hub, signers: new SignerBook(hub), backend: blstBackend() });
  const block = await hub.finalBlock({ signal });
  const { epoch } = await readPhase(hub, { signal, block });
  const sealed = await epochs.sealed(epoch, { signal });
  if (sealed === undefined) throw new Error(`unreachable: epoch ${epoch} in office is not sealed`);
  const { header } = sealed;
  const snapshots: HandedEpoch['snapshots'][number][] = [];
  for (const quorumId of header.snapshotHashes.keys()) {
    snapshots.push((await epochs.committee({ epoch, quorumId }, { signal })).snapshot);
  }
  return { header, snapshots };
}

function runningOf({ plan, running }: ShardChain): RunningChain {
  if (running === undefined) throw new Error(`unreachable: ${plan.name} was not started`);
  return running;
}
