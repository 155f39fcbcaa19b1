import { Readable } from 'node:stream';
import { type Hasher, segmentsOf, type VerifiedSegment, verifySegment } from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import {
  acceptStreams,
  addRoute,
  bodyStream,
  type HttpReplyOut,
  type HttpRequestIn,
  pathNumber,
  pathText,
  queryNumber,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type ChainId, parseRoot, type Root, rootOf, sequenceOf } from '@cairn/primitives';
import {
  encodeSegmentHead,
  MAX_SEGMENT_MESSAGE_BYTES,
  parseSegmentMessage,
  SEGMENT_MESSAGE_TYPE,
  type SegmentMessage,
} from '@cairn/wire-protocol';
import type { BodyGate } from '../body-gate.ts';
import type { EntryFinder } from '../entry-finder.ts';
import { StorageNodeError } from '../errors.ts';
import type { AcceptOutcome, SegmentAcceptor } from '../journeys/accept-segment.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';
import type { UnsentReplies } from '../unsent-replies.ts';
import { storageRouteTable } from './route-table.ts';
import type { RunMemory } from './run-memory.ts';

/** What the segment doors need. */
export interface SegmentDoorsDeps {
  readonly chainId: ChainId;
  readonly finder: EntryFinder;
  readonly acceptor: Pick<SegmentAcceptor, 'accept'>;
  readonly reader: Pick<SegmentReader, 'read' | 'readRun'>;
  readonly runMemory: RunMemory;
  /** Counts what is sent: segments go out as streams, which nothing else counts. */
  readonly unsent: Pick<UnsentReplies, 'add'>;
  readonly hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>;
  readonly gate: BodyGate;
  readonly stopping: AbortSignal;
}

/** What each outcome is answered with. */
const STATUS: Readonly<Record<AcceptOutcome, 200 | 202 | 204>> = {
  stored: 204,
  already: 200,
  finalized: 200,
  foreign: 200,
  cached: 202,
};

/**
 * `PUT` and `GET /v1/segments/{root}/{index}`: a segment with its proof, in binary; or, with
 * `?count=`, as many of the following as are held without a gap; with `?step=`, every step-th, which
 * is what a shard keeps.
 */
export function segmentDoors(deps: SegmentDoorsDeps): RouteGroup {
  return (app) => {
    const table = storageRouteTable();
    acceptStreams(app, { maxBytes: MAX_SEGMENT_MESSAGE_BYTES });
    addRoute(app, table, 'putSegment', (request, reply) => putSegment(request, reply, deps));
    addRoute(app, table, 'getSegment', (request, reply) => getSegment(request, reply, deps));
  };
}

async function putSegment(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: SegmentDoorsDeps,
): Promise<undefined> {
  const root = parseRoot(pathText(request, 'root'));
  const index = pathNumber(request, 'index');
  requireContentType(request);
  const declared = request.headers['content-length'];
  const signal = requestSignal(reply, deps.stopping);
  const body = {
    stream: bodyStream(request),
    declaredBytes: declared === undefined ? undefined : Number(declared),
    maxBytes: MAX_SEGMENT_MESSAGE_BYTES,
  };
  const outcome = await deps.gate.read(
    body,
    async (bytes) => {
      const message = parseSegmentMessage(bytes);
      requireAddressed(message, { root, index, chainId: deps.chainId });
      const { segment, sequence } = message;
      const offer = { root, sizeBytes: segment.sizeBytes, index, sequence };
      return deps.acceptor.accept(offer, () => verifySegment(segment, deps.hasher), {
        signal,
      });
    },
    signal,
  );
  void reply.code(STATUS[outcome]).header('x-cairn-outcome', outcome).send();
  return undefined;
}

