/** Bytes, ids, faults, async, ports and protocol numbers: what every package shares. */
export {
  assertNatural,
  assertPositiveInteger,
  isPowerOfTwo,
  nextPowerOfTwo,
  unreachable,
} from './assert.ts';
export { BoundedQueue } from './async/bounded-queue.ts';
export { DeadlineError, type DeadlineFault, withDeadline } from './async/deadline.ts';
export {
  forEachConcurrent,
  type MapConcurrentOptions,
  mapConcurrent,
} from './async/map-concurrent.ts';
export { type RetryOptions, retry } from './async/retry.ts';
export { runTogether } from './async/run-together.ts';
export { QueueFullError, Semaphore, type SemaphoreFault } from './async/semaphore.ts';
export { abortable, SingleFlight } from './async/single-flight.ts';
export { BufferPool } from './buffer-pool.ts';
export {
  bigEndianBytes,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  isHexOf,
  isZeroBytes,
  readSafeU64,
  toHex,
  utf8Bytes,
  utf8Text,
  viewOf,
  writeSafeU64,
} from './bytes.ts';
export { type Checksum, CRC_POLYNOMIAL, createCrc32 } from './crc32.ts';
export { describeError, Fault, type FaultFacts, isFault } from './fault.ts';
export {
  type Address,
  addressOf,
  type ChainId,
  chainIdOf,
  IdError,
  type IdFault,
  parseAddress,
  parseRoot,
  type Root,
  rootBytes,
  rootOf,
  type Sequence,
  sequenceOf,
} from './ids.ts';
export { isRecord, type Json, parseJson, stringifyJson } from './json.ts';
export { keccak256 } from './keccak.ts';
export { LruCache } from './lru-cache.ts';
export {
  BASIS_POINTS,
  type ConsensusParams,
  DEVNET_CONSENSUS,
  DRAW_RANGE,
  type EpochSchedule,
  epochSeconds,
  leastUnbondSeconds,
  MAINNET_CONSENSUS,
  MAX_GROUP_MEMBERS,
  MAX_QUORUMS,
  MAX_VOTES,
  PROMISED_INDEX_BIT,
  TESTNET_CONSENSUS,
} from './params/consensus.ts';
export {
  BATCH_VERSION_BYTES,
  BLIND_VERSION,
  MAX_BATCH_ITEMS,
  MAX_GROUP_WRITES,
  MAX_INLINE_VALUE_BYTES,
  MAX_KEY_BYTES,
  MAX_MULTI_GET_KEYS,
  MAX_PROOF_REWIND_KEYS,
  MAX_REPLAY_GROUP,
  MAX_SCAN_BYTES,
  MAX_SCAN_KEYS,
  MAX_SCAN_STEPS,
  MAX_STATE_PROOF_BYTES,
  MAX_TREE_CACHE_BYTES,
  MAX_VALUE_SLICE_BYTES,
  RESULT_KEY_CHARACTERS,
  STREAM_DOMAIN,
  STREAM_ID_BYTES,
} from './params/kv.ts';
export {
  CACHED_FILE_EXPIRY_MS,
  MAX_BLOCK_MARKS,
  MAX_CACHED_BYTES,
  MAX_CACHED_FILE_BYTES,
  MAX_CONCURRENT_WRITES,
  MAX_DOWNLOAD_SECTORS,
  MAX_JSON_DEPTH,
  MAX_JSON_RPC_BATCH,
  MAX_JSON_RPC_BODY_BYTES,
  MAX_JSON_RPC_REPLY_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_DEPTH,
  MAX_PROOF_DEPTH,
  MAX_QUEUED_WRITES,
} from './params/limits.ts';
export {
  FRAGMENT_BYTES,
  MAX_NODE_HEIGHT,
  MAX_SUBMISSION_NODES,
  MIN_FRAGMENT_BYTES,
  PADDING_STEPS,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_HEIGHT,
  SEGMENT_SECTORS,
} from './params/log.ts';
export type { BlockMark, ChainEntry, ChainLog, ChainStep, SubmissionNode } from './ports/chain.ts';
export { type Clock, systemClock } from './ports/clock.ts';
export { type FileStore, memoryFileStore } from './ports/file-store.ts';
export {
  type KeyRange,
  type KeyValueStore,
  type KeyValueWrite,
  memoryKeyValueStore,
} from './ports/key-value-store.ts';
export { type LogFields, type Logger, silentLogger } from './ports/logger.ts';
export {
  type Counter,
  type Gauge,
  type Histogram,
  labelledMetrics,
  type MetricSpec,
  type Metrics,
  noMetrics,
} from './ports/metrics.ts';
export type {
  PeerCall,
  PeerHandler,
  PeerListener,
  PeerMessage,
  PeerNetwork,
  PeerProtocol,
  PeerQuota,
  PeerRequestOptions,
  PeerServeOptions,
  PeerVerdict,
} from './ports/peer-network.ts';
export {
  bodyParts,
  type HttpReply,
  type HttpRequest,
  type HttpTransport,
} from './ports/transport.ts';
export type { WorkerPool } from './ports/worker-pool.ts';
export { type Rng, seededRng, systemRng } from './rng.ts';
export { TransportError, type TransportFault } from './transport-error.ts';
export { formatBytes, formatCoin, formatDuration, GIB, KIB, MIB } from './units.ts';
