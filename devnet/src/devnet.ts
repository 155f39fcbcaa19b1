import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  acquireDirectoryLock,
  type DirectoryLock,
  readFileIfPresent,
  writeFileAtomic,
} from '@cairn/node-runtime/files';
import {
  type Address,
  type Clock,
  forEachConcurrent,
  type Rng,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import type { Endpoints } from '@cairn/wire-protocol';
import { deployDevnetContracts } from './deploy-contracts.ts';
import { endpointsOf, loopback, writeEndpoints } from './endpoints.ts';
import { DevnetError } from './errors.ts';
import { type PortChoice, type PortPlan, planPorts } from './ports.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';
import {
  type DevnetPaths,
  devnetPaths,
  type RecordedProcess,
  type RunRecord,
  writeRunRecord,
} from './run-file.ts';
import { type RunningChain, startChain, writeDevKeys } from './start-chain.ts';
import {
  awaitIndexerKnows,
  type NodeSurroundings,
  startIndexer,
  startStorageNode,
} from './start-nodes.ts';
import { stopRecorded } from './stop-devnet.ts';
import { type ManagedProcess, Supervisor } from './supervise.ts';
import { type Topology, topologyOf } from './topology.ts';

export interface DevnetOptions {
  /** Everything of the devnet lies below; made if it is not there. */
  readonly directory: string;
  /** One full storage node and two halves unless told. */
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
  /** Chain, storage nodes and indexer, in the order they were started. */
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

/**
 * Starts a whole network and resolves when all of it serves.
 *
 * Order: directory → ports → chain → contracts → storage nodes and indexer, all at once →
 * endpoints file. Whatever fails, what was started is stopped again.
 *
 * @throws {DevnetError} DEVNET_RUNNING, DEVNET_KEPT, PORT_IN_USE, ANVIL_MISSING, PROCESS_ENDED,
 * PROCESS_NOT_READY; what the disk or the chain throws; the signal's reason
 */
export async function createDevnet(options: DevnetOptions): Promise<Devnet> {
  const paths = devnetPaths(resolve(options.directory));
  const clock = options.clock ?? systemClock();
  const { lock, createdFrom } = await takeDirectory(paths, clock);
  const supervisor = new Supervisor({ clock }, { logDirectory: paths.logs });
  const devnet = new RunningDevnet({ paths, clock, lock, supervisor, createdFrom, options });
  try {
    await devnet.start();
    return devnet;
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/**
 * The directory for us alone, with what a killed devnet left in it ended and removed.
 *
 * `createdFrom` is the first directory of its path that had to be made.
 */
async function takeDirectory(
  paths: DevnetPaths,
  clock: Clock,
): Promise<{ readonly lock: DirectoryLock; readonly createdFrom: string | undefined }> {
  const createdFrom = await mkdir(paths.directory, { recursive: true });
  await stopRecorded(paths, { clock, isOwnerSpared: true });
  return { lock: await acquireDirectoryLock(paths.directory), createdFrom };
}

interface Service {
  readonly name: string;
  readonly url: string;
  start(signal: AbortSignal): Promise<ManagedProcess>;
  running: ManagedProcess | undefined;
}

class RunningDevnet implements Devnet {
  readonly directory: string;
  readonly endpointsPath: string;
  readonly chainLost: Promise<string>;
  endpoints: Endpoints = { version: 1, chains: [], storage: [], kv: [], keys: [] };
  readyAfterMs = 0;
  readonly #paths: DevnetPaths;
  readonly #clock: Clock;
  readonly #lock: DirectoryLock;
  readonly #supervisor: Supervisor;
  readonly #options: DevnetOptions;
  readonly #topology: Topology;
  readonly #startedAt: number;
  readonly #createdFrom: string | undefined;
  readonly #services: Service[] = [];
  readonly #stopping = new AbortController();
  #loseChain: (name: string) => void = () => undefined;
  #guardian: ProcessIdentity = { pid: 0, startedAt: '' };
  /** Whether what lies in the directory is this run's. */
  #isOurs = false;
  /** Whether the logs tell of something that a person will want to know. */
  #hasTrouble = true;
  #stopped: Promise<void> | undefined;

  constructor(deps: {
    readonly paths: DevnetPaths;
    readonly clock: Clock;
    readonly lock: DirectoryLock;
    readonly supervisor: Supervisor;
    readonly createdFrom: string | undefined;
    readonly options: DevnetOptions;
  }) {
    this.#paths = deps.paths;
    this.#clock = deps.clock;
    this.#lock = deps.lock;
    this.#supervisor = deps.supervisor;
    this.#createdFrom = deps.createdFrom;
    this.#options = deps.options;
    this.#topology = deps.options.topology ?? topologyOf();
    this.#startedAt = deps.clock.monotonic();
    this.directory = deps.paths.directory;
    this.endpointsPath = deps.paths.endpoints;
    this.chainLost = new Promise((resolve) => {
      this.#loseChain = resolve;
    });
  }

  async start(): Promise<void> {
    const paths = this.#paths;
    const signal = this.#startSignal();
    const isKept = this.#options.isKept === true;
    if (!isKept) {
      await refuseKept(paths);
      await removeRemains(paths);
    }
    this.#isOurs = true;
    this.#guardian = await this.#supervisor.start([
      paths.endpoints,
      ...(isKept ? [] : remainsOf(paths)),
      ...(await lockFiles(paths.directory)),
      paths.run,
    ]);
    await this.#record('starting');
    if (isKept) {
      await mkdir(paths.data, { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(paths.data, KEPT_NAME), '');
    }
    const ports = await planPorts(this.#topology, this.#options.ports ?? { kind: 'default' }, {
      rng: this.#options.rng ?? systemRng(),
    });
    const chain = await this.#startChain(ports, signal);
    const keyNames = await writeDevKeys(paths.keys, chain.keys);
    this.#tell('chain is up');
    const contracts = await this.#contracts(chain, signal);
    this.#tell('contracts are deployed');
    await this.#startNodes(ports, chain, contracts, signal);
    this.endpoints = endpointsOf({
      topology: this.#topology,
      ports,
      chainId: chain.chainId,
      contracts,
      keyNames,
      keysDirectory: paths.keys,
    });
    signal.throwIfAborted();
    await this.#record('ready');
    await writeEndpoints(paths.endpoints, this.endpoints);
    this.#hasTrouble = false;
    this.readyAfterMs = this.#clock.monotonic() - this.#startedAt;
    this.#tell('ready');
  }

  processes(): readonly RecordedProcess[] {
    return this.#services.flatMap(({ name, url, running }) =>
      running === undefined ? [] : [{ ...running.identity, name, url }],
    );
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#service(name).running?.signal(signal);
  }

  async restart(name: string): Promise<void> {
    const service = this.#service(name);
    const before = service.running;
    service.running = undefined;
    if (before !== undefined) {
      await before.stop();
      this.#supervisor.forget(before);
    }
    this.#watch(service, await service.start(this.#stopping.signal));
    await this.#record('ready');
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
    const paths = this.#paths;
    await rm(paths.endpoints, { force: true });
    await this.#supervisor.stop();
    if (this.#options.isKept !== true && this.#isOurs) {
      await removeRemains(paths);
      if (!this.#hasTrouble) await rm(paths.logs, { recursive: true, force: true });
    }
    await rm(paths.run, { force: true });
    await this.#lock.release();
    // A released lock is an empty file; in a directory of ours it would look like one that is held.
    for (const path of await lockFiles(paths.directory)) {
      if ((await stat(path).catch(() => undefined))?.size === 0) await rm(path, { force: true });
    }
    await this.#removeEmptyDirectories();
  }

  /** Removes the directories of our path that we made, as far as nothing is in them. */
  async #removeEmptyDirectories(): Promise<void> {
    if (this.#createdFrom === undefined) return;
    const last = dirname(resolve(this.#createdFrom));
    try {
      for (let path = this.directory; path !== last; path = dirname(path)) await rmdir(path);
    } catch {
      return; // not empty: logs, or something of the user's
    }
  }

  async #startChain(ports: PortPlan, signal: AbortSignal): Promise<RunningChain> {
    let chain: RunningChain | undefined;
    const start = async (starting: AbortSignal): Promise<ManagedProcess> => {
      chain = await startChain(
        { supervisor: this.#supervisor, clock: this.#clock },
        {
          port: ports.chain,
          blockTimeSeconds: this.#topology.chain.blockTimeSeconds,
          directory: join(this.#paths.data, 'chain'),
          isKept: this.#options.isKept === true,
        },
        { signal: starting },
      );
      return chain.process;
    };
    await this.#startService({ name: 'chain', url: loopback(ports.chain), start }, signal);
    if (chain === undefined) throw new Error('unreachable: the chain started without a record');
    return chain;
  }

  /** The contracts an earlier run deployed on the chain that was kept, or new ones. */
  async #contracts(
    chain: RunningChain,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, Address>>> {
    const remembered = join(this.#paths.data, 'deployment.json');
    return deployDevnetContracts(chain, { remembered, clock: this.#clock, signal });
  }

  async #startNodes(
    ports: PortPlan,
    { rpc, chainId }: RunningChain,
    contracts: Readonly<Record<string, Address>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { flow } = contracts;
    if (flow === undefined) throw new Error('unreachable: a deployment has a flow contract');
    const deps = { supervisor: this.#supervisor, clock: this.#clock };
    const surroundings: NodeSurroundings = {
      rpc,
      chainId,
      flow,
      dataDirectory: this.#paths.data,
      configDirectory: this.#paths.config,
    };
    const services = this.#topology.storage.map((plan, index) => {
      const port = ports.storage[index] ?? 0;
      return {
        name: plan.name,
        url: loopback(port),
        start: (starting: AbortSignal) =>
          startStorageNode(deps, { plan, port, surroundings }, { signal: starting }),
      };
    });
    const storageUrls = services.map(({ url }) => url);
    const indexer = {
      name: 'indexer',
      url: loopback(ports.indexer),
      start: (starting: AbortSignal) =>
        startIndexer(
          deps,
          { port: ports.indexer, storageUrls, surroundings },
          { signal: starting },
        ),
    };
    // All at once: each spends its time loading, and the machine has more than one core.
    await forEachConcurrent(
      [...services, indexer],
      async (service, starting) => this.#startService(service, starting),
      { parallel: services.length + 1, signal },
    );
    await awaitIndexerKnows(deps, this.#running('indexer'), storageUrls, { signal });
  }

  async #startService(
    plan: Pick<Service, 'name' | 'url' | 'start'>,
    signal: AbortSignal,
  ): Promise<void> {
    const service: Service = { ...plan, running: undefined };
    this.#services.push(service);
    this.#watch(service, await service.start(signal));
    await this.#record('starting');
  }

  #watch(service: Service, running: ManagedProcess): void {
    service.running = running;
    running.ended
      .then((exit) => {
        if (service.running !== running || this.#stopping.signal.aborted) return;
        service.running = undefined;
        const { name, logPath: log } = running;
        this.#hasTrouble = true;
        this.#options.onEvent?.({ kind: 'lost', name, exit, log });
        if (name === 'chain') this.#loseChain(`${name} ended by itself (${exit}); see ${log}`);
      })
      .catch(() => undefined); // `ended` never rejects
  }

  #service(name: string): Service {
    const found = this.#services.find((service) => service.name === name);
    if (found !== undefined) return found;
    const known = this.#services.map((service) => service.name);
    throw new DevnetError(
      { code: 'SERVICE_UNKNOWN', name, known },
      `this devnet has no "${name}"; it has ${known.join(', ')}`,
    );
  }

  #running(name: string): { readonly url: string; readonly process: ManagedProcess } {
    const { url, running } = this.#service(name);
    if (running === undefined) throw new Error(`unreachable: ${name} was ready a moment ago`);
    return { url, process: running };
  }

  #record(state: RunRecord['state']): Promise<void> {
    const owner = identityOf(process.pid) ?? { pid: process.pid, startedAt: '' };
    const processes = this.processes();
    return writeRunRecord(this.#paths.run, { state, owner, guardian: this.#guardian, processes });
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

/** Marks data that a run was told to keep. */
const KEPT_NAME = 'KEPT';

/** @throws {DevnetError} DEVNET_KEPT rather than remove what somebody wanted kept */
async function refuseKept({ directory, data }: DevnetPaths): Promise<void> {
  if ((await readFileIfPresent(join(data, KEPT_NAME))) === undefined) return;
  throw new DevnetError(
    { code: 'DEVNET_KEPT', directory },
    `${directory} holds what an earlier devnet was told to keep`,
  );
}

/** The files by which `acquireDirectoryLock` keeps a directory for one process. */
async function lockFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^LOCK\.\d+$/.test(name)).map((name) => join(directory, name));
}

/** What a run made that means nothing without it; its logs are not among it. */
function remainsOf(paths: DevnetPaths): readonly string[] {
  return [paths.data, paths.config, paths.keys, paths.uploads];
}

async function removeRemains(paths: DevnetPaths): Promise<void> {
  for (const path of remainsOf(paths)) await rm(path, { recursive: true, force: true });
}
