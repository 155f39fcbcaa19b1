/** Solidity contracts of Cairn for TypeScript: ABIs, creation bytecode, and the few constants that both sides share. */

export type {
  ContractName,
  EpochPhase,
  SubmissionFaultName,
  VoidReasonName,
} from './constants.ts';
export {
  CONTRACT_NAMES,
  EPOCH_PHASES,
  SUBMISSION_FAULTS,
  SUBMIT_EVENT_TOPIC,
  SUBMIT_SELECTOR,
  VOID_REASONS,
} from './constants.ts';
export {
  chunkDecayRewardAbi,
  chunkDecayRewardBytecode,
} from './generated/chunk-decay-reward.ts';
export {
  chunkLinearRewardAbi,
  chunkLinearRewardBytecode,
} from './generated/chunk-linear-reward.ts';
export { daEntranceAbi, daEntranceBytecode } from './generated/da-entrance.ts';
export { daMiningAbi, daMiningBytecode } from './generated/da-mining.ts';
export { directoryAbi, directoryBytecode } from './generated/directory.ts';
export { epochMirrorAbi, epochMirrorBytecode } from './generated/epoch-mirror.ts';
export { flowAbi, flowBytecode } from './generated/flow.ts';
export { jobBoardAbi, jobBoardBytecode } from './generated/job-board.ts';
export {
  nitroCertificateValidatorAbi,
  nitroCertificateValidatorBytecode,
} from './generated/nitro-certificate-validator.ts';
export { orderingHubAbi, orderingHubBytecode } from './generated/ordering-hub.ts';
export { poraMineAbi, poraMineBytecode } from './generated/pora-mine.ts';
export { possessionAbi, possessionBytecode } from './generated/possession.ts';
export { priceMarketAbi, priceMarketBytecode } from './generated/price-market.ts';
export { quorumVerifierAbi, quorumVerifierBytecode } from './generated/quorum-verifier.ts';
export { randaoEntropyAbi, randaoEntropyBytecode } from './generated/randao-entropy.ts';
export { signerRegistryAbi, signerRegistryBytecode } from './generated/signer-registry.ts';
export { slasherAbi, slasherBytecode } from './generated/slasher.ts';
export { sortitionAbi, sortitionBytecode } from './generated/sortition.ts';
export { stakeGovernorAbi, stakeGovernorBytecode } from './generated/stake-governor.ts';
export { stakeHubAbi, stakeHubBytecode } from './generated/stake-hub.ts';
export { daEntranceSlots, sortitionSlots } from './generated/storage-slots.ts';
export { timelockAbi, timelockBytecode } from './generated/timelock.ts';
