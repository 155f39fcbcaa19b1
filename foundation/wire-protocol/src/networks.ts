import { type Address, type ChainId, chainIdOf, parseAddress } from '@cairn/primitives';

/** Ports a service listens on unless told; `0` in a config asks for any free one. */
export interface DefaultPorts {
  readonly chain: number;
  readonly storage: number;
  readonly storageAdmin: number;
  readonly indexer: number;
  readonly kv: number;
  readonly da: number;
}

/** A network by name. */
export interface Network {
  readonly name: string;
  readonly chainId: ChainId;
  /** The log contract; `undefined` where every deployment has its own. */
  readonly flow: Address | undefined;
  /** Block of the log contract's deployment or earlier, where following starts. */
  readonly startBlock: number;
  /** Blocks on top of a block before it is acted upon. */
  readonly confirmations: number;
  readonly ports: DefaultPorts;
}

/** Names that `networkOf` knows. */
export type NetworkName = 'mainnet' | 'testnet' | 'devnet' | 'minimal';

const PORTS: DefaultPorts = {
  chain: 8545,
  storage: 5678,
  storageAdmin: 5679,
  indexer: 12_345,
  kv: 6789,
  da: 3100,
};

const NETWORKS: Readonly<Record<NetworkName, Network>> = {
  /** 0G's main network, as its documentation and its mainnet node configuration give it. */
  mainnet: {
    name: 'mainnet',
    chainId: chainIdOf(16_661),
    flow: parseAddress('0x62D4144dB0F0a6fBBaeb6296c785C71B3D57C526'),
    startBlock: 0,
    confirmations: 1,
    ports: PORTS,
  },
  /** 0G's Galileo test network; its node configuration waits for three blocks. */
  testnet: {
    name: 'testnet',
    chainId: chainIdOf(16_602),
    flow: parseAddress('0x22E03a6A89B950F1c82ec5e74F8eCa321a105296'),
    startBlock: 0,
    confirmations: 3,
    ports: PORTS,
  },
  /** One machine: anvil's chain id; a reorg is unwound, so nothing waits for confirmations. */
  devnet: {
    name: 'devnet',
    chainId: chainIdOf(31_337),
    flow: undefined,
    startBlock: 0,
    confirmations: 0,
    ports: PORTS,
  },
  /** For tests and simulations: as devnet, any free port. */
  minimal: {
    name: 'minimal',
    chainId: chainIdOf(31_337),
    flow: undefined,
    startBlock: 0,
    confirmations: 0,
    ports: { chain: 0, storage: 0, storageAdmin: 0, indexer: 0, kv: 0, da: 0 },
  },
};

/** The network called `name`; `undefined` if none is. */
export function networkOf(name: string): Network | undefined {
  return Object.hasOwn(NETWORKS, name) ? NETWORKS[name as NetworkName] : undefined;
}
