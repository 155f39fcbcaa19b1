/** Solidity contracts of Cairn for TypeScript: ABIs, creation bytecode, and the few constants that both sides share. */

export type { ContractName, EpochPhase, SubmissionFaultName } from './constants.ts';
export {
  CONTRACT_NAMES,
  EPOCH_PHASES,
  SUBMISSION_FAULTS,
  SUBMIT_EVENT_TOPIC,
  SUBMIT_SELECTOR,
} from './constants.ts';
export { directoryAbi, directoryBytecode } from './generated/directory.ts';
export { flowAbi, flowBytecode } from './generated/flow.ts';
export { priceMarketAbi, priceMarketBytecode } from './generated/price-market.ts';
export { randaoEntropyAbi, randaoEntropyBytecode } from './generated/randao-entropy.ts';
export { rewardVaultAbi, rewardVaultBytecode } from './generated/reward-vault.ts';
export { signerRegistryAbi, signerRegistryBytecode } from './generated/signer-registry.ts';
export { slasherAbi, slasherBytecode } from './generated/slasher.ts';
export { sortitionAbi, sortitionBytecode } from './generated/sortition.ts';
export { stakeHubAbi, stakeHubBytecode } from './generated/stake-hub.ts';
