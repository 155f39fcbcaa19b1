import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signerFromKey } from '@cairn/chain-access';
import { setSocket } from '@cairn/chain-access/da';
import { keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import type { NewShard } from '../../../foundation/chain-access/test/shard-network.ts';
import { bundleProgram } from '../../../test/support/bundle-program.ts';
import { DaProcess } from './da-process.ts';
import type { ShardWorld } from './shard-world.ts';
import type { WatchingSigner } from './watching-signer.ts';

const PROGRAM = fileURLToPath(new URL('./watching-signer.ts', import.meta.url));

/** A relayer as a process, with endpoints of all chains that are there or will join. */
export async function relayerOf(
  { network }: ShardWorld,
  folder: string,
  joining: readonly NewShard[],
): Promise<DaProcess> {
  const key = keccak256(utf8Bytes('a relayer in a process'));
  const { address } = signerFromKey(key);
  const chains = [network.hub.anvil, network.anvil, ...joining.map(({ anvil }) => anvil)];
  for (const chain of chains) {
    await chain.rpc('anvil_setBalance', address, `0x${(10n ** 20n).toString(16)}`);
  }
  const keyFile = join(folder, 'account.hex');
  await writeFile(keyFile, `${toHex(key)}\n`, { mode: 0o600 });
  const rpcs = [
    `${network.entrance.chainId}=${network.anvil.url}`,
    ...joining.map(({ shard, anvil }) => `${shard.chainId}=${anvil.url}`),
  ];
  return DaProcess.prepare(
    folder,
    address,
    `[node]
roles = ["relayer"]
data_dir = "${join(folder, 'node')}"
[chain]
rpc = "${network.hub.anvil.url}"
entrance = "${network.hub.entrance.domain.address}"
finality = "2"
poll_ms = 200
[keys]
account = "${keyFile}"
[shards]
rpcs = ${JSON.stringify(rpcs)}
[relayer]
port = 0
poll_ms = 200
spread_ms = 0
order_ms = 0
`,
  );
}

/** A signer that can be killed. */
export interface KillableSigner {
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Kills it for good. */
  remove(): Promise<void>;
}

/** The third signer of a world as a process of its own; it runs. */
export async function killableSigner(
  world: ShardWorld,
  folder: string,
  joined: readonly NewShard[],
): Promise<KillableSigner> {
  const { network } = world;
  const program = await bundleProgram(PROGRAM);
  const { who, folder: directory } = await world.retire(2);
  let child: ChildProcess | undefined;
  let port = 0;
  const told: Omit<WatchingSigner, 'port'> = {
    hubRpc: network.hub.anvil.url,
    entrance: network.hub.entrance.domain.address,
    shards: [
      [network.entrance.chainId, network.anvil.url],
      ...joined.map(({ shard, anvil }) => [shard.chainId, anvil.url] as const),
    ],
    account: toHex(who.accountKey),
    secret: toHex(who.secret),
    folder: directory,
  };
  const made: KillableSigner = {
    start: async () => {
      const args = [program.path, JSON.stringify({ ...told, port })];
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      child = started;
      const url = await new Promise<string>((resolve, reject) => {
        started.once('exit', () => reject(new Error('the signer did not start')));
        started.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
      });
      port = Number(new URL(url).port);
    },
    kill: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
    remove: async () => {
      await made.kill();
      await program.remove();
    },
  };
  await made.start();
  const socket = `http://127.0.0.1:${port}`;
  const caller = { hub: network.hub.hub, sender: who.sender };
  await setSocket(caller, socket, { intent: `socket:${folder}`, signal: testSignal() });
  return made;
}
