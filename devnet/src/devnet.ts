import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type Address,
  type Clock,
  forEachConcurrent,
  type Rng,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import type { Endpoints } from '@cairn/wire-protocol';
import { ConsensusShards, HUB_LOG_SHARD } from './consensus-shards.ts';
import { type DaNetwork, openDaNetwork } from './da-services.ts';
import {
  type ContractAddresses,
  deployDevnetContracts,
  deployDevnetDa,
} from './deploy-contracts.ts';
import { DevnetDirectory } from './devnet-directory.ts';
import { endpointsOf, loopback, writeEndpoints } from './endpoints.ts';
import { DevnetError } from './errors.ts';
import { openMinerKeys } from './miner-keys.ts';
import { type PortChoice, type PortPlan, planPorts } from './ports.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';
import { devnetPaths, type RecordedProcess, type RunRecord, writeRunRecord } from './run-file.ts';
import { type LostService, type ServicePlan, Services } from './services.ts';
import { DEVNET_CHAIN_ID, type RunningChain, startChain, writeDevKeys } from './start-chain.ts';
import { kvServices, openKvKeys } from './start-kv.ts';
import type { StartNodeDeps } from './start-node.ts';
import { awaitIndexerKnows, planMeeting, storageServices } from './start-nodes.ts';
import { type ManagedProcess, Supervisor } from './supervise.ts';
import { consensusShardsFor, type Topology, topologyOf } from './topology.ts';

export interface DevnetOptions {
  /** Everything of the devnet lies below; made if it is not there. */
  readonly directory: string;
  /** One full storage node and two halves, and four signers, unless told. */
  readonly topology?: Topology;
  /** The well-known ports unless told. */
  readonly ports?: PortChoice;
  /**
   * Whether chain and nodes go on from what an earlier run of this directory kept, and keep theirs.
   * Else every run starts empty and leaves nothing.
   */
  readonly isKept?: boolean;
  /** Stops the start; a devnet that is up is stopped by `stop`. */
  readonly signal?: AbortSignal;
  /** Told of each step of the start and of processes that end by themselves, in words. */
  readonly onEvent?: (event: DevnetEvent) => void;
  readonly clock?: Clock;
  readonly rng?: Rng;
}

/** What happens while a devnet starts and runs. */
export type DevnetEvent =
  | { readonly kind: 'step'; readonly text: string; readonly elapsedMs: number }
  /** A process ended that nobody stopped. Without the chain the devnet is of no use. */
  | { readonly kind: 'lost'; readonly name: string; readonly exit: string; readonly log: string };

/** A network on this machine. */
export interface Devnet {
  readonly endpoints: Endpoints;
  readonly directory: string;
  readonly endpointsPath: string;
  /** Chain, nodes, indexer and disperser, in the order they were started. */
  processes(): readonly RecordedProcess[];
  /** Time from nothing to everything ready. */
  readonly readyAfterMs: number;
  /** Resolves with its name if the chain ends by itself. */
  readonly chainLost: Promise<string>;
  /** Sends a signal to a service, such as SIGKILL to `storage-1`. @throws {DevnetError} SERVICE_UNKNOWN */
  signal(name: string, signal: NodeJS.Signals): void;
  /** Stops a service and starts it again on its port and its data. @throws as `createDevnet` */
  restart(name: string): Promise<void>;
  /** Stops everything in reverse order and removes what says that it runs. Safe to call again. */
  stop(): Promise<void>;
}

/** Nodes of a kind that load at once: more would only keep each other from being ready in time. */
const START_PARALLEL = 8;
/** Name of the process without which the devnet is of no use. */
const CHAIN = 'chain';

/**
 * Starts a whole network and resolves when all of it serves.
 *
 * Order: directory → ports → chain → contracts, then nodes, indexer and disperser at once → an epoch
 * in office → endpoints file. Whatever fails, what was started is stopped again.
 *
 * @throws {DevnetError} DEVNET_RUNNING, DEVNET_KEPT, TOPOLOGY_INVALID, PORT_IN_USE, ANVIL_MISSING,
 * PROCESS_ENDED, PROCESS_NOT_READY, NO_COMMITTEE; what the disk or the chain throws; the signal's
 * reason
 */
