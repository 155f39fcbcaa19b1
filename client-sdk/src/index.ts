/** Files on a Cairn or 0G network, from the browser. The Node entry adds disks and threads. */
export type {
  AvailabilityScore,
  LossBound,
  NodeAvailability,
  SignedScore,
} from './availability.ts';
export type {
  ByteRange,
  Client,
  DirectoryReceipt,
  FileHolder,
  FileIdentity,
  FileInput,
  FileReceipt,
  FileReference,
  FileStat,
  FilesClient,
  GetOptions,
  HolderEvidence,
  HolderReceipt,
  LsOptions,
  PutReceipt,
  RootOptions,
  StoredFile,
} from './client.ts';
export type { CostQuote, FileCost } from './cost.ts';
export { type ClientOptions, createClient } from './create-client.ts';
export type { DirectoryChange, DirectoryEntry, DirectoryItem } from './directories.ts';
export type {
  ExtendOptions,
  FileEconomics,
  RenewalQuote,
  RenewalReceipt,
} from './economics.ts';
export { decryptSource } from './encryption/encrypt.ts';
export type { Decryption, Encryption } from './encryption/keys.ts';
export { type HolderFailure, SdkError, type SdkFault, type ShardLookup } from './errors.ts';
export type { ExclusiveJournal } from './exclusive-sender.ts';
export type {
  KvChange,
  KvChangesOptions,
  KvEvent,
  KvFindOptions,
  KvHistoryOptions,
  KvWatchOptions,
} from './kv/kv-feed-options.ts';
export type {
  KvAccess,
  KvAttestOptions,
  KvBytes,
  KvCall,
  KvClient,
  KvCommit,
  KvEntry,
  KvRange,
  KvReadOptions,
  KvSnapshot,
  KvSpan,
  KvStream,
  KvUpdate,
  KvUpdateOptions,
  KvValue,
  KvWriteOptions,
} from './kv/kv-options.ts';
export type { EntryCheck } from './locate-file.ts';
export type { ProveRequest } from './prove-availability.ts';
export type { PutDirectoryOptions, PutEvent, PutOptions } from './put-options.ts';
export {
  type ResolveOptions,
  referTensors,
  resolveReference,
} from './references/resolve-reference.ts';
export {
  MAX_SAFETENSORS_HEADER_BYTES,
  parseSafetensorsHeader,
  type Tensor,
} from './references/safetensors.ts';
export type {
  Placement,
  PlacementReason,
  ShardBacklog,
  ShardCandidate,
} from './shards/placement.ts';
export {
  type HubPlace,
  MAX_SHARD_PLACES,
  type ShardPlace,
  type ShardsOptions,
  shardsOf,
} from './shards/shard-options.ts';
export { scoreMessage, signerOfScore, signScore } from './signed-score.ts';
