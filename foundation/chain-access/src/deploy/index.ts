/** Making and finding the contracts of a network. */
export { type DeployOptions, type DeployParams, deployContracts } from './deploy-contracts.ts';
export {
  type DeployedContracts,
  type Deployment,
  parseDeployment,
  readDirectory,
  verifyDeployment,
} from './deployment.ts';
export { DeployError, type DeployFault } from './errors.ts';
