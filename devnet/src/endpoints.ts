import { basename, join, resolve } from 'node:path';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import { type Address, chainIdOf, utf8Text } from '@cairn/primitives';
import {
  type Endpoints,
  formatEndpoints,
  parseEndpointsText,
  type ShardConfig,
} from '@cairn/wire-protocol';
import type { PortPlan } from './ports.ts';
import { devnetPaths } from './run-file.ts';
import type { Topology } from './topology.ts';

/** Name of the chain that draws signers for all; most devnets have no other. */
export const HUB = 'hub';

/** A chain beside the hub, and the storage nodes of its log. */
export interface ShardChainEndpoint {
  readonly name: string;
  readonly rpc: string;
  readonly chainId: number;
  /** By contract name in camelCase. */
  readonly contracts: Readonly<Record<string, Address>>;
  /** Number under which the hub orders what its log holds. */
  readonly logShard: number;
  readonly storage: readonly { readonly rpc: string; readonly shard: ShardConfig }[];
  /** Where blobs of the shard are posted. */
  readonly rest: string;
}

/** What runs where, as other programs read it. */
export function endpointsOf({
  topology,
  ports,
  chainId,
  contracts,
  kvKeys,
  keyNames,
  keysDirectory,
  shards = { hubLogShard: 0, chains: [] },
}: {
  readonly topology: Topology;
  readonly ports: PortPlan;
  readonly chainId: number;
  /** By contract name in camelCase. */
  readonly contracts: Readonly<Record<string, Address>>;
  /** Accounts with which key-value nodes vouch for state roots. */
  readonly kvKeys: readonly Address[];
  /** Names of key files in `keysDirectory`, which lies beside the endpoints file. */
  readonly keyNames: readonly string[];
  readonly keysDirectory: string;
  /** Chains beside the hub, and the number under which the hub orders its own log; none unless told. */
  readonly shards?: {
    readonly hubLogShard: number;
    readonly chains: readonly ShardChainEndpoint[];
  };
}): Endpoints {
  const { hubLogShard, chains } = shards;
  return {
    version: 1,
    chains: [
      {
        ...{ name: HUB, rpc: loopback(ports.chain), chainId: chainIdOf(chainId), contracts },
        ...(chains.length === 0 ? {} : { logShard: hubLogShard }),
      },
      ...chains.map(({ storage: _, rest: __, ...chain }) => ({
        ...chain,
        chainId: chainIdOf(chain.chainId),
      })),
    ],
    indexer: loopback(ports.indexer),
    storage: [
      ...topology.storage.map(({ shard }, index) => ({
        rpc: loopback(ports.storage[index] ?? 0),
        shard,
        chain: HUB,
      })),
      ...chains.flatMap(({ name, storage }) => storage.map((node) => ({ ...node, chain: name }))),
    ],
    kv: ports.kv.map(loopback),
    ...(kvKeys.length === 0 ? {} : { kvKeys }),
    ...(ports.da === undefined
      ? {}
      : {
          da: {
            rest: loopback(ports.da.disperser),
            nitro: loopback(ports.da.nitro),
            grpc: `127.0.0.1:${ports.da.grpc}`,
            signers: ports.da.signers.map(loopback),
            page: loopback(ports.da.page),
            chain: HUB,
          },
        }),
    ...(chains.length === 0
      ? {}
      : { dispersers: chains.map(({ name, rest }) => ({ rest, chain: name })) }),
    keys: keyNames.map((name) => join(basename(keysDirectory), name)),
  };
}

/** Writes `endpoints.json` in one step, so that a reader sees all of it or none. */
export async function writeEndpoints(path: string, endpoints: Endpoints): Promise<void> {
  await writeFileAtomic(path, formatEndpoints(endpoints));
}

/** The endpoints of the devnet in a directory; `undefined` if none is ready there. */
export async function readDevnetEndpoints(directory: string): Promise<Endpoints | undefined> {
  const bytes = await readFileIfPresent(devnetPaths(resolve(directory)).endpoints);
  return bytes === undefined ? undefined : parseEndpointsText(utf8Text(bytes));
}

/** The address of a port of this machine. */
export function loopback(port: number): string {
  return `http://127.0.0.1:${port}`;
}
