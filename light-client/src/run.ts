import {
  type Clock,
  Fault,
  type HttpTransport,
  isFault,
  mapConcurrent,
  rootOf,
  Semaphore,
} from '@cairn/primitives';
import { headOf } from './epochs/epoch-trust.ts';
import { findHandover } from './epochs/find-handover.ts';
import type { LightClient } from './light-client.ts';
import { type CheckpointStore, MAX_OPEN_SAMPLES } from './run/checkpoint.ts';
import type { BlobPlace, ConfirmedBlob, RunBlock, RunChain } from './run/ports.ts';
import type { SampleProgress } from './sampling/sample-progress.ts';
import type { SampleVerdict } from './sampling/verdict.ts';
import type { CertifiedBlob } from './verify-blob-certificate.ts';

const DEFAULT_PARALLEL = 4;
const DEFAULT_POLL_MS = 2_000;

/** What a run works with. */
export interface RunDeps<Block extends RunBlock = RunBlock> {
  readonly client: LightClient;
  readonly chain: RunChain<Block>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Reaches signers for handovers; epochs are followed by the chain's state alone where there is none. */
  readonly transport?: Pick<HttpTransport, 'send'>;
  /** Kept after every step; nothing is kept where there is none. */
  readonly store?: CheckpointStore;
}

/** How a run goes. */
export interface RunOptions {
  readonly signal: AbortSignal;
  /** The first blob to be judged: of a checkpoint, or where the first trusted epoch began. */
  readonly from: BlobPlace;
  /** Draws of samples that an earlier run began. */
  readonly samples?: readonly SampleProgress[];
  /** Blobs judged at once; 4 unless told, at most 64. */
  readonly parallel?: number;
  /** Takes an epoch only once the committee before has named it; those without wait. */
  readonly needsHandovers?: boolean;
  /** Ends when everything that is confirmed by now is judged. */
  readonly isOnce?: boolean;
  /** Time between looks at the chain; 2,000 unless told. */
  readonly pollMs?: number;
  /** Told of an outage that is waited for. */
  readonly onWait?: (error: unknown) => void;
}

/** What became of one confirmed blob. */
export type RunReport = {
  readonly blob: ConfirmedBlob;
} & (
  | { readonly kind: 'judged'; readonly certified: CertifiedBlob; readonly verdict: SampleVerdict }
  /** Not asked for: `VOID`, `EXPIRED`, `BEFORE_TRUST` for one older than what is trusted, `UNTOLD` for one that the chain does not tell. */
  | { readonly kind: 'skipped'; readonly reason: 'VOID' | 'EXPIRED' | 'BEFORE_TRUST' | 'UNTOLD' }
  /** The chain took it, and its certificate does not hold here: chain and epochs contradict each other. */
  | { readonly kind: 'refused'; readonly error: Fault }
);

/**
 * The order of a light client's work: epochs, as far as the chain has sealed them, each by its
 * committee's handover where a signer has it; then each confirmed
 * blob in turn: its certificate, then rows of a private draw, then a verdict. Reports come in the
 * chain's order; a blob counts as judged once its report was taken, so that a run that goes on from a
 * checkpoint leaves none out.
 *
 * An endpoint that is away is waited for. The run ends with the signal's reason, after everything with
 * `isOnce`, or with a fault of trust.
 *
 * @throws {TrustError} TRUST_EXPIRED where the newest known committee is not believed any more,
 *   TRUST_CHAIN_DIFFERS, TRUST_WITNESS_DIFFERS; {ChainError} CHAIN_BAD_PROOF; what the store throws
 */
export async function* runLightClient<Block extends RunBlock>(
  deps: RunDeps<Block>,
  options: RunOptions,
): AsyncGenerator<RunReport, void, void> {
  const { signal, isOnce = false, pollMs = DEFAULT_POLL_MS } = options;
  const run = new Run(deps, options);
  for (;;) {
    signal.throwIfAborted();
    try {
      yield* run.catchUp();
      if (isOnce) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isOutage(error)) throw error;
      options.onWait?.(error);
    }
    await deps.clock.sleep(pollMs, signal);
  }
}

