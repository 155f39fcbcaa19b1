import { type Clock, Semaphore } from '@cairn/primitives';
import type { Stream } from '@libp2p/interface';
import { P2pError } from './errors.ts';
import { FrameStream } from './frame-stream.ts';
import { parseReply, type Reply, replyBound } from './frames.ts';
import type { P2pLimits } from './limits.ts';
import type { P2pMetrics } from './metrics.ts';
import type { P2pProtocol } from './protocol.ts';

/** What streams to a peer work with. */
export interface PeerStreamsDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly metrics: P2pMetrics;
  readonly limits: P2pLimits;
}

interface Pooled {
  readonly frames: FrameStream;
  readonly sinceMs: number;
}

/**
 * Streams to one peer for one protocol: a few, each for one request at a time and kept for the next,
 * since a new one costs a round trip and milliseconds of work.
 */
export class PeerStreams {
  readonly #protocol: P2pProtocol;
  readonly #deps: PeerStreamsDeps;
  readonly #turns: Semaphore;
  #idle: Pooled[] = [];
  #inUse = 0;

  constructor(protocol: P2pProtocol, deps: PeerStreamsDeps) {
    const { streamsToPeer, maxWaitingToPeer } = deps.limits;
    this.#protocol = protocol;
    this.#deps = deps;
    this.#turns = new Semaphore({ limit: streamsToPeer, maxWaiting: maxWaitingToPeer });
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#idle.length + this.#inUse;
  }

  /** Whether nothing is open and nobody waits. */
  get isUnused(): boolean {
    return this.streams === 0 && this.#turns.running === 0 && this.#turns.waiting === 0;
  }

  /**
   * Asks once a stream is free. A request that met a kept stream which the peer had just ended is
   * asked once more, on a new one.
   *
   * @param open - opens a stream for the protocol
   * @throws {QueueFullError} QUEUE_FULL; {P2pError} P2P_TOO_LONG, P2P_FRAME; what opening throws; what
   *   ended the stream; the signal's reason
   */
  ask(
    request: Uint8Array,
    open: (signal: AbortSignal) => Promise<Stream>,
    signal: AbortSignal,
  ): Promise<Reply> {
    return this.#turns.run(async () => {
      const kept = this.#takeIdle();
      if (kept !== undefined) {
        try {
          return await this.#exchange(kept, request, signal);
        } catch (error) {
          if (signal.aborted || error instanceof P2pError || kept.hasBegun) throw error;
        }
      }
      return this.#exchange(this.#framesOf(await open(signal)), request, signal);
    }, signal);
  }

  /** Closes streams that were not used for a while. */
  async closeIdle(sinceMs: number): Promise<void> {
    const old = this.#idle.filter((pooled) => pooled.sinceMs <= sinceMs || !pooled.frames.isOpen);
    this.#idle = this.#idle.filter((pooled) => !old.includes(pooled));
    await Promise.all(old.map(({ frames }) => frames.close()));
  }

  async #exchange(frames: FrameStream, request: Uint8Array, signal: AbortSignal): Promise<Reply> {
    const { metrics, clock } = this.#deps;
    this.#inUse += 1;
    try {
      const sentBytes = await frames.send(request, signal);
      metrics.bytes.add(sentBytes, { direction: 'sent', protocol: this.#protocol.id });
      const message = await frames.receive(signal);
      if (message === undefined) throw new Error('the peer closed the stream');
      const reply = parseReply(message, this.#protocol.maxReplyBytes);
      if (frames.isOpen) this.#idle.push({ frames, sinceMs: clock.monotonic() });
      else frames.abort(new Error('the stream was closed'));
      return reply;
    } catch (error) {
      frames.abort(error);
      throw error;
    } finally {
      this.#inUse -= 1;
    }
  }

  #takeIdle(): FrameStream | undefined {
    for (;;) {
      const pooled = this.#idle.pop();
      if (pooled === undefined || pooled.frames.isOpen) return pooled?.frames;
      pooled.frames.abort(new Error('the stream was closed'));
    }
  }

  #framesOf(stream: Stream): FrameStream {
    const { id: protocol, maxReplyBytes } = this.#protocol;
    const { metrics } = this.#deps;
    return new FrameStream(stream, {
      what: 'reply',
      maxBytes: replyBound(maxReplyBytes),
      onReceived: (bytes) => metrics.bytes.add(bytes, { direction: 'received', protocol }),
    });
  }
}
