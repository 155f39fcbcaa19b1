/** The data-availability daemon: keeps slices of blobs and signs for what it holds. */
export { SignerError, type SignerFault } from './errors.ts';
export { createBlsKeystore, openBlsKeystore } from './signer/bls-keystore.ts';
export {
  openSigner,
  type Signer,
  type SignerDeps,
  type SignerOptions,
} from './signer/open-signer.ts';
export type {
  ChainOptions,
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
