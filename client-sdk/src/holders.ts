import {
  type Clock,
  describeError,
  Fault,
  type Logger,
  LruCache,
  mapConcurrent,
  type Root,
} from '@cairn/primitives';
import { cairnDoor } from './cairn-door.ts';
import type { HolderEvidence } from './client.ts';
import type { HolderFailure } from './errors.ts';
import { NodeRefusal } from './node-refusal.ts';
import type { SegmentDoor } from './segment-door.ts';
import { type NodeDeps, type NodeDescription, StorageNode } from './storage-node.ts';
import { zgDoor } from './zg-door.ts';

/** Nodes asked at the same time. */
const ASK_PARALLEL = 16;
/** Nodes a client remembers. */
const MAX_NODES = 4096;
/** How long a node that was caught is not asked, unless told. */
const CONVICTION_MS = 3_600_000;
/** Share of a new measurement in the running latency. */
const LATENCY_WEIGHT = 0.3;
/** What a node is taken to need before it was measured. */
const FIRST_LATENCY_MS = 100;
/** What a node that has just failed is taken to need; measured again when it is tried. */
const FAILURE_LATENCY_MS = 10_000;

/** A node that answered, with the way to move segments to and from it. */
export interface Holder extends NodeDescription {
  readonly url: string;
  readonly node: StorageNode;
  readonly door: SegmentDoor;
}

/** Outcome of asking several nodes the same. */
export interface Answers<Answer> {
  readonly answers: readonly Answer[];
  readonly failures: readonly HolderFailure[];
}

interface Standing {
  readonly node: StorageNode;
  latencyMs: number | undefined;
  requests: number;
}

/**
 * What a client knows about storage nodes: how fast each answers, and which were caught lying.
 *
 * A node whose proof failed is not asked again for an hour, unless told: long enough to end any download, short
 * enough that a gateway that runs for months takes repaired nodes back.
 */
export class HolderBook {
  readonly #deps: NodeDeps & { readonly clock: Clock; readonly logger: Logger };
  readonly #convictionMs: number;
  readonly #standings = new LruCache<string, Standing>({ maxWeight: MAX_NODES });
  /** Until when, on the clock that only grows, each convicted node is not asked. */
  readonly #convicted = new Map<string, number>();

  constructor(
    deps: NodeDeps & { readonly clock: Clock; readonly logger: Logger },
    { convictionMs = CONVICTION_MS }: { readonly convictionMs?: number | undefined } = {},
  ) {
    this.#deps = deps;
    this.#convictionMs = convictionMs;
  }

  /** The node at `url`, the same each time. */
  node(url: string): StorageNode {
    return this.#standing(url).node;
  }

  /** Whether the node was lately caught giving something that its proof contradicts. */
  isConvicted(url: string): boolean {
    const untilMs = this.#convicted.get(url);
    if (untilMs === undefined) return false;
    if (this.#deps.clock.monotonic() < untilMs) return true;
    this.#convicted.delete(url);
    return false;
  }

  /** Takes a node's place away. */
  convict(evidence: HolderEvidence): void {
    const untilMs = this.#deps.clock.monotonic() + this.#convictionMs;
    if (this.#convicted.size < MAX_NODES) this.#convicted.set(evidence.url, untilMs);
    const { url, root, index, code } = evidence;
    this.#deps.logger.warn({ url, root, index, code }, 'a node gave what its proof contradicts');
  }

  /**
   * Runs a request to a node and remembers how long it took. One that ended without an answer,
   * because it failed or another node was faster, counts where it took longer than expected.
   *
   * @param parts - what was asked for at once; the time is divided by it
   */
  async measure<Result>(url: string, request: () => Promise<Result>, parts = 1): Promise<Result> {
    const standing = this.#standing(url);
    const { clock } = this.#deps;
    const startedMs = clock.monotonic();
    const note = (leastMs: number): void => {
      const tookMs = Math.max(leastMs, (clock.monotonic() - startedMs) / parts);
      const before = standing.latencyMs ?? tookMs;
      standing.latencyMs = before + (tookMs - before) * LATENCY_WEIGHT;
    };
    standing.requests += 1;
    try {
      const result = await request();
      note(0);
      return result;
    } catch (error) {
      note(standing.latencyMs ?? FIRST_LATENCY_MS);
      throw error;
    } finally {
      standing.requests -= 1;
    }
  }

  /** A request that failed makes the node the last to be tried for a while. */
  penalise(url: string): void {
    const standing = this.#standing(url);
    standing.latencyMs = Math.max(standing.latencyMs ?? 0, FAILURE_LATENCY_MS);
  }

  /** How long the node probably needs now, in ms: its latency, more while it is busy with us. */
  expectedMs(url: string): number {
    const { latencyMs = FIRST_LATENCY_MS, requests } = this.#standing(url);
    return latencyMs * (1 + requests / 4);
  }

  /** Asks nodes what they are. Convicted ones are not asked. @throws the signal's reason */
  async describe(
    urls: Iterable<string>,
    options: { readonly signal: AbortSignal },
  ): Promise<Answers<Holder>> {
    return this.askAll(
      urls,
      async (node, signal) => this.measure(node.url, () => this.holder(node.url, { signal })),
      options,
    );
  }

  /** Asks one node what it is, convicted or not. @throws as `StorageNode.describe` */
  async holder(url: string, options: { readonly signal: AbortSignal }): Promise<Holder> {
    const node = this.node(url);
    const description = await node.describe(options);
    const door = description.kind === 'cairn' ? cairnDoor(node) : zgDoor(node);
    return { ...description, url: node.url, node, door };
  }

  /** Asks nodes something; those that fail are listed, not thrown. @throws the signal's reason */
  async askAll<Answer>(
    urls: Iterable<string>,
    ask: (node: StorageNode, signal: AbortSignal) => Promise<Answer | undefined>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Answers<Answer>> {
    const different = new Set([...urls].map((url) => url.replace(/\/+$/, '')));
    const asked = [...different].filter((url) => !this.isConvicted(url));
    const answers: Answer[] = [];
    const failures: HolderFailure[] = [];
    const attempt = async (url: string, inner: AbortSignal): Promise<void> => {
      try {
        const answer = await ask(this.node(url), inner);
        if (answer !== undefined) answers.push(answer);
      } catch (error) {
        if (inner.aborted) throw error;
        this.penalise(url);
        failures.push(failureOf(url, error));
      }
    };
    for await (const _ of mapConcurrent(asked, attempt, { parallel: ASK_PARALLEL, signal })) {
      // pulling drives the questions; the answers are collected above
    }
    return { answers, failures };
  }

  #standing(url: string): Standing {
    let standing = this.#standings.get(url);
    if (standing === undefined) {
      standing = { node: new StorageNode(url, this.#deps), latencyMs: undefined, requests: 0 };
      this.#standings.set(url, standing);
    }
    return standing;
  }
}

/** What a request to a node came to, for a fault's list. */
export function failureOf(url: string, error: unknown): HolderFailure {
  const code =
    error instanceof NodeRefusal
      ? error.facts.nodeCode // why it refused, not that it did
      : error instanceof Fault
        ? error.code
        : 'INTERNAL';
  return { url, code, reason: describeError(error).slice(0, 300) };
}

/** Evidence against a node, from the fault that its answer raised. */
export function evidenceOf(url: string, root: Root, error: Fault, index?: number): HolderEvidence {
  const { code, message: reason } = error;
  return { url, root, ...(index === undefined ? {} : { index }), code, reason };
}
