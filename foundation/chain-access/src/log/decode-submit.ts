import {
  type ChainEntry,
  MAX_NODE_HEIGHT,
  MAX_SUBMISSION_NODES,
  parseAddress,
  SECTOR_BYTES,
  type SubmissionNode,
  sequenceOf,
  viewOf,
} from '@cairn/primitives';
import { ChainError } from '../client/errors.ts';
import type { LogRecord } from '../client/parse-replies.ts';

/** Bytes of an ABI word. */
const WORD_BYTES = 32;

/**
 * The entry that a `Submit` event announces.
 *
 * Read by hand: 3,100 events take a generic ABI decoder 0.85 s, most of it in objects that nobody
 * keeps. The contract cannot write what this refuses.
 *
 * @throws {ChainError} CHAIN_BAD_LOG naming the field
 * @see the flow's ABI: Submit(address indexed sender, bytes32 indexed identity, uint256
 * submissionIndex, uint256 startPos, uint256 length, (uint256 length, bytes tags, (bytes32 root,
 * uint256 height)[] nodes) submission)
 */
export function decodeSubmit(log: LogRecord): ChainEntry {
  const { data, topics } = log;
  const view = viewOf(data);
  const fail = (reason: string): ChainError =>
    new ChainError(
      { code: 'CHAIN_BAD_LOG', block: log.block.number, logIndex: log.logIndex, reason },
      `log ${log.logIndex} of block ${log.block.number} is no submission: ${reason}`,
    );
  /** A number in the word at `offset`; nothing the log layer counts exceeds 2^53 − 1. */
  const numberAt = (offset: number, what: string): number => {
    if (offset + WORD_BYTES > data.length) throw fail(`${what} lies past the end`);
    for (let index = 0; index < 24; index += 4) {
      if (view.getUint32(offset + index) !== 0) throw fail(`${what} exceeds 2^53 - 1`);
    }
    const high = view.getUint32(offset + 24);
    if (high >= 2 ** 21) throw fail(`${what} exceeds 2^53 - 1`);
    return high * 2 ** 32 + view.getUint32(offset + 28);
  };

  const sender = topics[1];
  if (sender === undefined || topics.length !== 3) throw fail(`${topics.length} topics, not 3`);
  const submission = numberAt(96, 'offset of the submission');
  const tagsAt = submission + numberAt(submission + WORD_BYTES, 'offset of the tags');
  const nodesAt = submission + numberAt(submission + 2 * WORD_BYTES, 'offset of the nodes');
  const tagBytes = numberAt(tagsAt, 'length of the tags');
  if (tagsAt + WORD_BYTES + tagBytes > data.length) throw fail('the tags lie past the end');
  const count = numberAt(nodesAt, 'count of nodes');
  if (count < 1 || count > MAX_SUBMISSION_NODES) throw fail(`${count} nodes, not 1 to 4`);

  const nodes: SubmissionNode[] = [];
  let sectors = 0;
  for (let index = 0; index < count; index += 1) {
    const at = nodesAt + WORD_BYTES + index * 2 * WORD_BYTES;
    const height = numberAt(at + WORD_BYTES, `height of node ${index}`);
    const previous = nodes.at(-1);
    if (height >= MAX_NODE_HEIGHT) throw fail(`node ${index} has height ${height}`);
    if (previous !== undefined && height >= previous.height) {
      throw fail(`node ${index} is as high as the one before it`);
    }
    nodes.push({ root: data.slice(at, at + WORD_BYTES), height });
    sectors += 2 ** height;
  }
  const paddedSectors = numberAt(64, 'padded length');
  const sizeBytes = numberAt(submission, 'file length');
  if (sectors !== paddedSectors) throw fail(`nodes of ${sectors} sectors for ${paddedSectors}`);
  if (sizeBytes < 1 || Math.ceil(sizeBytes / SECTOR_BYTES) > paddedSectors) {
    throw fail(`a file of ${sizeBytes} bytes in ${paddedSectors} sectors`);
  }
  return {
    sequence: sequenceOf(numberAt(0, 'sequence')),
    startSector: numberAt(32, 'start sector'),
    paddedSectors,
    sizeBytes,
    submitter: parseAddress(`0x${sender.slice(26)}`),
    tags: data.slice(tagsAt + WORD_BYTES, tagsAt + WORD_BYTES + tagBytes),
    nodes,
    block: log.block,
    transactionHash: log.transactionHash,
  };
}
