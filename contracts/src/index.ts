/** Solidity contracts of Cairn for TypeScript: ABIs, creation bytecode, and the few constants that both sides share. */

export type { ContractName, SubmissionFaultName } from './constants.ts';
export {
  CONTRACT_NAMES,
  SUBMISSION_FAULTS,
  SUBMIT_EVENT_TOPIC,
  SUBMIT_SELECTOR,
} from './constants.ts';
export { directoryAbi, directoryBytecode } from './generated/directory.ts';
export { flowAbi, flowBytecode } from './generated/flow.ts';
export { priceMarketAbi, priceMarketBytecode } from './generated/price-market.ts';
export { rewardVaultAbi, rewardVaultBytecode } from './generated/reward-vault.ts';
