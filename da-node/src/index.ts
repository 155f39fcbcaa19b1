/** The data-availability daemon: keeps slices of blobs and signs for what it holds. */
export { SignerError, type SignerFault } from './errors.ts';
