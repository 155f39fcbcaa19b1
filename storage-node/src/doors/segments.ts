import { type Hasher, segmentsOf, verifySegment } from '@cairn/commitments';
import {
  acceptStreams,
  bodyStream,
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import {
  type ChainId,
  concatBytes,
  parseRoot,
  type Root,
  rootOf,
  sequenceOf,
} from '@cairn/primitives';
import {
  encodeSegmentMessage,
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
import { requestSignal } from './request-signal.ts';
import { addRoute, pathNumber, pathText, queryNumber } from './route-options.ts';

/** What the segment doors need. */
export interface SegmentDoorsDeps {
  readonly chainId: ChainId;
  readonly finder: EntryFinder;
  readonly acceptor: Pick<SegmentAcceptor, 'accept'>;
  readonly reader: Pick<SegmentReader, 'read'>;
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
 * `?count=`, as many of the following as are held without a gap.
 */
export function segmentDoors(deps: SegmentDoorsDeps): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_SEGMENT_MESSAGE_BYTES });
    addRoute(app, 'putSegment', (request, reply) => putSegment(request, reply, deps));
    addRoute(app, 'getSegment', (request, reply) => getSegment(request, reply, deps));
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
): Promise<Buffer> {
  const root = parseRoot(pathText(request, 'root'));
  const index = pathNumber(request, 'index');
  const seq = queryNumber(request, 'seq');
  const signal = requestSignal(reply, deps.stopping);
  const sequence = seq === undefined ? undefined : sequenceOf(seq);
  const known = await deps.finder.find({ root, sequence }, signal);
  if (known === undefined || known.entry.root !== root) throw unknownEntry(root);
  const { entry } = known;
  const end = Math.min(index + (queryNumber(request, 'count') ?? 1), segmentsOf(entry.sizeBytes));
  const messages: Uint8Array[] = [];
  for (let at = index; at < end; at += 1) {
    const segment = await deps.reader.read(entry, at, { signal });
    if (segment === undefined) break; // the reader asks elsewhere for the rest
    messages.push(
      encodeSegmentMessage({ chainId: deps.chainId, sequence: entry.sequence, segment }),
    );
  }
  if (messages.length === 0) {
    throw new StorageNodeError(
      { code: 'SEGMENT_NOT_HELD', sequence: entry.sequence, index },
      `segment ${index} of log entry ${entry.sequence} is not held here`,
    );
  }
  const [only] = messages;
  const bytes = messages.length === 1 && only !== undefined ? only : concatBytes(...messages);
  void reply
    .type(SEGMENT_MESSAGE_TYPE)
    // Proven content never changes, but which entry is answered may.
    .header('cache-control', seq === undefined ? 'public, max-age=60' : 'public, max-age=31536000')
    .header('x-content-type-options', 'nosniff');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
