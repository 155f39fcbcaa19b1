/** Making and finding the contracts of a network. */

export type { DaParams, ShardEntry } from './da-params.ts';
export { type DeployOptions, type DeployParams, deployContracts } from './deploy-contracts.ts';
export {
  DA_CONTRACTS,
  type DaContractName,
  type DaDeployment,
  type DaDeployOptions,
  deployDa,
  readDaDirectory,
  verifyDaDeployment,
} from './deploy-da.ts';
export {
  deployGovernance,
  type GovernanceDeployment,
  type GovernanceOptions,
  type GovernanceParams,
} from './deploy-governance.ts';
export { deployJobBoard, type JobBoardOptions } from './deploy-job-board.ts';
export {
  DEVNET_POSSESSION,
  deployPossession,
  type PossessionDeployOptions,
  type PossessionParams,
} from './deploy-possession.ts';
export {
  deployShard,
  type MirrorAnchor,
  registerShard,
  SHARD_CONTRACTS,
  type ShardContractName,
  type ShardDeployment,
  type ShardDeployOptions,
  type ShardHub,
  type ShardRegistration,
  verifyShardDeployment,
} from './deploy-shard.ts';
export {
  type DeployedContracts,
  type Deployment,
  parseDeployment,
  readDirectory,
  verifyDeployment,
} from './deployment.ts';
export { DeployError, type DeployFault } from './errors.ts';
export { DEVNET_BLOCKS_PER_EPOCH, DEVNET_MINING, type MiningParams } from './mining-params.ts';