class Run<Block extends RunBlock> {
  readonly #deps: RunDeps<Block>;
  readonly #signal: AbortSignal;
  readonly #parallel: number;
  readonly #needsHandovers: boolean;
  readonly #samples: Map<string, SampleProgress>;
  readonly #saves = new Semaphore({ limit: 1, maxWaiting: 2 * MAX_OPEN_SAMPLES });
  #next: BlobPlace;

  constructor(
    deps: RunDeps<Block>,
    { signal, from, samples = [], parallel = DEFAULT_PARALLEL, needsHandovers = false }: RunOptions,
  ) {
    if (parallel > MAX_OPEN_SAMPLES) {
      throw new RangeError(`at most ${MAX_OPEN_SAMPLES} blobs are judged at once, not ${parallel}`);
    }
    this.#deps = deps;
    this.#signal = signal;
    this.#parallel = parallel;
    this.#needsHandovers = needsHandovers;
    this.#samples = new Map(samples.map((progress) => [nameOf(progress), progress]));
    this.#next = from;
  }

  /** Everything up to the newest final block. */
  async *catchUp(): AsyncGenerator<RunReport, void, void> {
    const signal = this.#signal;
    const { chain } = this.#deps;
    const block = await chain.finalBlock({ signal });
    await this.#followEpochs(block);
    const blobs = chain.blobsFrom(this.#next, block, { signal });
    const judge = (blob: ConfirmedBlob, inner: AbortSignal) => this.#judge(blob, block, inner);
    const reports = mapConcurrent(this.#unjudged(blobs), judge, {
      parallel: this.#parallel,
      signal,
    });
    for await (const report of reports) {
      yield report;
      await this.#pass(report.blob);
    }
    this.#next = { ...this.#next, block: Math.max(this.#next.block, block.number + 1) };
  }

  async #followEpochs(block: Block): Promise<void> {
    const { client, chain } = this.#deps;
    const signal = this.#signal;
    client.assertBelieved();
    const { epoch } = headOf(client.trust).committee.office;
    const offers = await chain.epochsAfter(epoch, block, { signal });
    for (const offer of offers) {
      try {
        if (!(await this.#takeHandover(offer.header.epoch)) && this.#needsHandovers) break;
        client.acceptSealed(offer); // changes nothing where its committee has named the same
      } catch (error) {
        if (isFault(error, 'TRUST_IN_FUTURE')) break; // sealed ahead of its time: later
        throw error;
      }
    }
    if (offers.length > 0) await this.#save(signal);
  }

  /** Takes an epoch from the committee before it, where a signer has its handover. */
  async #takeHandover(epoch: number): Promise<boolean> {
    const { client, chain, transport } = this.#deps;
    const signal = this.#signal;
    if (transport === undefined) return false;
    const offer = await findHandover(epoch, await chain.sockets({ signal }), transport, { signal });
    if (offer === undefined) return false;
    const { members } = await chain.quorum({ epoch: epoch - 1, quorumId: 0 }, { signal });
    try {
      client.accept({ ...offer, members });
      return true;
    } catch (error) {
      // Whoever sent it may have made it up; two that are signed end everything.
      if (isFault(error, 'TRUST_CONFLICT') || isFault(error, 'TRUST_IN_FUTURE')) throw error;
      if (error instanceof Fault) return false;
      throw error;
    }
  }

