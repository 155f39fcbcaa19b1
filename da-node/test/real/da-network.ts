import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { addressOf, randomKey, signerFromKey } from '@cairn/chain-access';
import { readPhase } from '@cairn/chain-access/da';
import { type DaDeployment, deployDa } from '@cairn/chain-access/deploy';
import { writeSecretFile } from '@cairn/node-runtime/files';
import {
  type Address,
  DEVNET_CONSENSUS,
  keccak256,
  silentLogger,
  systemClock,
  systemRng,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { ANVIL_KEYS, Anvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { connectChain, type DaChain } from '../../src/chain/connect-chain.ts';
import { DaProcess } from './da-process.ts';

/** Blocks that a test may mine ahead of time: as many seconds the chain begins in the past. */
const SPARE_BLOCKS = 80;
const { schedule } = DEVNET_CONSENSUS;

/** A chain with contracts, four signers, a disperser and a keeper, each a process of its own. */
export class DaNetwork {
  readonly anvil: Anvil;
  readonly folder: string;
  readonly deployment: DaDeployment;
  readonly chain: DaChain;
  readonly keeper: DaProcess;
  readonly signers: readonly DaProcess[];
  readonly disperser: DaProcess;
  #ticker: NodeJS.Timeout | undefined;

  private constructor(parts: Omit<DaNetwork, 'stop' | 'processes' | 'beginFirstEpoch'>) {
    this.anvil = parts.anvil;
    this.folder = parts.folder;
    this.deployment = parts.deployment;
    this.chain = parts.chain;
    this.keeper = parts.keeper;
    this.signers = parts.signers;
    this.disperser = parts.disperser;
  }

  /** Starts chain and processes; the signers have joined once this resolves. */
  static async start(): Promise<DaNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-da-'));
    const begin = Math.floor(Date.now() / 1000) - SPARE_BLOCKS;
    const anvil = await Anvil.start('--slots-in-an-epoch', '1', '--timestamp', `${begin}`);
    const deployment = await deployDa(
      {
        client: anvil.client,
        signer: signerFromKey(ANVIL_KEYS[1]),
        params: { consensus: DEVNET_CONSENSUS, genesisSalt: keccak256(utf8Bytes(folder)) },
        logger: silentLogger(),
        pollMs: 10,
      },
      { signal: testSignal() },
    );
    const entrance = deployment.contracts.daEntrance;
    const settings = {
      rpcUrl: anvil.url,
      chainId: undefined,
      entrance,
      finality: 2,
      pollMs: 100,
      hub: undefined,
    };
    const chain = await connectChain(
      { ...settings, startBlock: deployment.block },
      { clock: systemClock(), logger: silentLogger(), backend: blstBackend() },
      { signal: testSignal() },
    );
    const prepare = async (name: string, role: string, extra: string): Promise<DaProcess> => {
      const own = join(folder, name);
      await mkdir(own);
      const account = await fundedAccount(anvil, join(own, 'account.hex'));
      await writeSecretFile(join(own, 'bls.hex'), toHex(blsSecret(name)));
      return DaProcess.prepare(own, account, configOf(role, own, anvil.url, deployment) + extra);
    };
    const keeper = await prepare('keeper', 'keeper', '[keeper]\nport = 0\n');
    const disperser = await prepare('disperser', 'disperser', DISPERSER);
    const signers = await Promise.all(
      [0, 1, 2, 3].map((at) => prepare(`signer-${at}`, 'signer', at === 0 ? SIGNER + P2P : SIGNER)),
    );
    const network = new DaNetwork({ anvil, folder, deployment, chain, keeper, signers, disperser });
    try {
      await Promise.all(network.processes.map((process) => process.start()));
    } catch (error) {
      await network.stop();
      throw error;
    }
    return network;
  }

  /**
   * Mines through the first epoch, waiting only for what the processes do in it. From then on there is
   * a block every second besides those of transactions.
   */
  async beginFirstEpoch(): Promise<void> {
    const { hub } = this.chain;
    const signal = testSignal();
    const start = (await hub.sortition.read('startBlock', [], { signal })).number(0);
    const tickets = start + schedule.openBlocks + schedule.finalityBlocks;
    await this.#mineTo(tickets + schedule.finalityBlocks + 1);
    for (const { account } of this.signers) {
      await until(`the ticket of ${account}`, async () =>
        (await hub.sortition.read('hasTicket', [account, 1], { signal })).flag(0),
      );
    }
    await this.#mineTo(start + schedule.ticketsEndBlock + schedule.quietBlocks + 1);
    await until('the seal', async () => (await readPhase(hub, { signal })).phase === 'sealed');
    await this.#mineTo(start + schedule.epochBlocks + schedule.finalityBlocks);
    this.#ticker = setInterval(() => void this.anvil.mine().catch(() => undefined), 1000);
  }

  get processes(): readonly DaProcess[] {
    return [this.disperser, ...this.signers, this.keeper];
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    await Promise.all(this.processes.map((process) => process.kill('SIGTERM')));
    await this.chain.close();
    await this.anvil.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Blocks up to a number, a second of the chain's time each as long as it is behind ours. */
  async #mineTo(block: number): Promise<void> {
    const { client } = this.anvil;
    const newest = await client.getBlock('latest', { signal: testSignal() });
    if (newest === undefined || newest.number >= block) return;
    const blocks = block - newest.number;
    const behind = Math.floor(Date.now() / 1000) - newest.timestamp;
    const seconds = behind > blocks + 5 ? 1 : 0;
    await this.anvil.rpc('anvil_mine', `0x${blocks.toString(16)}`, `0x${seconds.toString(16)}`);
  }
}

const SIGNER = '[signer]\nport = 0\njoin = true\nbond_gwei = 4000000000\nreserve_bytes = 0\n';
/** The first signer gives rows over libp2p too. */
const P2P = '[p2p]\nenabled = true\nlisten = ["/ip4/127.0.0.1/tcp/0"]\n';
const DISPERSER =
  '[disperser]\nport = 0\ngrpc.port = 0\nnitro.port = 0\nthreads = 1\ngather_ms = 20\ndeposit_gwei = 1000000000\nretention_epochs = 10\n';

function configOf(role: string, folder: string, rpc: string, deployment: DaDeployment): string {
  return `[node]
roles = ["${role}"]
data_dir = ${JSON.stringify(join(folder, 'data'))}
[log]
level = "debug"
[chain]
network = "devnet"
rpc = "${rpc}"
entrance = "${deployment.contracts.daEntrance}"
start_block = ${deployment.block}
poll_ms = 250
[keys]
account = ${JSON.stringify(join(folder, 'account.hex'))}
bls = ${JSON.stringify(join(folder, 'bls.hex'))}
`;
}

/** A new account with a hundred coins, its key in a file. */
async function fundedAccount(anvil: Anvil, file: string): Promise<Address> {
  const key = randomKey(systemRng());
  const address = addressOf(key);
  await writeSecretFile(file, toHex(key));
  await anvil.rpc('anvil_setBalance', address, `0x${(10n ** 20n).toString(16)}`);
  return address;
}

function blsSecret(name: string): Uint8Array {
  return blstBackend().secretFromMaterial(keccak256(utf8Bytes(name)));
}

/** Waits until something holds, at most three minutes. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 180_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
