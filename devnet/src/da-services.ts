import { join } from 'node:path';
import { type ChainClient, createChainClient, createTransactionSender } from '@cairn/chain-access';
import { type Hub, openEntrance, openHub } from '@cairn/chain-access/da';
import { DEVNET_CONSENSUS, memoryKeyValueStore, type Rng, silentLogger } from '@cairn/primitives';
import { type AnvilControl, anvilControl } from './anvil-control.ts';
import { type BeginEpochDeps, beginEpoch, isHalted } from './begin-epoch.ts';
import type { ConsensusShards } from './consensus-shards.ts';
import { type DaKeys, openDaKeys } from './da-keys.ts';
import { type ContractAddresses, deployerOf, FIRST_BLOCK } from './deploy-contracts.ts';
import { loopback } from './endpoints.ts';
import { DevnetError } from './errors.ts';
import { PageServer } from './page-server.ts';
import type { DaPorts } from './ports.ts';
import type { DevnetPaths } from './run-file.ts';
import type { ServicePlan } from './services.ts';
import type { RunningChain } from './start-chain.ts';
import { type DaSurroundings, startDisperser, startSigner } from './start-da.ts';
import type { StartNodeDeps } from './start-node.ts';
import { type DaPlan, DISPERSER } from './topology.ts';

/** Coins of every account of data availability: stake, deposits, and gas for years. */
const ACCOUNT_WEI = 10_000n * 10n ** 18n;
const POLL_MS = 10;
/** A chain that was loaded knows no states of before; senders ask for those of up to 12 blocks ago. */
const REMEMBERED_BLOCKS = 16;
/** A network halts after 20 epochs without tickets: whoever looks this often misses nothing. */
const HALT_LOOK_MS = 10_000;

/** The data-availability network of a devnet. */
export interface DaNetwork {
  readonly contracts: ContractAddresses;
  /** Its processes, to be started. */
  readonly services: readonly ServicePlan[];
  /** Once they run: serves the page, and waits until blobs are taken. @throws as `beginEpoch` */
  begin(signal: AbortSignal): Promise<void>;
  /** Starts the network again should it halt, until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What the data-availability network of a devnet is made of. */
export interface DaNetworkOptions {
  readonly plan: DaPlan;
  readonly ports: DaPorts;
  readonly chain: RunningChain;
  readonly log: DaSurroundings['log'];
  /** Of `deployDevnetDa`. */
  readonly contracts: ContractAddresses;
  readonly paths: DevnetPaths;
  readonly rng: Rng;
  /** The chains beside the hub, which run; `undefined` where there are none. */
  readonly shards: Pick<ConsensusShards, 'rpcs' | 'relayer' | 'anchor'> | undefined;
}

/**
 * Opens the network's contracts and makes or reads the keys of its nodes, whose accounts get coins.
 *
 * @throws as `openDaKeys`; what the chain and the disk throw
 */
export async function openDaNetwork(
  deps: StartNodeDeps,
  { plan, ports, chain, log, contracts, paths, rng, shards }: DaNetworkOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<DaNetwork> {
  const names = plan.signers.map(({ name }) => name);
  const keys = await openDaKeys(join(paths.data, 'da-keys'), names, rng);
  const anvil = anvilControl(chain.rpc);
  await fundAll(keys, anvil, signal);
  await anvil.mine(REMEMBERED_BLOCKS, { signal });
  const { sortition, daEntrance } = contracts;
  if (sortition === undefined || daEntrance === undefined) {
    throw new DevnetError(
      { code: 'DEVNET_START_FAILED', directory: paths.directory, reason: 'contracts' },
      'the deployment lacks contracts of data availability',
    );
  }
  const client = createChainClient({ rpcUrl: chain.rpc, clock: deps.clock });
  const place = {
    client,
    firstBlock: FIRST_BLOCK,
    finality: DEVNET_CONSENSUS.schedule.finalityBlocks,
  };
  const hub = await openHub({ ...place, sortition }, { signal });
  const entrance = await openEntrance({ ...place, entrance: daEntrance }, { signal });
  const surroundings: DaSurroundings = {
    rpc: chain.rpc,
    chainId: chain.chainId,
    entrance: daEntrance,
    log,
    startBlock: FIRST_BLOCK,
    dataDirectory: paths.data,
    configDirectory: paths.config,
    shardRpcs: shards?.rpcs ?? [],
  };
  const epochs = {
    hub,
    entrance,
    anvil,
    admin: adminOf(chain, hub, client),
    signers: keys.signers.map(({ account }) => account),
    clock: deps.clock,
  };
  const rest = loopback(ports.disperser);
  const page = await PageServer.load(ports.page, { rpc: chain.rpc, entrance: daEntrance, rest });
  const services = [...servicesOf(deps, plan, ports, keys, surroundings)];
  if (shards !== undefined) services.push(await shards.relayer(surroundings, { signal }));
  const turn = async (waiting: AbortSignal): Promise<void> => {
    await beginEpoch(epochs, { signal: waiting });
    await shards?.anchor(hub, { signal: waiting });
  };
  return {
    contracts,
    services,
    begin: async (waiting) => {
      await page.start();
      await turn(waiting);
    },
    watch: (waiting) => watchForHalts(epochs, turn, waiting),
    close: async () => {
      await page.stop();
      await client.close();
    },
  };
}

function servicesOf(
  deps: StartNodeDeps,
  { signers }: DaPlan,
  ports: DaPorts,
  keys: DaKeys,
  surroundings: DaSurroundings,
): readonly ServicePlan[] {
  const services: ServicePlan[] = [
    {
      name: DISPERSER,
      url: loopback(ports.disperser),
      start: (signal) =>
        startDisperser(deps, { ports, keys: keys.disperser, surroundings }, { signal }),
    },
  ];
  for (const [index, plan] of signers.entries()) {
    const [port, own] = [ports.signers[index], keys.signers[index]];
    if (port === undefined || own === undefined) throw new RangeError(`no port for ${plan.name}`);
    services.push({
      name: plan.name,
      url: loopback(port),
      start: (signal) =>
        startSigner(
          deps,
          { plan, port, keeperPort: ports.keeper, keys: own, surroundings },
          { signal },
        ),
    });
  }
  return services;
}

async function fundAll(
  { disperser, signers }: DaKeys,
  anvil: AnvilControl,
  signal: AbortSignal,
): Promise<void> {
  for (const { account } of [disperser, ...signers]) {
    await anvil.setBalance(account, ACCOUNT_WEI, { signal });
  }
}

function adminOf(
  chain: RunningChain,
  { chainId }: Hub,
  client: ChainClient,
): BeginEpochDeps['admin'] {
  return createTransactionSender({
    client,
    signer: deployerOf(chain),
    journal: memoryKeyValueStore(), // what a crash leaves undone is looked at anew by the next run
    chainId,
    logger: silentLogger(),
    pollMs: POLL_MS,
  });
}

/** @throws the signal's reason */
async function watchForHalts(
  deps: BeginEpochDeps,
  begin: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let isDue = false;
  for (;;) {
    await deps.clock.sleep(HALT_LOOK_MS, signal);
    try {
      isDue ||= await isHalted(deps.hub, { signal });
      if (isDue) await begin(signal);
      isDue = false;
    } catch {
      signal.throwIfAborted(); // else the chain is away or busy: the next look may find it back
    }
  }
}
