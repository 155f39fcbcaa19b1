import { rootBytes } from '@cairn/primitives';
import {
  decodeBase64,
  encodeBase64,
  parseZgSegment,
  RpcError,
  segmentProofOf,
  ZGS,
  zgProofOf,
} from '@cairn/wire-protocol';
import type { SegmentDoor, SendOutcome } from './segment-door.ts';
import type { StorageNode } from './storage-node.ts';

/** Segments in 0G's own JSON-RPC, for nodes that are not ours. */
export function zgDoor(node: StorageNode): SegmentDoor {
  return {
    async send(entry, segment, options) {
      const root = rootBytes(entry.root);
      const { segmentRoot, proof, index, paddedSegments } = segment;
      const { lemma, path } = zgProofOf(segmentRoot, proof, index, paddedSegments, root);
      const sent = {
        root: entry.root,
        data: encodeBase64(segment.data),
        index,
        proof: { lemma, path },
        fileSize: entry.sizeBytes,
      };
      try {
        await node.rpc(ZGS.uploadSegmentsByTxSeq, [[sent], entry.sequence], options);
        return 'stored';
      } catch (error) {
        const outcome = outcomeOfRefusal(error);
        if (outcome === undefined) throw error;
        return outcome;
      }
    },

    async fetch(entry, index, options) {
      const params = [entry.sequence, index];
      const reply = await node.rpc(ZGS.downloadSegmentWithProofByTxSeq, params, options);
      if (reply === null) return undefined;
      const { data, proof } = parseZgSegment(reply);
      return {
        root: rootBytes(entry.root),
        sizeBytes: entry.sizeBytes,
        index,
        data: decodeBase64(data),
        proof: segmentProofOf(proof),
      };
    },

    async progress({ root, sequence, sizeBytes }, options) {
      const info = await node.fileInfoAt(sequence, options);
      // Another file's entry: a reorg moved this one, or a node made its place up.
      if (info?.tx.dataMerkleRoot !== root || info.tx.size !== sizeBytes) return undefined;
      // `uploadedSegNum` is a boundary on some nodes and a count on others: it says nothing safe.
      return { finalized: info.finalized, holds: undefined };
    },
  };
}

/**
 * What a 0G node means by an error. It has one code for everything that goes wrong with an
 * upload, so here, and only here, the words are read: they are part of 0G's interface, and its own
 * clients match them.
 */
export function outcomeOfRefusal(error: unknown): SendOutcome | undefined {
  if (!(error instanceof RpcError)) return undefined;
  const { rpcMessage, rpcData } = error.facts;
  const text = typeof rpcData === 'string' ? `${rpcMessage} ${rpcData}` : rpcMessage;
  if (text.includes('already uploaded and finalized')) return 'complete';
  if (text.includes('segment has already been uploaded or is being uploaded')) return 'stored';
  if (text.includes('too many data writing')) return 'later';
  // A reorg in between, or a node that has not read the entry: both pass.
  if (text.includes('Transaction reverted')) return 'later';
  if (text.includes('caching of large file when tx is unavailable')) return 'later';
  if (text.includes('exceeds the maximum cached chunks')) return 'later';
  return undefined;
}