export async function createDevnet(options: DevnetOptions): Promise<Devnet> {
  assertCanBeKept(options);
  const clock = options.clock ?? systemClock();
  const paths = devnetPaths(resolve(options.directory));
  const directory = await DevnetDirectory.take(paths, clock);
  const supervisor = new Supervisor({ clock }, { logDirectory: paths.logs });
  const devnet = new RunningDevnet({ clock, directory, supervisor }, options);
  try {
    await devnet.start();
    return devnet;
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/** @throws {DevnetError} TOPOLOGY_INVALID */
function assertCanBeKept({ topology, isKept }: DevnetOptions): void {
  const chains = topology?.consensusShards?.length ?? 0;
  if (isKept !== true || chains === 0) return;
  const text = `${chains + 1}`;
  throw new DevnetError(
    { code: 'TOPOLOGY_INVALID', field: 'consensusShards', text },
    `a devnet with ${text} consensus shards cannot be kept: checkpoints tell of past blocks, whose states a chain that is loaded again does not have`,
  );
}

class RunningDevnet implements Devnet {
  readonly directory: string;
  readonly endpointsPath: string;
  readonly chainLost: Promise<string>;
  endpoints: Endpoints = { version: 1, chains: [], storage: [], kv: [], keys: [] };
  readyAfterMs = 0;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #own: DevnetDirectory;
  readonly #supervisor: Supervisor;
  readonly #services: Services;
  readonly #options: DevnetOptions;
  readonly #topology: Topology;
  readonly #isKept: boolean;
  readonly #startedAt: number;
  readonly #stopping = new AbortController();
  #loseChain: (name: string) => void = () => undefined;
  #guardian: ProcessIdentity = { pid: 0, startedAt: '' };
  /** Whether what lies in the directory is this run's. */
  #isOurs = false;
  /** Whether the logs tell of something that a person will want to know. */
  #hasTrouble = true;
  #state: RunRecord['state'] = 'starting';
  #da: DaNetwork | undefined;
  #shards: ConsensusShards | undefined;
  #kvKeys: readonly Address[] = [];
  #watching: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(
    deps: {
      readonly clock: Clock;
      readonly directory: DevnetDirectory;
      readonly supervisor: Supervisor;
    },
    options: DevnetOptions,
  ) {
    this.#clock = deps.clock;
    this.#rng = options.rng ?? systemRng();
    this.#own = deps.directory;
    this.#supervisor = deps.supervisor;
    this.#options = options;
    this.#isKept = options.isKept === true;
    const chains = consensusShardsFor({ isKept: this.#isKept });
    this.#topology = options.topology ?? topologyOf(undefined, undefined, false, undefined, chains);
    this.#startedAt = deps.clock.monotonic();
    this.directory = deps.directory.paths.directory;
    this.endpointsPath = deps.directory.paths.endpoints;
    this.chainLost = new Promise((resolve) => {
      this.#loseChain = resolve;
    });
    this.#services = new Services(deps.supervisor, {
      onChange: () => this.#record(),
      onLost: (lost) => this.#onLost(lost),
    });
  }

  async start(): Promise<void> {
    const { paths } = this.#own;
    const signal = this.#startSignal();
    if (!this.#isKept) await this.#own.clear();
    this.#isOurs = true;
    this.#guardian = await this.#supervisor.start(await this.#own.claims({ isKept: this.#isKept }));
    await this.#record();
    if (this.#isKept) await this.#own.keep();
    const choice = this.#options.ports ?? { kind: 'default' };
    const ports = await planPorts(this.#topology, choice, { rng: this.#rng });
    this.#shards = this.#planShards(ports);
    const chain = await this.#startChain(ports, signal);
    const keyNames = await writeDevKeys(paths.keys, chain.keys);
    this.#tell('chain is up');
    const contracts = await this.#startNodes(ports, chain, signal);
    this.endpoints = endpointsOf({
      topology: this.#topology,
      ports,
      chainId: chain.chainId,
      contracts,
      kvKeys: this.#kvKeys,
      keyNames,
      keysDirectory: paths.keys,
      shards: { hubLogShard: HUB_LOG_SHARD, chains: this.#shards?.endpoints() ?? [] },
    });
    signal.throwIfAborted();
    this.#state = 'ready';
    await this.#record();
    await writeEndpoints(paths.endpoints, this.endpoints);
    this.#hasTrouble = false;
    this.readyAfterMs = this.#clock.monotonic() - this.#startedAt;
    this.#tell('ready');
    this.#watching = this.#watchEpochs();
  }

  processes(): readonly RecordedProcess[] {
    return this.#services.processes();
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#services.signal(name, signal);
  }

  restart(name: string): Promise<void> {
    return this.#services.restart(name, this.#stopping.signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(
      new DevnetError(
        { code: 'DEVNET_NOT_RUNNING', directory: this.directory },
        'the devnet is being stopped',
      ),
    );
    const { paths } = this.#own;
    await rm(paths.endpoints, { force: true });
    await this.#watching;
    await this.#supervisor.stop();
    await this.#da?.close();
    if (!this.#isKept && this.#isOurs) {
      await this.#own.removeRemains();
      if (!this.#hasTrouble) await rm(paths.logs, { recursive: true, force: true });
    }
    await this.#own.release();
  }

  async #startChain(ports: PortPlan, signal: AbortSignal): Promise<RunningChain> {
    let chain: RunningChain | undefined;
    const start = async (starting: AbortSignal): Promise<ManagedProcess> => {
      chain = await startChain(
        { supervisor: this.#supervisor, clock: this.#clock },
        {
          name: CHAIN,
          chainId: DEVNET_CHAIN_ID,
          port: ports.chain,
          blockTimeSeconds: this.#topology.chain.blockTimeSeconds,
          directory: join(this.#own.paths.data, 'chain'),
          isKept: this.#isKept,
        },
        { signal: starting },
      );
      return chain.process;
    };
    await this.#services.start({ name: CHAIN, url: loopback(ports.chain), start }, signal);
    if (chain === undefined) throw new Error('unreachable: the chain started without a record');
    return chain;
  }

  /** The chains beside the hub, of which none runs yet; `undefined` where there are none. */
  #planShards({ shards: ports }: PortPlan): ConsensusShards | undefined {
    const { consensusShards: plans, chain } = this.#topology;
    if (plans === undefined || ports === undefined) return undefined;
    const { blockTimeSeconds } = chain;
    const options = { plans, ports, blockTimeSeconds, paths: this.#own.paths, rng: this.#rng };
    return new ConsensusShards({ ...this.#deps, services: this.#services }, options);
  }

  /** @returns all contracts, those that an earlier run deployed on a chain that was kept */
  async #startNodes(
    ports: PortPlan,
    chain: RunningChain,
    signal: AbortSignal,
  ): Promise<ContractAddresses> {
    const remembered = join(this.#own.paths.data, 'deployment.json');
    const waiting = { clock: this.#clock, signal };
    const contracts = await deployDevnetContracts(chain, { remembered, ...waiting });
    this.#tell('the contracts of the log are deployed');
    const shards = this.#shards;
    if (shards !== undefined) {
      await shards.start({ signal });
      this.#tell(`${shards.rpcs.length} more chains are up, each with a log`);
    }
    const parts = [
      (starting: AbortSignal) => this.#startStorage(ports, chain, contracts, starting),
      (starting: AbortSignal) => this.#startDa(ports, chain, contracts, starting),
      ...(shards === undefined
        ? []
        : [(starting: AbortSignal) => shards.startStorage({ signal: starting })]),
    ];
    // At once: nodes spend their time loading, contracts theirs in the chain.
    await forEachConcurrent(parts, (part, starting) => part(starting), { parallel: 3, signal });
    this.#tell('nodes are up');
    if (this.#da === undefined) return contracts;
    await this.#da.begin(signal);
    this.#tell('a committee of signers is in office');
    if (shards !== undefined) this.#tell('the chains have joined the hub');
    return { ...contracts, ...this.#da.contracts, ...shards?.hubContracts };
  }

  async #startStorage(
    ports: PortPlan,
    { rpc, chainId }: RunningChain,
    { flow, poraMine }: ContractAddresses,
    signal: AbortSignal,
  ): Promise<void> {
    if (flow === undefined) throw new Error('unreachable: a deployment has a flow contract');
    const { data, config } = this.#own.paths;
    const { storage: plans } = this.#topology;
    const miners = { directory: join(data, 'miner-keys'), plans, rpc, rng: this.#rng };
    const minerKeys = await openMinerKeys(miners, { signal });
    const surroundings = {
      ...{ rpc, chainId, flow, poraMine, minerKeys },
      ...{ dataDirectory: data, configDirectory: config },
    };
    const meeting = ports.peers === undefined ? undefined : await planMeeting(config, ports.peers);
    const chainsOf = (name: string) => this.#shards?.keptBy(name) ?? [];
    const nodes = { plans, ports, surroundings, meeting, chainsOf };
    const services = storageServices(this.#deps, nodes);
    const urls = services.storage.map((service) => service.url);
    const kvKeys = await openKvKeys(join(data, 'kv-keys'), this.#topology.kv, this.#rng);
    this.#kvKeys = kvKeys.map(({ account }) => account);
    const kv = kvServices(this.#deps, {
      plans: this.#topology.kv,
      keys: kvKeys,
      ports: ports.kv,
      storageUrls: urls,
      surroundings,
    });
    await this.#startAll([...services.storage, services.indexer, ...kv], signal);
    const { name, url } = services.indexer;
    const indexer = { url, process: this.#services.running(name) };
    await awaitIndexerKnows(this.#deps, indexer, urls, { signal });
  }

  async #startDa(
    ports: PortPlan,
    chain: RunningChain,
    logContracts: ContractAddresses,
    signal: AbortSignal,
  ): Promise<void> {
    const { directory, flow } = logContracts;
    const { paths } = this.#own;
    const plan = this.#topology.da;
    if (plan === undefined || ports.da === undefined || directory === undefined) return;
    const rng = this.#rng;
    const remembered = join(paths.data, 'da-deployment.json');
    const waiting = { clock: this.#clock, signal };
    const contracts = await deployDevnetDa(chain, { remembered, rng, directory, ...waiting });
    this.#tell('the contracts of stake, epochs and blobs are deployed');
    const log = flow && { indexer: loopback(ports.indexer), flow };
    const shards = this.#shards;
    const network = { plan, ports: ports.da, chain, log, contracts, paths, rng, shards };
    const da = await openDaNetwork(this.#deps, network, { signal });
    this.#da = da;
    const hub = { chain, contracts: { ...logContracts, ...contracts } };
    const parts = [
      (starting: AbortSignal) => this.#startAll(da.services, starting),
      ...(shards === undefined
        ? []
        : [
            async (starting: AbortSignal): Promise<void> => {
              await shards.join(hub, { signal: starting });
              const dispersers = await shards.dispersers(chain.rpc, { signal: starting });
              await this.#startAll(dispersers, starting);
            },
          ]),
    ];
    await forEachConcurrent(parts, (part, starting) => part(starting), { parallel: 2, signal });
  }

  async #startAll(services: readonly ServicePlan[], signal: AbortSignal): Promise<void> {
    await forEachConcurrent(
      services,
      async (service, starting) => this.#services.start(service, starting),
      { parallel: START_PARALLEL, signal },
    );
  }

  get #deps(): StartNodeDeps {
    return { supervisor: this.#supervisor, clock: this.#clock };
  }

  async #watchEpochs(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#da?.watch(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #onLost({ name, exit, log, wasSignalled }: LostService): void {
    if (this.#stopping.signal.aborted) return;
    if (!wasSignalled) this.#hasTrouble = true;
    this.#options.onEvent?.({ kind: 'lost', name, exit, log });
    if (name === CHAIN) this.#loseChain(`${name} ended by itself (${exit}); see ${log}`);
  }

  #record(): Promise<void> {
    const owner = identityOf(process.pid) ?? { pid: process.pid, startedAt: '' };
    const record = { state: this.#state, owner, guardian: this.#guardian };
    return writeRunRecord(this.#own.paths.run, { ...record, processes: this.processes() });
  }

  #startSignal(): AbortSignal {
    const { signal } = this.#options;
    if (signal === undefined) return this.#stopping.signal;
    return AbortSignal.any([signal, this.#stopping.signal]);
  }

  #tell(text: string): void {
    const elapsedMs = this.#clock.monotonic() - this.#startedAt;
    this.#options.onEvent?.({ kind: 'step', text, elapsedMs });
  }
}
