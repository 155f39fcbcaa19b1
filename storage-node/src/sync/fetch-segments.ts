import {
  type Hasher,
  ProofError,
  type Segment,
  type VerifiedSegment,
  verifySegment,
  verifySegments,
} from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import {
  type Clock,
  describeError,
  equalBytes,
  type HttpTransport,
  isFault,
  type PeerNetwork,
  rootBytes,
  type WorkerPool,
} from '@cairn/primitives';
import {
  MAX_SEGMENT_MESSAGE_BYTES,
  MAX_SEGMENTS_PER_REPLY,
  parseSegmentMessage,
  splitSegmentMessages,
  WireError,
} from '@cairn/wire-protocol';
import {
  encodeSegmentQuestion,
  MAX_ASKED_SEGMENTS,
  type PeerLog,
  type PeerRecord,
  SEGMENTS_PROTOCOL,
} from '@cairn/wire-protocol/peers';
import type { SegmentRange } from './segment-ranges.ts';

/** How a peer answered a question for segments. */
export type FetchOutcome =
  /** Some of what was asked for, proven. */
  | { readonly kind: 'gave'; readonly segments: readonly VerifiedSegment[] }
  /** It does not hold them. */
  | { readonly kind: 'absent' }
  /** No answer that could be used; nobody is to blame for certain. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It sent what is not what it claims to be. */
  | { readonly kind: 'lied'; readonly reason: string };

/** What fetching works with. */
export interface SegmentFetcherDeps {
  readonly network: Pick<PeerNetwork, 'request' | 'peers' | 'connect'>;
  /** `undefined` where peers are only reached over the network. */
  readonly transport: HttpTransport | undefined;
  readonly hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>;
  /** Threads running the `hash-worker` module of commitments; without them all is hashed here. */
  readonly hashing: WorkerPool | undefined;
  readonly log: PeerLog;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Whether an address that a peer states may be asked: it must not lead into our own network. */
  readonly mayAsk: (url: string) => Promise<boolean>;
}

const TIMEOUT_MS = 20_000;

/**
 * Gets segments from one peer: over HTTP from the address in its record, or over libp2p where there
 * is none. What is returned is proven against the entry's root.
 */
export class SegmentFetcher {
  readonly #deps: SegmentFetcherDeps;

  constructor(deps: SegmentFetcherDeps) {
    this.#deps = deps;
  }

  /** @throws the signal's reason */
  async fetch(
    peer: PeerRecord,
    entry: LogEntry,
    range: SegmentRange,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<FetchOutcome> {
    try {
      const isHttp = await this.#isAskedOverHttp(peer);
      const messages = isHttp
        ? await this.#overHttp(peer, entry, range, signal)
        : await this.#overNetwork(peer, entry, range, signal);
      if (messages === undefined || messages.length === 0) return { kind: 'absent' };
      const segments = messages.map((bytes) => this.#parse(bytes, entry, range));
      return { kind: 'gave', segments: await this.#prove(segments, signal) };
    } catch (error) {
      signal.throwIfAborted();
      const reason = describeError(error);
      // Bytes that do not parse or prove came whole from the peer: a broken line ends the transfer.
      const isLie = error instanceof ProofError || error instanceof WireError;
      return { kind: isLie ? 'lied' : 'failed', reason };
    }
  }

  async #isAskedOverHttp({ url }: PeerRecord): Promise<boolean> {
    const { transport, mayAsk } = this.#deps;
    return transport !== undefined && url !== undefined && (await mayAsk(url));
  }

  async #overHttp(
    { url = '' }: PeerRecord,
    { root, sequence }: LogEntry,
    { first, step, count }: SegmentRange,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | undefined> {
    const query = new URLSearchParams({ seq: String(sequence) });
    if (count > 1) query.set('count', String(count));
    if (count > 1 && step > 1) query.set('step', String(step));
    const reply = await this.#deps.transport?.send({
      method: 'GET',
      url: `${url}/v1/segments/${root}/${first}?${query.toString()}`,
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    if (reply === undefined) return undefined;
    if (reply.status !== 200) {
      await reply.discard();
      if (reply.status === 404 || reply.status === 410) return undefined;
      throw new Error(`HTTP ${reply.status}`);
    }
    const bytes = await reply.bytes(MAX_SEGMENTS_PER_REPLY * MAX_SEGMENT_MESSAGE_BYTES);
    return splitSegmentMessages(bytes, count);
  }

  async #overNetwork(
    { peer, addresses }: PeerRecord,
    { root, sequence }: LogEntry,
    { first, step, count }: SegmentRange,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | undefined> {
    const { network, log } = this.#deps;
    const [address] = addresses;
    if (!network.peers().includes(peer) && address !== undefined) {
      await network.connect(address, { signal, timeoutMs: TIMEOUT_MS });
    }
    const messages: Uint8Array[] = [];
    for (let done = 0; done < count; done += MAX_ASKED_SEGMENTS) {
      const asked = Math.min(MAX_ASKED_SEGMENTS, count - done);
      const indexes = Array.from({ length: asked }, (_, at) => first + (done + at) * step);
      const question = encodeSegmentQuestion({ ...log, root, sequence, indexes });
      try {
        const reply = await network.request(peer, SEGMENTS_PROTOCOL, question, {
          signal,
          timeoutMs: TIMEOUT_MS,
        });
        messages.push(...splitSegmentMessages(reply, asked));
      } catch (error) {
        if (isFault(error, 'P2P_REFUSED')) break; // it does not hold these
        throw error;
      }
    }
    return messages;
  }

  /** @throws {WireError} */
  #parse(bytes: Uint8Array, entry: LogEntry, range: SegmentRange): Segment {
    const { chainId, segment } = parseSegmentMessage(bytes);
    const place = (segment.index - range.first) / range.step;
    const isAsked = Number.isInteger(place) && place >= 0 && place < range.count;
    const isOurs =
      chainId === this.#deps.log.chainId &&
      segment.sizeBytes === entry.sizeBytes &&
      equalBytes(segment.root, rootBytes(entry.root));
    if (!isAsked || !isOurs) {
      throw new WireError(
        {
          code: 'WIRE_FIELD',
          what: 'segment message',
          field: 'index',
          expected: 'what was asked for',
          actual: String(segment.index),
        },
        `segment ${segment.index} of another file or place came for log entry ${entry.sequence}`,
      );
    }
    return segment;
  }

  /** @throws {ProofError}; what the pool throws */
  async #prove(
    segments: readonly Segment[],
    signal: AbortSignal,
  ): Promise<readonly VerifiedSegment[]> {
    const { hasher, hashing: pool } = this.#deps;
    if (pool === undefined) return segments.map((segment) => verifySegment(segment, hasher));
    return verifySegments(segments, { hasher, pool, signal });
  }
}
