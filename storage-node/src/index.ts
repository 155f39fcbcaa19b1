/** The storage daemon: keeps segments, answers verified reads, speaks 0G's JSON-RPC. */
export { type AdjustableLogger, adjustableLogger } from './adjustable-logger.ts';
export type { ChainConfig, ShardChainConfig } from './chains/shards-config.ts';
export {
  exampleConfig,
  type LoadStorageNodeConfigOptions,
  loadStorageNodeConfig,
  type StorageNodeConfig,
} from './config.ts';
export type { NodeRole } from './config-schema.ts';
export {
  createStorageNode,
  type StorageNode,
  type StorageNodeAddress,
  type StorageNodeChain,
  type StorageNodeOptions,
} from './create-storage-node.ts';
export { StorageNodeError, type StorageNodeFault } from './errors.ts';
export { VERSION } from './version.ts';
