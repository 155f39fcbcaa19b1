/** A devnet that runs, or is to run, in another process: what this takes loads in a moment. */
export { type BackgroundOptions, startDetached } from './background.ts';
export { type DevnetStatus, devnetStatus, type ProcessStatus } from './devnet-status.ts';
export { readDevnetEndpoints } from './endpoints.ts';
export { DevnetError, type DevnetFault } from './errors.ts';
export type { DaPorts, PortChoice, PortPlan } from './ports.ts';
export { type DevnetPaths, devnetPaths, type RecordedProcess } from './run-file.ts';
export { resetDevnet, stopDevnet } from './stop-devnet.ts';
export {
  consensusShardsFor,
  type DaPlan,
  DEFAULT_SIGNERS,
  DEFAULT_STORAGE,
  parseTopology,
  readTopology,
  type SignerPlan,
  type StorageNodePlan,
  type Topology,
  topologyOf,
} from './topology.ts';
