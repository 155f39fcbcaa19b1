/** Making and finding the contracts of a network. */

export type { DaParams } from './da-params.ts';
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
  DEVNET_POSSESSION,
  deployPossession,
  type PossessionDeployOptions,
  type PossessionParams,
} from './deploy-possession.ts';
export {
  type DeployedContracts,
  type Deployment,
  parseDeployment,
  readDirectory,
  verifyDeployment,
} from './deployment.ts';
export { DeployError, type DeployFault } from './errors.ts';
export { DEVNET_BLOCKS_PER_EPOCH, DEVNET_MINING, type MiningParams } from './mining-params.ts';
