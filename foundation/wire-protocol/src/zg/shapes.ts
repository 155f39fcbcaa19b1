import type { Address, ChainId, Hex, Root } from '@cairn/primitives';

/** 0G's JSON shapes, in 0G's names. "Chunk" and "entry" there are our sector. */

/** Path of a segment: leaf, siblings bottom-up, file root; one side for each sibling. */
export interface ZgProof {
  /** Hashes; one alone if the file has one segment. At most 42. */
  readonly lemma: readonly Hex[];
  /** `true`: the running node is the left child, its sibling is on the right. */
  readonly path: readonly boolean[];
}

export interface ZgSegment {
  readonly root: Root;
  /** Base64 of whole sectors, not decoded yet. */
  readonly data: string;
  /** File-relative. */
  readonly index: number;
  readonly proof: ZgProof;
  readonly fileSize: number;
}

export interface ZgTransaction {
  readonly streamIds: readonly Hex[];
  readonly data: readonly number[];
  readonly dataMerkleRoot: Root;
  /** `[height + 1, root]` of each submission node. */
  readonly merkleNodes: readonly (readonly [depth: number, root: Hex])[];
  /** First sector of the flow. */
  readonly startEntryIndex: number;
  readonly size: number;
  readonly seq: number;
}

export interface ZgFileInfo {
  readonly tx: ZgTransaction;
  readonly finalized: boolean;
  readonly isCached: boolean;
  readonly uploadedSegNum: number;
  /** Older nodes leave it out; then `false`. */
  readonly pruned: boolean;
}

export interface ZgStatus {
  readonly connectedPeers: number;
  readonly logSyncHeight: number;
  readonly logSyncBlock: Hex;
  readonly nextTxSeq: number;
  readonly networkIdentity: {
    readonly chainId: ChainId;
    readonly flowAddress: Address;
    readonly p2pProtocolVersion: {
      readonly major: number;
      readonly minor: number;
      readonly build: number;
    };
  };
}

export interface ZgShardConfig {
  readonly shardId: number;
  readonly numShard: number;
}

export interface ZgShardedNode {
  readonly url: string;
  readonly config: ZgShardConfig;
  /** Milliseconds. */
  readonly latency: number;
  /** Seconds since the Unix epoch; 0 for trusted nodes. */
  readonly since: number;
}

export interface ZgShardedNodes {
  readonly trusted: readonly ZgShardedNode[];
  readonly discovered: readonly ZgShardedNode[];
}

/** Path of one sector in the flow tree: leaf, siblings bottom-up, flow root. */
export type ZgFlowProof = ZgProof;
