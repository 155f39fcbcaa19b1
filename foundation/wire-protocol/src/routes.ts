import type { Root } from '@cairn/primitives';

/** Method names of a storage node's JSON-RPC. */
export const ZGS = {
  getStatus: 'zgs_getStatus',
  uploadSegment: 'zgs_uploadSegment',
  uploadSegmentByTxSeq: 'zgs_uploadSegmentByTxSeq',
  uploadSegments: 'zgs_uploadSegments',
  uploadSegmentsByTxSeq: 'zgs_uploadSegmentsByTxSeq',
  downloadSegment: 'zgs_downloadSegment',
  downloadSegmentByTxSeq: 'zgs_downloadSegmentByTxSeq',
  downloadSegmentWithProof: 'zgs_downloadSegmentWithProof',
  downloadSegmentWithProofByTxSeq: 'zgs_downloadSegmentWithProofByTxSeq',
  getFileInfo: 'zgs_getFileInfo',
  getFileInfoByTxSeq: 'zgs_getFileInfoByTxSeq',
  checkFileFinalized: 'zgs_checkFileFinalized',
  getShardConfig: 'zgs_getShardConfig',
  getSectorProof: 'zgs_getSectorProof',
  getFlowContext: 'zgs_getFlowContext',
} as const;

/** Method names of an indexer's JSON-RPC. */
export const INDEXER = {
  getShardedNodes: 'indexer_getShardedNodes',
  getSelectedNodes: 'indexer_getSelectedNodes',
  getNodeLocations: 'indexer_getNodeLocations',
  getFileLocations: 'indexer_getFileLocations',
} as const;

/** Path of a segment on a storage node, or of `count` segments from it on. */
export function segmentPath(root: Root, index: number, sequence?: number, count = 1): string {
  const path = `/v1/segments/${root}/${index}${query(sequence)}`;
  return count === 1 ? path : `${path}${sequence === undefined ? '?' : '&'}count=${count}`;
}

/** Path of one sector of a file, by its place in the file, with its path to the root. */
export function sectorPath(root: Root, index: number, sequence?: number): string {
  return `/v1/sectors/${root}/${index}${query(sequence)}`;
}

/** Path of a file's bytes, or of a file inside a directory. */
export function filePath(root: Root, inner?: string): string {
  return `/v1/files/${root}${innerPath(inner)}`;
}

/** Path of a file's stat. */
export function fileStatPath(root: Root): string {
  return `/v1/entries/${root}`;
}

/** Path of what a file costs and who proved it. */
export function economicsPath(root: Root, sequence?: number): string {
  return `/v1/entries/${root}/economics${query(sequence)}`;
}

/** Path of the bitmap of held segments. */
export function heldPath(root: Root, sequence?: number): string {
  return `/v1/entries/${root}/held${query(sequence)}`;
}

/** Path of a node's status. */
export const STATUS_PATH = '/v1/status';

function query(sequence: number | undefined): string {
  return sequence === undefined ? '' : `?seq=${sequence}`;
}

function innerPath(inner: string | undefined): string {
  if (inner === undefined || inner === '') return '';
  return `/${inner.split('/').map(encodeURIComponent).join('/')}`;
}