  async *#unjudged(blobs: AsyncIterable<ConfirmedBlob>): AsyncGenerator<ConfirmedBlob, void, void> {
    const { daIndex, leafIndex } = this.#next;
    for await (const blob of blobs) {
      const isBefore =
        blob.daIndex < daIndex || (blob.daIndex === daIndex && blob.leafIndex < leafIndex);
      if (!isBefore) yield blob;
    }
  }

  async #judge(blob: ConfirmedBlob, block: Block, signal: AbortSignal): Promise<RunReport> {
    const reason = this.#reasonToSkip(blob);
    if (reason !== undefined || blob.content === undefined) {
      return { kind: 'skipped', blob, reason: reason ?? 'UNTOLD' };
    }
    const { chain, client } = this.#deps;
    const certified = await this.#verify(blob, blob.content.certificate, block, signal);
    if (certified instanceof Fault) return { kind: 'refused', blob, error: certified };
    const sample = nameOf({ ...blob, commitment: rootOf(certified.blob.commitment) });
    const progress = this.#samples.get(sample);
    const verdict = await client.sample(certified, await chain.sockets({ signal }), {
      signal,
      ...(progress === undefined ? {} : { progress }),
      onProgress: async (now) => {
        const isBegun = this.#samples.has(sample);
        this.#samples.set(sample, now);
        if (!isBegun) await this.#save(signal); // the draw; rows that came may be asked for again
      },
    });
    return { kind: 'judged', blob, certified, verdict };
  }

  #reasonToSkip({
    content,
    epoch,
  }: ConfirmedBlob): 'VOID' | 'EXPIRED' | 'BEFORE_TRUST' | undefined {
    const { client, clock } = this.#deps;
    if (content?.isVoid === true) return 'VOID';
    const [oldest] = client.trust.epochs;
    if (oldest !== undefined && epoch < oldest.committee.office.epoch) return 'BEFORE_TRUST';
    const expiry = content?.header.expirySeconds ?? Number.POSITIVE_INFINITY;
    return expiry * 1000 <= clock.now() ? 'EXPIRED' : undefined;
  }

  /** Against the epochs that are known, and against the chain's state where it is too late for that alone. */
  async #verify(
    { root, leafIndex, epoch, quorumId }: ConfirmedBlob,
    certificate: Uint8Array,
    block: Block,
    signal: AbortSignal,
  ): Promise<CertifiedBlob | Fault> {
    const { client, chain } = this.#deps;
    const offer = { certificate, ...(await chain.quorum({ epoch, quorumId }, { signal })) };
    try {
      return client.verify(offer);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!isFault(error, 'CERTIFICATE_TOO_OLD')) return error;
      if (!(await chain.isCounted({ root, leafIndex }, block, { signal }))) return error;
    }
    return client.verify(offer, { isConfirmed: true });
  }

  /** Its report was taken: the next run begins after it. */
  async #pass(blob: ConfirmedBlob): Promise<void> {
    const { daIndex, leafIndex, block, content } = blob;
    this.#next = { daIndex, leafIndex: leafIndex + 1, block };
    const commitment = content?.header.commitment;
    if (commitment !== undefined) {
      this.#samples.delete(nameOf({ ...blob, commitment: rootOf(commitment) }));
    }
    await this.#save(this.#signal);
  }

  async #save(signal: AbortSignal): Promise<void> {
    const { store, client } = this.#deps;
    if (store === undefined) return;
    await this.#saves.run(async () => {
      const checkpoint = {
        trust: client.trust,
        next: this.#next,
        samples: [...this.#samples.values()],
      };
      await store.save(checkpoint, { signal });
    }, signal);
  }
}

/** What tells samples apart: a blob may be held by several quorums. */
function nameOf({
  commitment,
  epoch,
  quorumId,
}: Pick<SampleProgress, 'commitment' | 'epoch' | 'quorumId'>): string {
  return `${commitment}/${epoch}/${quorumId}`;
}

/** Whether an endpoint is away, busy or between two blocks, so that asking again can help. */
function isOutage(error: unknown): boolean {
  const codes = [
    'CHAIN_UNREACHABLE',
    'CHAIN_BAD_REPLY',
    'CHAIN_LOGS_INCONSISTENT',
    'CHAIN_BLOCK_UNKNOWN',
  ];
  return error instanceof Fault && codes.includes(error.code);
}
