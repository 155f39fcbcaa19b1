/** The data-availability daemon: takes blobs, brings them to their quorums, keeps rows and signs for them. */
export {
  ChainEpochs,
  type ChainEpochsDeps,
  type ChainEpochsOptions,
} from './chain/chain-epochs.ts';
export { connectChain, type DaChain } from './chain/connect-chain.ts';
export {
  type DaNodeConfig,
  exampleConfig,
  type LoadDaNodeConfigOptions,
  loadDaNodeConfig,
} from './config.ts';
export type { DaRole } from './config-schema.ts';
export { SignerError, type SignerFault } from './errors.ts';
export { DaNodeError, type DaNodeFault } from './node-errors.ts';
export { type NodeProcess, runProcess } from './run-process.ts';
export { createBlsKeystore, openBlsKeystore } from './signer/bls-keystore.ts';
export {
  openSigner,
  type Signer,
  type SignerDeps,
  type SignerOptions,
} from './signer/open-signer.ts';
export type {
  ChainOptions,
  EpochOptions,
  EpochPrices,
  PayerAccount,
  SignerChain,
  SignerNetwork,
  SubmittedBlob,
} from './signer/ports.ts';
export {
  type ProtectedStatement,
  ProtectionLog,
  type ProtectionLogOptions,
  signProtected,
} from './signer/protection-log.ts';
export type { SignerIdentity } from './signer/seat.ts';
export { VERSION } from './version.ts';
