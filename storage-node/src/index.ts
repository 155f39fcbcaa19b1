/** The storage daemon: keeps segments, answers verified reads, speaks 0G's JSON-RPC. */
export { type AdjustableLogger, adjustableLogger } from './adjustable-logger.ts';
export {
  type LoadStorageNodeConfigOptions,
  loadStorageNodeConfig,
  type NodeRole,
  STORAGE_NODE_SCHEMA,
  type StorageNodeConfig,
} from './config.ts';
export { type ConnectedChain, connectChain } from './connect-chain.ts';
export {
  createStorageNode,
  type StorageNode,
  type StorageNodeAddress,
  type StorageNodeOptions,
} from './create-storage-node.ts';
export type { FileLibrary, ReadableFile } from './doors/files/readable-file.ts';
export { StorageNodeError, type StorageNodeFault } from './errors.ts';
export { exampleConfig } from './example-config.ts';
export type { NodeParts } from './node-parts.ts';
export { VERSION } from './version.ts';
