import { type Hasher, rootOfNodes } from '@cairn/commitments';
import {
  addressOf,
  type ChainEntry,
  concatBytes,
  equalBytes,
  fromHex,
  type Root,
  readSafeU64,
  rootBytes,
  rootOf,
  type Sequence,
  toHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { LogError } from './errors.ts';

/** Tags up to this length are stored: no transaction that a mempool takes has more. */
export const MAX_STORED_TAGS_BYTES: number = 256 * 1024;

/** A file's place in the log, with the root that its nodes fold to. */
export interface LogEntry extends ChainEntry {
  readonly root: Root;
  /** Length of the tags on chain; `tags` is empty if it exceeds `MAX_STORED_TAGS_BYTES`. */
  readonly tagsBytes: number;
}

/** What is known about an entry besides what the chain says. */
export interface EntryState {
  /** Everything this node's shard owns of the file is held. */
  readonly finalized: boolean;
  /** Its data was given up. */
  readonly pruned: boolean;
}

/** The entry of what the chain announced. */
export function logEntryOf(entry: ChainEntry, hasher?: Pick<Hasher, 'hashMany'>): LogEntry {
  const tagsBytes = entry.tags.length;
  const tags = tagsBytes > MAX_STORED_TAGS_BYTES ? new Uint8Array(0) : entry.tags;
  return { ...entry, root: rootOf(rootOfNodes(entry.nodes, hasher)), tags, tagsBytes };
}

/** Whether two entries are the same event of the chain, or the same file at the same place. */
export function isSameEntry(left: LogEntry, right: LogEntry): boolean {
  return (
    left.sequence === right.sequence &&
    left.startSector === right.startSector &&
    left.sizeBytes === right.sizeBytes &&
    left.root === right.root
  );
}

const FIXED_BYTES = 8 * 5 + 20 + 32 * 3 + 1 + 4;

/** An entry as bytes, its sequence left to the key. */
export function encodeEntry(entry: LogEntry): Uint8Array {
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = viewOf(fixed);
  writeSafeU64(view, 0, entry.startSector);
  writeSafeU64(view, 8, entry.paddedSectors);
  writeSafeU64(view, 16, entry.sizeBytes);
  writeSafeU64(view, 24, entry.block.number);
  writeSafeU64(view, 32, entry.tagsBytes);
  fixed.set(fromHex(entry.submitter), 40);
  fixed.set(fromHex(entry.block.hash), 60);
  fixed.set(fromHex(entry.transactionHash), 92);
  fixed.set(rootBytes(entry.root), 124);
  view.setUint8(156, entry.nodes.length);
  view.setUint32(157, entry.tags.length);
  const nodes = entry.nodes.map(({ height, root }) => concatBytes(Uint8Array.of(height), root));
  return concatBytes(fixed, ...nodes, entry.tags);
}

/** @throws {LogError} LOG_STORE_DAMAGED */
export function decodeEntry(
  sequence: Sequence,
  bytes: Uint8Array,
  hasher?: Pick<Hasher, 'hashMany'>,
): LogEntry {
  if (bytes.length < FIXED_BYTES) refuse(bytes);
  const view = viewOf(bytes);
  const nodeCount = view.getUint8(156);
  const tagsStart = FIXED_BYTES + nodeCount * 33;
  if (bytes.length !== tagsStart + view.getUint32(157)) refuse(bytes);
  const nodes = Array.from({ length: nodeCount }, (_, place) => {
    const at = FIXED_BYTES + place * 33;
    return { height: bytes[at] ?? 0, root: bytes.slice(at + 1, at + 33) };
  });
  const root = bytes.slice(124, 156);
  if (nodeCount === 0 || !equalBytes(rootOfNodes(nodes, hasher), root)) refuse(bytes);
  return {
    sequence,
    startSector: readSafeU64(view, 0),
    paddedSectors: readSafeU64(view, 8),
    sizeBytes: readSafeU64(view, 16),
    block: { number: readSafeU64(view, 24), hash: toHex(bytes.subarray(60, 92)) },
    tagsBytes: readSafeU64(view, 32),
    submitter: addressOf(bytes.subarray(40, 60)),
    transactionHash: toHex(bytes.subarray(92, 124)),
    root: rootOf(root),
    nodes,
    tags: bytes.slice(tagsStart),
  };
}

function refuse(bytes: Uint8Array): never {
  throw new LogError(
    { code: 'LOG_STORE_DAMAGED', what: 'entry', sizeBytes: bytes.length },
    `a stored log entry of ${bytes.length} bytes is damaged`,
  );
}
