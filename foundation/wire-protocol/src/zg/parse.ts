import { chainIdOf, MAX_PROOF_DEPTH } from '@cairn/primitives';
import {
  addressField,
  booleanField,
  fieldsOf,
  hexOf,
  listField,
  naturalField,
  refuseField,
  rootField,
  textField,
  urlOf,
} from '../check.ts';
import { parseShardConfig, type ShardConfig } from '../shard.ts';
import type {
  ZgFileInfo,
  ZgProof,
  ZgSegment,
  ZgShardConfig,
  ZgShardedNode,
  ZgShardedNodes,
  ZgStatus,
  ZgTransaction,
} from './shapes.ts';

/** Characters of a segment's base64 that are looked at; a full segment has 349,528. */
const MAX_ZG_DATA_CHARACTERS: number = 512 * 1024;
/** Segments in one upload call: all that 100 MiB can carry and more. */
export const MAX_ZG_SEGMENTS = 1024;
/** Storage nodes an indexer may list. */
const MAX_ZG_NODES = 10_000;

/**
 * A segment as 0G clients send it and 0G nodes serve it. Only kinds and bounds are checked:
 * whether data, proof and size fit each other is for the caller.
 *
 * @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG
 */
export function parseZgSegment(value: unknown): ZgSegment {
  const what = 'segment';
  const fields = fieldsOf(value, what);
  return {
    root: rootField(fields, 'root', what),
    data: textField(fields, 'data', what, MAX_ZG_DATA_CHARACTERS),
    index: naturalField(fields, 'index', what),
    proof: parseZgProof(fields['proof']),
    fileSize: naturalField(fields, 'fileSize', what),
  };
}

/** At most 1,024 segments. @throws {WireError} WIRE_FIELD, WIRE_TOO_LONG, WIRE_NOT_AN_OBJECT */
export function parseZgSegments(value: unknown): ZgSegment[] {
  return listField({ segments: value }, 'segments', 'call', MAX_ZG_SEGMENTS, parseZgSegment);
}

/** Hashes and sides within bounds, in whatever numbers. @throws {WireError} as `parseZgSegment` */
export function parseZgProof(value: unknown): ZgProof {
  const what = 'proof';
  const fields = fieldsOf(value, what);
  return {
    lemma: listField(fields, 'lemma', what, MAX_PROOF_DEPTH + 2, (hash) =>
      hexOf(hash, 32, what, 'lemma'),
    ),
    path: listField(fields, 'path', what, MAX_PROOF_DEPTH, (side) => {
      if (typeof side !== 'boolean') refuseField(what, 'path', 'true or false', side);
      return side;
    }),
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseZgFileInfo(value: unknown): ZgFileInfo {
  const what = 'file info';
  const fields = fieldsOf(value, what);
  return {
    tx: parseTransaction(fields['tx']),
    finalized: booleanField(fields, 'finalized', what),
    isCached: booleanField(fields, 'isCached', what),
    uploadedSegNum: naturalField(fields, 'uploadedSegNum', what),
    pruned: fields['pruned'] === undefined ? false : booleanField(fields, 'pruned', what),
  };
}

function parseTransaction(value: unknown): ZgTransaction {
  const what = 'file info.tx';
  const fields = fieldsOf(value, what);
  return {
    streamIds: [], // always empty on the wire; not worth trusting
    data: [],
    dataMerkleRoot: rootField(fields, 'dataMerkleRoot', what),
    merkleNodes: listField(fields, 'merkleNodes', what, 64, (node) => {
      if (!Array.isArray(node) || node.length !== 2) {
        refuseField(what, 'merkleNodes', 'pairs of depth and root', node);
      }
      const depth = naturalField({ depth: node[0] }, 'depth', what, { min: 1, max: 64 });
      return [depth, hexOf(node[1], 32, what, 'merkleNodes')] as const;
    }),
    startEntryIndex: naturalField(fields, 'startEntryIndex', what),
    size: naturalField(fields, 'size', what),
    seq: naturalField(fields, 'seq', what),
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD */
export function parseZgStatus(value: unknown): ZgStatus {
  const what = 'status';
  const fields = fieldsOf(value, what);
  const identity = fieldsOf(fields['networkIdentity'], 'status.networkIdentity');
  const version = fieldsOf(identity['p2pProtocolVersion'], 'status.p2pProtocolVersion');
  return {
    connectedPeers: naturalField(fields, 'connectedPeers', what),
    logSyncHeight: naturalField(fields, 'logSyncHeight', what),
    logSyncBlock: hexOf(fields['logSyncBlock'], 32, what, 'logSyncBlock'),
    nextTxSeq: naturalField(fields, 'nextTxSeq', what),
    networkIdentity: {
      chainId: chainIdOf(naturalField(identity, 'chainId', 'status', { min: 1 })),
      flowAddress: addressField(identity, 'flowAddress', 'status'),
      p2pProtocolVersion: {
        major: naturalField(version, 'major', 'status'),
        minor: naturalField(version, 'minor', 'status'),
        build: naturalField(version, 'build', 'status'),
      },
    },
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, SHARD_INVALID */
export function parseZgShardConfig(value: unknown): ZgShardConfig {
  const fields = fieldsOf(value, 'shard config');
  const { id, count } = parseShardConfig(
    naturalField(fields, 'shardId', 'shard config'),
    naturalField(fields, 'numShard', 'shard config'),
  );
  return { shardId: id, numShard: count };
}

/** Our shard in 0G's names. */
export function zgShardConfigOf({ id, count }: ShardConfig): ZgShardConfig {
  return { shardId: id, numShard: count };
}

/** 0G's shard in our names. @throws {WireError} SHARD_INVALID */
export function shardOfZg({ shardId, numShard }: ZgShardConfig): ShardConfig {
  return parseShardConfig(shardId, numShard);
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG, SHARD_INVALID */
export function parseZgShardedNode(value: unknown): ZgShardedNode {
  const what = 'node';
  const fields = fieldsOf(value, what);
  return {
    url: urlOf(fields['url'], what, 'url'),
    config: parseZgShardConfig(fields['config']),
    latency: naturalOr(fields['latency']),
    since: naturalOr(fields['since']),
  };
}

/** Nodes of an indexer; `null`, which 0G indexers send for none, gives none. @throws {WireError} as `parseZgShardedNode` */
export function parseZgShardedNodeList(value: unknown): ZgShardedNode[] {
  if (value === null || value === undefined) return [];
  return listField({ nodes: value }, 'nodes', 'reply', MAX_ZG_NODES, parseZgShardedNode);
}

/** @throws {WireError} as `parseZgShardedNode` */
export function parseZgShardedNodes(value: unknown): ZgShardedNodes {
  const fields = fieldsOf(value, 'nodes');
  return {
    trusted: parseZgShardedNodeList(fields['trusted']),
    discovered: parseZgShardedNodeList(fields['discovered']),
  };
}

/** Latency and age are hints: what is no natural number counts as 0. */
function naturalOr(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
