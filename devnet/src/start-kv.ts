import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, MIB, type Rng } from '@cairn/primitives';
import { type KeyFiles, openAccount } from './da-keys.ts';
import { loopback } from './endpoints.ts';
import { programPath } from './program-path.ts';
import type { ServicePlan } from './services.ts';
import { quoted, type StartNodeDeps, startNode } from './start-node.ts';
import type { KvNodePlan } from './topology.ts';

/** What the key-value nodes of a devnet have in common. */
export interface KvSurroundings {
  readonly rpc: string;
  readonly chainId: number;
  readonly flow: Address;
  /** Every node's own directory lies below. */
  readonly dataDirectory: string;
  readonly configDirectory: string;
}

/** Keys with which key-value nodes vouch for state roots, in the order of the nodes. */
export async function openKvKeys(
  directory: string,
  plans: readonly KvNodePlan[],
  rng: Rng,
): Promise<readonly KeyFiles[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const keys: KeyFiles[] = [];
  for (const { name } of plans) keys.push(await openAccount(directory, name, rng));
  return keys;
}

/** The key-value nodes of a devnet, to be started. They watch every stream that the log names. */
export function kvServices(
  deps: StartNodeDeps,
  {
    plans,
    keys,
    ports,
    storageUrls,
    surroundings,
  }: {
    readonly plans: readonly KvNodePlan[];
    /** Of the nodes, in their order. */
    readonly keys: readonly KeyFiles[];
    readonly ports: readonly number[];
    readonly storageUrls: readonly string[];
    readonly surroundings: KvSurroundings;
  },
): readonly ServicePlan[] {
  const program = programPath('run-kv-node');
  const { configDirectory } = surroundings;
  return plans.map(({ name }, index) => {
    const port = ports[index] ?? 0;
    const keyFile = keys[index]?.accountFile;
    const config = kvConfig({ name, port, keyFile }, storageUrls, surroundings);
    return {
      name,
      url: loopback(port),
      start: (signal) =>
        startNode(deps, { name, program, config, configDirectory, port }, { signal }),
    };
  });
}

function kvConfig(
  {
    name,
    port,
    keyFile,
  }: { readonly name: string; readonly port: number; readonly keyFile: string | undefined },
  storageUrls: readonly string[],
  { rpc, chainId, flow, dataDirectory }: KvSurroundings,
): string {
  return [
    // A devnet is to run on a laptop that is nearly full as well.
    `[node]\ndata_dir = ${quoted(join(dataDirectory, name))}\nreserve_bytes = ${16 * MIB}\n`,
    `[chain]\nrpc = ${quoted(rpc)}\nchain_id = ${chainId}\nflow = ${quoted(flow)}`,
    // A reorganisation is unwound, so nothing has to wait for confirmations here.
    'confirmations = 0\npoll_ms = 250\n',
    `[storage]\nnodes = [${storageUrls.map(quoted).join(', ')}]\n`,
    '[streams]\ndiscover = true\nopen = true\n',
    // An upload that broke off is not to stop everybody's streams; it is gone back to if it goes on.
    '[replay]\nmissing = "skip"\nskip_after_s = 30\nmax_holes = 1000\nheal_every_s = 5\n',
    ...(keyFile === undefined ? [] : [`[attest]\nkey = ${quoted(keyFile)}\n`]),
    `[http]\nhost = "127.0.0.1"\nport = ${port}\n`,
  ].join('\n');
}
