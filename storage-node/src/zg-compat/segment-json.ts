import { fileShape, type VerifiedSegment } from '@cairn/commitments';
import { fromHex, type Json, toHex } from '@cairn/primitives';
import { invalidParams, type ZgSegment, zgProofOf } from '@cairn/wire-protocol';
import type { ZgSegmentClaim } from './prove-segment.ts';

/** Letters that are not of the standard alphabet but that the runtime's decoder lets pass. */
const FOREIGN_LETTERS = /[-_\s]/;

/** A segment with its hashes and data as bytes. @throws {RpcError} -32602 for broken base64 */
export function claimOf({ root, data, index, proof, fileSize }: ZgSegment): ZgSegmentClaim {
  return {
    root: fromHex(root),
    sizeBytes: fileSize,
    index,
    data: decodeData(data),
    lemma: proof.lemma.map(fromHex),
    path: proof.path,
  };
}

/** The bytes of padded standard base64, by the runtime's decoder: 0.1 ms a segment. */
function decodeData(text: string): Uint8Array {
  const pads = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  // The decoder skips what it does not know; then the length tells.
  const isWhole = text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - pads;
  if (!isWhole || FOREIGN_LETTERS.test(text)) throw invalidParams('data is not base64');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes as base64, by the runtime's encoder. */
export function encodeData(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** A proven segment in 0G's JSON form. */
export function zgSegmentJson(segment: VerifiedSegment): Json {
  const { root, sizeBytes, index, data, proof, segmentRoot } = segment;
  const { paddedSegments } = fileShape(sizeBytes);
  const { lemma, path } = zgProofOf(segmentRoot, proof, index, paddedSegments, root);
  return {
    root: toHex(root),
    data: encodeData(data),
    index,
    proof: { lemma, path },
    fileSize: sizeBytes,
  };
}
