import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type Address,
  type Clock,
  type Hex,
  type Json,
  parseAddress,
  type Rng,
  silentLogger,
  systemClock,
  toHex,
} from '@cairn/primitives';
import { freePort } from '../../../test/support/free-port.ts';
import type { ChainClient } from '../src/client/chain-client.ts';
import { createChainClient } from '../src/client/create-client.ts';
import { deployContracts } from '../src/deploy/deploy-contracts.ts';
import type { Deployment } from '../src/deploy/deployment.ts';
import { encodeSubmissions, type FlowSubmission } from '../src/flow/submission.ts';
import { signerFromKey } from '../src/keys/signer.ts';

const BINARY: string = anvilBinary();

/** The program itself, not its launcher: killing the launcher would leave the chain running. */
function anvilBinary(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  try {
    const launcher = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json');
    const found = createRequire(launcher).resolve(
      `@foundry-rs/anvil-${process.platform}-${arch}/package.json`,
    );
    return join(dirname(found), 'bin', 'anvil');
  } catch {
    return ''; // not installed here: the suites skip
  }
}

/** The first two accounts of anvil's public test mnemonic. */
export const ANVIL_KEYS: readonly [string, string] = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
];

/** Whether these tests can run; suites that need a chain skip themselves without it. */
export const hasAnvil: boolean = existsSync(BINARY);

/** A signal that outlives every test here, so that a forgotten wait ends the suite with a reason. */
export function testSignal(timeoutMs = 240_000): AbortSignal {
  return AbortSignal.timeout(timeoutMs);
}

/** The machine's clock, on which waits pass twenty times as fast: outages without their minutes. */
export function fastClock(): Clock {
  const clock = systemClock();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * 20,
    sleep: (durationMs, signal) => clock.sleep(durationMs / 20, signal),
  };
}

/** A real chain in a child process. */
export class Anvil {
  readonly url: string;
  readonly client: ChainClient;
  readonly #flags: readonly string[];
  #child: ChildProcess;

  private constructor(child: ChildProcess, flags: readonly string[], port: number) {
    this.#child = child;
    this.#flags = flags;
    this.url = `http://127.0.0.1:${port}`;
    this.client = createChainClient({ rpcUrl: this.url });
  }

  static async start(...flags: readonly string[]): Promise<Anvil> {
    const port = await freePort();
    const all = ['--port', `${port}`, '--hardfork', 'prague', '--silent', ...flags];
    const anvil = new Anvil(spawn(BINARY, all, { stdio: 'ignore' }), all, port);
    await anvil.#answering();
    return anvil;
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it; with `--state FILE --preserve-historical-states` it goes on where it was once it is revived. */
  async halt(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Starts it again at the same address. */
  async revive(): Promise<void> {
    this.#child = spawn(BINARY, this.#flags, { stdio: 'ignore' });
    await this.#answering();
  }

  async #answering(): Promise<void> {
    const probe = createChainClient({ rpcUrl: this.url, attempts: 1 });
    const signal = testSignal();
    for (;;) {
      try {
        await probe.blockNumber({ signal });
        return;
      } catch (error) {
        if (this.#child.exitCode !== null || signal.aborted) throw error;
        await systemClock().sleep(20, signal);
      }
    }
  }

  async #end(by: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(by);
    await ended;
  }

  /** Stops it in its tracks: it takes connections and answers none, until `resume`. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Lets it go on after `pause`. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Any method of the chain's own control. */
  async rpc(method: string, ...params: readonly Json[]): Promise<unknown> {
    return this.client.rpc(method, params, { signal: testSignal() });
  }

  async mine(blocks = 1): Promise<void> {
    await this.rpc('anvil_mine', `0x${blocks.toString(16)}`);
  }

  /** Replaces the newest `depth` blocks by empty ones. */
  async reorg(depth: number): Promise<void> {
    await this.rpc('anvil_reorg', depth, []);
  }

  /** Deploys every contract with price 1,000 wei per sector, from the second account. */
  async deploy(params: { readonly blocksPerEpoch?: number } = {}): Promise<Deployment> {
    return deployContracts(
      {
        client: this.client,
        signer: signerFromKey(ANVIL_KEYS[1]),
        params: { pricePerSectorWei: 1000n, ...params },
        logger: silentLogger(),
        pollMs: 10,
      },
      { signal: testSignal() },
    );
  }

  /** Submits from the first account, which the chain signs for; returns once a block holds it. */
  async submit(flow: Address, submissions: readonly FlowSubmission[]): Promise<void> {
    let sectors = 0;
    for (const { nodes } of submissions) for (const { height } of nodes) sectors += 2 ** height;
    const hash = await this.rpc('eth_sendTransaction', {
      from: FIRST_ACCOUNT,
      to: flow,
      data: toHex(encodeSubmissions(submissions)),
      value: `0x${(sectors * 1000).toString(16)}`,
      gas: `0x${(500_000 * (1 + submissions.length)).toString(16)}`,
    });
    // On a busy machine the hash comes before the block.
    const signal = testSignal();
    while ((await this.client.getReceipt(hash as Hex, { signal })) === undefined) {
      await systemClock().sleep(5, signal);
    }
  }
}

export const FIRST_ACCOUNT: Address = parseAddress('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');

/** A legal submission of one sector with a root nobody knows. */
export function oneSector(rng: Rng): FlowSubmission {
  return {
    sizeBytes: 1 + rng.below(256),
    tags: rng.fill(new Uint8Array(rng.below(40))),
    nodes: [{ root: rng.fill(new Uint8Array(32)), height: 0 }],
    submitter: FIRST_ACCOUNT,
  };
}
