import { type Segment, segmentsOf } from '@cairn/commitments';
import { type HttpReply, parseJson, rootBytes, utf8Text } from '@cairn/primitives';
import {
  encodeSegmentMessage,
  heldPath,
  isHeld,
  MAX_SECTOR_MESSAGE_BYTES,
  MAX_SEGMENT_MESSAGE_BYTES,
  PROBLEM_TYPE,
  type Problem,
  parseHeldBitmap,
  parseProblem,
  parseSectorMessage,
  parseSegmentMessage,
  SEGMENT_MESSAGE_TYPE,
  sectorPath,
  segmentPath,
  splitSegmentMessages,
} from '@cairn/wire-protocol';
import { NodeRefusal } from './node-refusal.ts';
import type { EntryPlace, HolderProgress, SegmentDoor } from './segment-door.ts';
import { type StorageNode, statusFault } from './storage-node.ts';

/** Bytes of a problem: its sentences are bounded by the wire's own parser. */
const MAX_PROBLEM_BYTES = 16 * 1024;

/** Segments through a Cairn node's binary routes: no base64, no JSON. */
export function cairnDoor(node: StorageNode): SegmentDoor {
  const { transport, timeoutMs } = node.deps;
  return {
    async send(entry, segment, { signal }) {
      const url = `${node.url}${segmentPath(entry.root, segment.index)}`;
      const { chainId, sequence } = entry;
      const reply = await transport.send({
        method: 'PUT',
        url,
        headers: { 'content-type': SEGMENT_MESSAGE_TYPE },
        body: encodeSegmentMessage({ chainId, sequence, segment }),
        signal,
        timeoutMs,
      });
      if (reply.status === 200 || reply.status === 204) {
        await reply.discard();
        return 'stored';
      }
      if (reply.status === 202) {
        await reply.discard();
        return 'later'; // in memory only until the node has read the entry
      }
      const problem = await readProblem(reply, url);
      if (problem.retry === 'later') return 'later';
      throw new NodeRefusal(node.url, problem);
    },

    async fetch(entry, index, { signal }) {
      const url = `${node.url}${segmentPath(entry.root, index, entry.sequence)}`;
      const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
      if (reply.status === 200) {
        return matchingSegment(await reply.bytes(MAX_SEGMENT_MESSAGE_BYTES), entry, index);
      }
      const problem = await readProblem(reply, url);
      if (isNotHeld(problem.status)) return undefined;
      throw new NodeRefusal(node.url, problem);
    },

    async fetchRun(entry, first, count, { signal, allocate }) {
      const url = `${node.url}${segmentPath(entry.root, first, entry.sequence, count)}`;
      const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
      if (reply.status !== 200) {
        await reply.discard();
        if (isNotHeld(reply.status)) return [];
        throw statusFault(url, reply.status);
      }
      const bytes = await reply.bytes(count * MAX_SEGMENT_MESSAGE_BYTES, allocate);
      return splitSegmentMessages(bytes, count).map((message, at) =>
        matchingSegment(message, entry, first + at),
      );
    },

    async fetchSector(entry, index, { signal }) {
      const url = `${node.url}${sectorPath(entry.root, index, entry.sequence)}`;
      const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
      if (reply.status === 200) {
        const claim = parseSectorMessage(await reply.bytes(MAX_SECTOR_MESSAGE_BYTES));
        return { ...claim, root: rootBytes(entry.root), sizeBytes: entry.sizeBytes, index };
      }
      const problem = await readProblem(reply, url);
      if (isNotHeld(problem.status)) return undefined;
      throw new NodeRefusal(node.url, problem);
    },

    async progress({ root, sequence, sizeBytes }, options): Promise<HolderProgress | undefined> {
      const info = await node.fileInfoAt(sequence, options);
      // Another file's entry: a reorg moved this one, or a node made its place up.
      if (info?.tx.dataMerkleRoot !== root || info.tx.size !== sizeBytes) return undefined;
      if (info.finalized) return { finalized: true, holds: () => true };
      const url = `${node.url}${heldPath(root, sequence)}`;
      const { signal } = options;
      const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
      if (reply.status !== 200) {
        await reply.discard();
        return { finalized: false, holds: undefined };
      }
      const segments = segmentsOf(sizeBytes);
      const bitmap = parseHeldBitmap(await reply.bytes(Math.ceil(segments / 8)), segments);
      return { finalized: false, holds: (index) => isHeld(bitmap, index) };
    },
  };
}

/** Unknown, pruned, or another shard's: the node has no such segment. */
function isNotHeld(status: number): boolean {
  return status === 404 || status === 410 || status === 421;
}

/** The segment of a message, if it is the one asked for: what it says of itself is not trusted. */
function matchingSegment(bytes: Uint8Array, entry: EntryPlace, index: number): Segment {
  const { segment } = parseSegmentMessage(bytes);
  // Root, size and index come from the question, so that a proof of something else cannot pass.
  return { ...segment, root: rootBytes(entry.root), sizeBytes: entry.sizeBytes, index };
}

async function readProblem(reply: HttpReply, url: string): Promise<Problem> {
  const type = reply.headers['content-type'] ?? '';
  if (!type.startsWith(PROBLEM_TYPE) && !type.startsWith('application/json')) {
    await reply.discard();
    throw statusFault(url, reply.status);
  }
  try {
    return parseProblem(parseJson(utf8Text(await reply.bytes(MAX_PROBLEM_BYTES))));
  } catch {
    throw statusFault(url, reply.status); // not a problem after all; the status says enough
  }
}
