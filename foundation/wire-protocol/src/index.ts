/** Every shape two parties share: messages, routes, faults, shards, manifests, endpoints. */
export { decodeBase64, encodeBase64 } from './base64.ts';
export { chooseHolders, coversAllShards, type HolderOrder } from './choose-holders.ts';
export {
  CONTENT_REFERENCE_BYTES,
  type ContentReference,
  contentReferenceId,
  contentReferenceJson,
  encodeContentReference,
  parseContentReference,
  partOfContent,
} from './content-reference.ts';
export { countReplicas } from './count-replicas.ts';
export {
  type ChainEndpoint,
  type DaEndpoint,
  type DisperserEndpoint,
  type Endpoints,
  formatEndpoints,
  parseEndpoints,
  parseEndpointsText,
  type StorageEndpoint,
} from './endpoints.ts';
export {
  type AcceptedAnswer,
  type EntryEconomics,
  entryEconomicsJson,
  parseEntryEconomics,
} from './entry-economics.ts';
export { WireError, type WireFault } from './errors.ts';
export {
  PROBLEM_TYPE,
  type Problem,
  parseProblem,
  problemOf,
  type RetryAdvice,
} from './fault-table.ts';
export {
  type FilePlaceProof,
  filePlaceProofJson,
  MAX_FILE_PLACE_PROOF_CHARACTERS,
  parseFilePlaceProof,
  type ShownPlace,
} from './file-place-proof.ts';
export {
  internalRpcError,
  invalidParam,
  invalidParams,
  type JsonRpcBody,
  type JsonRpcCall,
  type JsonRpcError,
  type JsonRpcId,
  type JsonRpcRefusal,
  jsonRpcBatchReply,
  jsonRpcErrorOf,
  jsonRpcErrorReply,
  jsonRpcReply,
  methodNotFound,
  parseJsonRpcBody,
  RPC_BODY_TOO_LARGE,
  RPC_INTERNAL_ERROR,
  RPC_INVALID_PARAMS,
  RPC_INVALID_REQUEST,
  RPC_METHOD_NOT_FOUND,
  RPC_PARSE_ERROR,
  RPC_REPLY_TOO_LARGE,
  RPC_SERVER_ERROR,
  RpcError,
  type RpcFault,
  rpcError,
  serverRpcError,
} from './json-rpc.ts';
export { type CallJsonRpcOptions, callJsonRpc } from './json-rpc-client.ts';
export {
  answerJsonRpcBody,
  type JsonRpcAnswer,
  type JsonRpcAnswerDeps,
  type JsonRpcCallSeen,
  type JsonRpcHandler,
  type JsonRpcHandlers,
  type JsonRpcRequest,
} from './json-rpc-server.ts';
export { parseBoundedJson } from './json-text.ts';
export {
  encodeManifest,
  isManifest,
  type ManifestDirectory,
  type ManifestEntry,
  type ManifestFile,
  type ManifestLink,
  manifestEntryAt,
  parseManifest,
} from './manifest.ts';
export {
  type DefaultPorts,
  type Network,
  type NetworkName,
  networkOf,
} from './networks.ts';
export {
  type EntryStat,
  type FileStat,
  fileStatJson,
  type HeldBitmap,
  isHeld,
  MAX_STAT_ENTRIES,
  MAX_TAGS_BYTES,
  type NodeStatus,
  nodeStatusJson,
  parseFileStat,
  parseHeldBitmap,
  parseNodeStatus,
} from './node-shapes.ts';
export {
  economicsPath,
  filePath,
  fileStatPath,
  heldPath,
  INDEXER,
  STATUS_PATH,
  sectorPath,
  segmentPath,
  ZGS,
} from './routes.ts';
export {
  encodeSectorMessage,
  MAX_SECTOR_MESSAGE_BYTES,
  parseSectorMessage,
  SECTOR_MESSAGE_TYPE,
  type SectorFields,
} from './sector-message.ts';
export {
  encodeSegmentHead,
  encodeSegmentMessage,
  MAX_SEGMENT_MESSAGE_BYTES,
  MAX_SEGMENTS_PER_REPLY,
  parseSegmentMessage,
  SEGMENT_MESSAGE_TYPE,
  type SegmentFields,
  type SegmentMessage,
  splitSegmentMessages,
} from './segment-message.ts';
export {
  countOwnedSegments,
  firstGlobalSegment,
  formatShard,
  haveCommonSegments,
  nextOwnedSegment,
  ownedSegments,
  ownsSegment,
  parseShardConfig,
  parseShardText,
  type ShardConfig,
} from './shard.ts';
export {
  parseZgFileInfo,
  parseZgProof,
  parseZgSegment,
  parseZgSegments,
  parseZgShardConfig,
  parseZgShardedNodeList,
  parseZgShardedNodes,
  parseZgStatus,
  shardOfZg,
  zgShardConfigOf,
} from './zg/parse.ts';
export { segmentProofOf, zgProofOf } from './zg/proof.ts';
export type {
  ZgFileInfo,
  ZgFlowProof,
  ZgProof,
  ZgSegment,
  ZgShardConfig,
  ZgShardedNode,
  ZgShardedNodes,
  ZgStatus,
  ZgTransaction,
} from './zg/shapes.ts';