async function getSegment(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: SegmentDoorsDeps,
): Promise<Readable> {
  const root = parseRoot(pathText(request, 'root'));
  const index = pathNumber(request, 'index');
  const seq = queryNumber(request, 'seq');
  const signal = requestSignal(reply, deps.stopping);
  const sequence = seq === undefined ? undefined : sequenceOf(seq);
  const known = await deps.finder.find({ root, sequence }, signal);
  if (known === undefined || known.entry.root !== root) throw unknownEntry(root);
  const { entry } = known;
  const { sequence: held } = entry;
  const step = queryNumber(request, 'step') ?? 1;
  const left = Math.ceil((segmentsOf(entry.sizeBytes) - index) / step);
  const count = Math.min(queryNumber(request, 'count') ?? 1, left);
  const segments = await readSegments(entry, { index, count, step }, reply, deps, signal);
  if (segments.length === 0) {
    throw new StorageNodeError(
      { code: 'SEGMENT_NOT_HELD', sequence: held, index },
      `segment ${index} of log entry ${held} is not held here`,
    );
  }
  const parts = segments.flatMap((segment) => [
    encodeSegmentHead({ chainId: deps.chainId, sequence: held, segment }),
    segment.data,
  ]);
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
  deps.unsent.add(reply.raw, sizeBytes);
  void reply
    .type(SEGMENT_MESSAGE_TYPE)
    .header('cache-control', cacheControl(seq, segments.length === count))
    .header('x-content-type-options', 'nosniff')
    .header('content-length', sizeBytes);
  // The segments' own memory goes out: they are not copied into one message.
  return Readable.from(parts, { objectMode: false });
}

/** Proven content never changes, but which entry is answered may, and how much of it is held. */
function cacheControl(seq: number | undefined, isWhole: boolean): string {
  if (!isWhole) return 'no-store';
  return seq === undefined ? 'public, max-age=60' : 'public, max-age=31536000';
}

/**
 * The segments that are held from `index` on, without a gap, or as many as there is memory for: the
 * reader asks again, here or elsewhere, for the rest.
 */
async function readSegments(
  entry: LogEntry,
  { index, count, step }: { readonly index: number; readonly count: number; readonly step: number },
  reply: HttpReplyOut,
  { reader, runMemory }: SegmentDoorsDeps,
  signal: AbortSignal,
): Promise<readonly VerifiedSegment[]> {
  if (count < 1) return []; // beyond the file's end
  const allocate = count > 1 ? runMemory.lendTo(reply) : undefined;
  if (allocate !== undefined && step === 1) {
    const run = await reader.readRun(entry, { first: index, count, allocate }, { signal });
    if (run.length > 0) return run;
  }
  // Apart in the file, apart on the disk: read one by one, within the same memory at most.
  const segments: VerifiedSegment[] = [];
  for (let at = 0; at < (allocate === undefined ? 1 : count); at += 1) {
    const segment = await reader.read(entry, index + at * step, { signal });
    if (segment === undefined) break;
    segments.push(segment);
  }
  return segments;
}

function requireContentType(request: HttpRequestIn): void {
  const actual = request.headers['content-type'] ?? 'none';
  if (actual.split(';')[0]?.trim().toLowerCase() === SEGMENT_MESSAGE_TYPE) return;
  throw new StorageNodeError(
    { code: 'MEDIA_TYPE', expected: SEGMENT_MESSAGE_TYPE, actual: actual.slice(0, 100) },
    `a segment is sent as ${SEGMENT_MESSAGE_TYPE}`,
  );
}

/** The message must be for this chain and for the file and place that the path names. */
function requireAddressed(
  { chainId, segment }: SegmentMessage,
  expected: { readonly root: Root; readonly index: number; readonly chainId: ChainId },
): void {
  if (chainId !== expected.chainId) {
    throw new StorageNodeError(
      { code: 'CHAIN_MISMATCH', expected: expected.chainId, actual: chainId },
      `the segment is for chain ${chainId}, this node keeps chain ${expected.chainId}`,
    );
  }
  const root = rootOf(segment.root);
  if (root !== expected.root) throw mismatch('root', root);
  if (segment.index !== expected.index) throw mismatch('index', String(segment.index));
}

function mismatch(field: string, actual: string): StorageNodeError {
  return new StorageNodeError(
    { code: 'WIRE_REQUEST', field, actual },
    `path and message name different segments: the message's ${field} is ${actual}`,
  );
}

function unknownEntry(root: Root): StorageNodeError {
  return new StorageNodeError(
    { code: 'ENTRY_UNKNOWN', root },
    `no log entry with the root ${root} is known here`,
  );
}
