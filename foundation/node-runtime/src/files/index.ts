/** Files and directories: flat stores, atomic writes, locks, secrets and sources. */
export {
  readFileIfPresent,
  syncDirectory,
  type WriteAtomicOptions,
  writeFileAtomic,
} from './atomic-file.ts';
export {
  type DataDirectory,
  type DataDirectoryMark,
  type DataDirectoryOptions,
  openDataDirectory,
  readDataDirectory,
} from './data-directory.ts';
export { diskFault, errnoOf, freeBytesAt, StorageError, type StorageFault } from './errors.ts';
export { type FileSource, openFileSource } from './file-source.ts';
export {
  type ByteSpan,
  type FlatFileStore,
  type FlatFileStoreOptions,
  openFlatFileStore,
} from './flat-file-store.ts';
export { readSecretFile, writeSecretFile } from './key-file.ts';
export { acquireDirectoryLock, type DirectoryLock } from './lock-file.ts';
