import {
  type Clock,
  describeError,
  forEachConcurrent,
  type HttpTransport,
  type Json,
  type Logger,
  SingleFlight,
} from '@cairn/primitives';
import {
  callJsonRpc,
  parseZgShardConfig,
  type ShardConfig,
  shardOfZg,
  ZGS,
  type ZgShardedNode,
  zgShardConfigOf,
} from '@cairn/wire-protocol';

/** A storage node that answered. */
export interface KnownNode {
  readonly url: string;
  readonly shard: ShardConfig;
  readonly latencyMs: number;
}

/** What a directory needs. */
export interface NodeDirectoryDeps {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Which nodes an indexer speaks for, and how patiently. */
export interface NodeDirectoryOptions {
  /** Base URLs of the nodes that the operator trusts, at most `MAX_TRUSTED_NODES`. */
  readonly trusted: readonly string[];
  /** How long an answer stands before the nodes are asked again. */
  readonly freshMs: number;
  /** How long a node may take to answer. */
  readonly timeoutMs: number;
}

/** Nodes one indexer asks; each costs a request whenever answers have grown old. */
export const MAX_TRUSTED_NODES = 1024;
/** Nodes asked at once. */
const PARALLEL = 16;

/**
 * Knows which trusted nodes answer and what they keep.
 *
 * Callers that ask together share one round, and a round stands for a while: a node that is down
 * costs its timeout once, not once per caller.
 */
export class NodeDirectory {
  readonly #deps: NodeDirectoryDeps;
  readonly #options: NodeDirectoryOptions;
  readonly #rounds = new SingleFlight<readonly KnownNode[]>();
  readonly #silent = new Set<string>();
  #known: readonly KnownNode[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: NodeDirectoryDeps, options: NodeDirectoryOptions) {
    if (options.trusted.length > MAX_TRUSTED_NODES) {
      throw new RangeError(
        `an indexer speaks for at most ${MAX_TRUSTED_NODES} nodes, not ${options.trusted.length}`,
      );
    }
    this.#deps = deps;
    this.#options = options;
  }

  /** How many nodes it speaks for, answering or not. */
  get size(): number {
    return this.#options.trusted.length;
  }

  /** The nodes that answer, in the order of the configuration. @throws the signal's reason */
  async nodes(signal: AbortSignal): Promise<readonly KnownNode[]> {
    const age = this.#deps.clock.monotonic() - this.#askedAt;
    if (age < this.#options.freshMs) return this.#known;
    return this.#rounds.run('nodes', () => this.#askAll(), signal);
  }

  /**
   * One call to a node, its result unchecked.
   *
   * @throws {RpcError} RPC_ERROR; {TransportError}; the signal's reason
   */
  call(
    url: string,
    method: string,
    params: readonly Json[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const { timeoutMs } = this.#options;
    return callJsonRpc(this.#deps.transport, url, method, params, { signal, timeoutMs });
  }

  /**
   * The same call to several nodes; those that fail are left out.
   *
   * @throws the signal's reason
   */
  async callEach<Result>(
    nodes: readonly KnownNode[],
    method: string,
    params: readonly Json[],
    parse: (result: unknown) => Result,
    signal: AbortSignal,
  ): Promise<{ readonly node: KnownNode; readonly result: Result }[]> {
    const answers = new Map<KnownNode, Result>();
    await forEachConcurrent(
      nodes,
      async (node, inner) => {
        try {
          answers.set(node, parse(await this.call(node.url, method, params, inner)));
        } catch (error) {
          if (inner.aborted) throw error;
          this.#deps.logger.debug(
            { url: node.url, method, reason: describeError(error) },
            'a node did not answer',
          );
        }
      },
      { parallel: PARALLEL, signal },
    );
    return nodes.flatMap((node) =>
      answers.has(node) ? [{ node, result: answers.get(node) as Result }] : [],
    );
  }

  /** A round belongs to nobody's request, so it has its own end: each node's timeout. */
  async #askAll(): Promise<readonly KnownNode[]> {
    const { clock } = this.#deps;
    const { trusted, timeoutMs } = this.#options;
    const answers = new Map<string, KnownNode>();
    await forEachConcurrent(
      trusted,
      async (url) => {
        const startedAt = clock.monotonic();
        try {
          const signal = AbortSignal.timeout(timeoutMs);
          const reply = await this.call(url, ZGS.getShardConfig, [], signal);
          const shard = shardOfZg(parseZgShardConfig(reply));
          answers.set(url, { url, shard, latencyMs: Math.round(clock.monotonic() - startedAt) });
          this.#noteAnswer(url);
        } catch (error) {
          this.#noteSilence(url, error);
        }
      },
      { parallel: PARALLEL, signal: new AbortController().signal },
    );
    this.#known = trusted.flatMap((url) => answers.get(url) ?? []);
    this.#askedAt = clock.monotonic();
    return this.#known;
  }

  #noteAnswer(url: string): void {
    if (this.#silent.delete(url)) this.#deps.logger.info({ url }, 'a trusted node answers again');
  }

  #noteSilence(url: string, error: unknown): void {
    if (this.#silent.has(url)) return;
    this.#silent.add(url);
    this.#deps.logger.warn({ url, reason: describeError(error) }, 'a trusted node does not answer');
  }
}

/** A node as 0G clients read it; trusted nodes are known since time began. */
export function zgShardedNodeOf({ url, shard, latencyMs }: KnownNode): ZgShardedNode {
  return { url, config: zgShardConfigOf(shard), latency: latencyMs, since: 0 };
}
