import type { Json, Root } from '@cairn/primitives';
import { isRecord } from '@cairn/primitives';
import {
  firstGlobalSegment,
  ownsSegment,
  parseZgProof,
  RpcError,
  ZGS,
  type ZgFileInfo,
} from '@cairn/wire-protocol';
import type { FileLocator, NodeFileInfo } from './locate-file.ts';
import type { NodeDirectory } from './node-directory.ts';

/** Answers that mean the segment is there: uploading it again is no failure. */
const HELD_ALREADY = /already uploaded and finalized|already been uploaded or is being uploaded/;

/** A segment as gateway clients send it: its file is known by what the nodes say. */
export interface GatewaySegment {
  readonly data: string;
  readonly index: number;
  readonly proof: Json;
}

/** Reads the body of `POST /file/segment`. @throws {RangeError} naming the field; {WireError} */
export function parseGatewaySegment(body: unknown): GatewaySegment {
  if (!isRecord(body)) throw new RangeError('the body is no JSON object');
  const { data, index, proof } = body;
  if (typeof data !== 'string') throw new RangeError('data is not base64 text');
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    throw new RangeError('index is not an integer from 0');
  }
  const { lemma, path } = parseZgProof(proof);
  return { data, index, proof: { lemma: [...lemma], path: [...path] } };
}

/**
 * Hands a segment to every trusted node that knows the file and keeps that segment. The nodes
 * check the proof.
 *
 * @returns how many nodes have it now
 * @throws {RpcError} RPC_ERROR if a node refuses it; {TransportError}; the signal's reason
 */
export async function uploadSegment(
  deps: { readonly directory: NodeDirectory; readonly locator: FileLocator },
  file: Root | number,
  segment: GatewaySegment,
  signal: AbortSignal,
): Promise<number> {
  const infos: NodeFileInfo[] = await deps.locator.infos(file, signal);
  let stored = 0;
  for (const { node, info } of infos) {
    if (info === undefined || !keeps(node.shard, info, segment.index)) continue;
    const message: Json = {
      root: info.tx.dataMerkleRoot,
      fileSize: info.tx.size,
      data: segment.data,
      index: segment.index,
      proof: segment.proof,
    };
    try {
      await deps.directory.call(node.url, ZGS.uploadSegmentByTxSeq, [message, info.tx.seq], signal);
    } catch (error) {
      if (!(error instanceof RpcError) || !HELD_ALREADY.test(error.message)) throw error;
    }
    stored += 1;
  }
  return stored;
}

function keeps(shard: NodeFileInfo['node']['shard'], info: ZgFileInfo, index: number): boolean {
  return ownsSegment(shard, firstGlobalSegment(info.tx.startEntryIndex) + index);
}
