/** The key-value daemon: replays streams from the log and answers reads. */
export {
  exampleConfig,
  type KvNodeConfig,
  type LoadKvNodeConfigOptions,
  loadKvNodeConfig,
} from './config.ts';
export type { ConnectedChain } from './connect-chain.ts';
export { createKvNode, type KvNode, type KvNodeOptions } from './create-kv-node.ts';
export { KvNodeError, type KvNodeFault } from './errors.ts';
export type { ReplayStatus } from './replay-status.ts';
export { VERSION } from './version.ts';
