import {
  type Clock,
  describeError,
  isFault,
  type Logger,
  Semaphore,
  withDeadline,
} from '@cairn/primitives';
import type { Connection, Stream } from '@libp2p/interface';
import { P2pRefusal } from './errors.ts';
import { FrameStream } from './frame-stream.ts';
import { encodeOk, encodeRefusal } from './frames.ts';
import type { P2pLimits } from './limits.ts';
import { linkSignals } from './link-signals.ts';
import type { P2pMetrics } from './metrics.ts';
import {
  OWN_REFUSALS,
  type P2pHandler,
  type P2pOutcome,
  type P2pProtocol,
  type P2pServeOptions,
} from './protocol.ts';
import { TokenBuckets } from './token-buckets.ts';

/** What serving works with. */
export interface ServeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: P2pMetrics;
  readonly limits: P2pLimits;
  /** Aborts when requests are given up. */
  readonly stopping: AbortSignal;
}

/** Answers one protocol on every stream that peers open for it. */
export class ServedProtocol {
  readonly #protocol: P2pProtocol;
  readonly #options: P2pServeOptions;
  readonly #handler: P2pHandler;
  readonly #deps: ServeDeps;
  readonly #turns: Semaphore;
  readonly #buckets: TokenBuckets;
  readonly #streams = new Set<FrameStream>();
  readonly #busy = new Set<FrameStream>();
  #isDraining = false;
  #drained: () => void = () => undefined;

  constructor(
    protocol: P2pProtocol,
    options: P2pServeOptions,
    handler: P2pHandler,
    deps: ServeDeps,
  ) {
    const { maxServing, maxServingWaiting, maxMeteredPeers } = deps.limits;
    this.#protocol = protocol;
    this.#options = options;
    this.#handler = handler;
    this.#deps = deps;
    this.#turns = new Semaphore({ limit: maxServing, maxWaiting: maxServingWaiting });
    this.#buckets = new TokenBuckets(options.quota, deps.clock, maxMeteredPeers);
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Answers what comes on a stream, one request after the other, until it ends. */
  async serve(stream: Stream, { remotePeer }: Pick<Connection, 'remotePeer'>): Promise<void> {
    const { metrics, logger, limits, stopping } = this.#deps;
    const { id: protocol, maxRequestBytes } = this.#protocol;
    const peer = remotePeer.toString();
    const frames = new FrameStream(stream, {
      what: 'request',
      maxBytes: maxRequestBytes,
      onReceived: (bytes) => metrics.bytes.add(bytes, { direction: 'received', protocol }),
    });
    const { signal, release } = linkSignals(stopping);
    stream.addEventListener('close', () => release(new Error('the stream has ended')));
    this.#streams.add(frames);
    try {
      for (;;) {
        const request = await this.#within('a request', limits.streamIdleMs, signal, (inner) =>
          frames.receive(inner),
        );
        if (request === undefined) break;
        this.#busy.add(frames);
        try {
          await this.#answer(request, peer, frames, signal);
        } finally {
          this.#busy.delete(frames);
          if (this.#busy.size === 0) this.#drained();
        }
        if (this.#isDraining) break;
      }
      await frames.close();
    } catch (error) {
      frames.abort(error);
      logger.debug({ peer, protocol, reason: describeError(error) }, 'a stream was given up');
    } finally {
      release();
      this.#streams.delete(frames);
    }
  }

  /** Takes no more requests, and resolves once those at work have their replies. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const idle = [...this.#streams].filter((frames) => !this.#busy.has(frames));
    await Promise.all(idle.map((frames) => frames.close()));
    if (this.#busy.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  /** A turn lasts until the reply has left, so that what waits in memory is bounded. */
  async #answer(
    request: Uint8Array,
    peer: string,
    frames: FrameStream,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const refusal = this.#isDraining
        ? new P2pRefusal(OWN_REFUSALS.stopping, 'the host is stopping')
        : this.#overQuota(request, peer);
      if (refusal !== undefined) throw refusal;
      await this.#turns.run(async () => {
        const body = await this.#handle(request, peer, signal);
        await this.#reply(encodeOk(body), frames, signal);
        this.#count('ok');
      }, signal);
    } catch (error) {
      if (signal.aborted || !frames.isOpen) {
        this.#count('aborted');
        throw error;
      }
      const { code, sentence, outcome } = this.#tell(error, peer);
      this.#count(outcome);
      await this.#reply(encodeRefusal(code, sentence), frames, signal);
    }
  }

  #overQuota(request: Uint8Array, peer: string): P2pRefusal | undefined {
    const items = this.#options.itemsOf?.(request) ?? 1;
    if (this.#buckets.spend(peer, items)) return undefined;
    const { burstItems, itemsPerSecond } = this.#options.quota;
    return new P2pRefusal(
      OWN_REFUSALS.quota,
      `${items} more are over this peer's quota of ${burstItems}, of which ${itemsPerSecond} come back each second`,
    );
  }

  async #handle(request: Uint8Array, peer: string, signal: AbortSignal): Promise<Uint8Array> {
    const { id, maxReplyBytes } = this.#protocol;
    const body = await this.#within('an answer', this.#deps.limits.serveMs, signal, (inner) =>
      this.#handler(request, { peer, signal: inner }),
    );
    if (body.length > maxReplyBytes) {
      throw new RangeError(`an answer to ${id} has ${body.length} bytes, above ${maxReplyBytes}`);
    }
    return body;
  }

  async #reply(message: Uint8Array, frames: FrameStream, signal: AbortSignal): Promise<void> {
    const { metrics, limits } = this.#deps;
    const sentBytes = await this.#within('a reply', limits.replyMs, signal, (inner) =>
      frames.send(message, inner),
    ).catch((error: unknown) => {
      frames.abort(error); // part of a reply has left: nothing else can follow
      throw error;
    });
    metrics.bytes.add(sentBytes, { direction: 'sent', protocol: this.#protocol.id });
  }

  #tell(
    error: unknown,
    peer: string,
  ): { readonly code: string; readonly sentence: string; readonly outcome: P2pOutcome } {
    if (error instanceof P2pRefusal) {
      const outcome = error.code === OWN_REFUSALS.quota ? 'quota' : 'refused';
      return { code: error.code, sentence: error.message, outcome };
    }
    if (isFault(error, 'QUEUE_FULL')) {
      return { code: OWN_REFUSALS.busy, sentence: error.message, outcome: 'busy' };
    }
    if (isFault(error, 'DEADLINE_PASSED')) {
      return { code: OWN_REFUSALS.busy, sentence: error.message, outcome: 'timeout' };
    }
    const reason = describeError(error);
    const protocol = this.#protocol.id;
    this.#deps.logger.error({ peer, protocol, reason }, 'a request could not be answered');
    return { code: 'INTERNAL', sentence: 'something went wrong here', outcome: 'broken' };
  }

  #count(outcome: P2pOutcome): void {
    const { metrics } = this.#deps;
    metrics.requests.add(1, { direction: 'in', protocol: this.#protocol.id, outcome });
  }

  #within<Result>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return withDeadline(what, timeoutMs, work, { clock: this.#deps.clock, signal });
  }
}
