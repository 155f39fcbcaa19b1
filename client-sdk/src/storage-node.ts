import {
  type Address,
  type ChainId,
  type HttpTransport,
  type Json,
  parseJson,
  type Root,
  type Sequence,
  TransportError,
  utf8Text,
} from '@cairn/primitives';
import {
  callJsonRpc,
  parseNodeStatus,
  parseZgFileInfo,
  parseZgShardConfig,
  parseZgStatus,
  type ShardConfig,
  STATUS_PATH,
  shardOfZg,
  ZGS,
  type ZgFileInfo,
} from '@cairn/wire-protocol';

/** Bytes of a status or stat reply; a stat of 1,000 entries with long tags is the largest. */
const MAX_STATUS_BYTES = 64 * 1024;

/** How a node is spoken to: through Cairn's binary doors, or in 0G's JSON-RPC alone. */
export type NodeKind = 'cairn' | 'zg';

/** What a node says about itself. */
export interface NodeDescription {
  readonly kind: NodeKind;
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly shard: ShardConfig;
}

/** How long a call waits for a node, and when it stops. */
export interface NodeCallOptions {
  readonly signal: AbortSignal;
}

/** What every request to a node needs. */
export interface NodeDeps {
  readonly transport: HttpTransport;
  /** Time for a reply's head to arrive. */
  readonly timeoutMs: number;
}

/** One storage node: what any node of a 0G network answers, each reply checked and bounded. */
export class StorageNode {
  readonly url: string;
  readonly deps: NodeDeps;
  #kind: NodeKind | undefined;

  constructor(url: string, deps: NodeDeps) {
    this.url = url.replace(/\/+$/, '');
    this.deps = deps;
  }

  /**
   * Asks a node what it is. Whether it is one of ours is remembered, its shard is not: nodes that
   * fill up halve their shard.
   *
   * @throws {TransportError} and {WireError} from either door
   */
  async describe(options: NodeCallOptions): Promise<NodeDescription> {
    if (this.#kind !== 'zg') {
      const own = await this.#describeOwn(options);
      if (own !== undefined) {
        this.#kind = 'cairn';
        return own;
      }
    }
    const [status, shard] = await Promise.all([
      this.rpc(ZGS.getStatus, [], options).then(parseZgStatus),
      this.rpc(ZGS.getShardConfig, [], options).then(parseZgShardConfig),
    ]);
    this.#kind = 'zg';
    const { chainId, flowAddress } = status.networkIdentity;
    return { kind: 'zg', chainId, flow: flowAddress, shard: shardOfZg(shard) };
  }

  async #describeOwn({ signal }: NodeCallOptions): Promise<NodeDescription | undefined> {
    const { transport, timeoutMs } = this.deps;
    const url = `${this.url}${STATUS_PATH}`;
    const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
    if (reply.status !== 200) {
      await reply.discard();
      if (reply.status === 503 || this.#kind === 'cairn') throw statusFault(url, reply.status);
      return undefined; // a plain 0G node answers 405
    }
    const bytes = await reply.bytes(MAX_STATUS_BYTES);
    if (!(reply.headers['content-type'] ?? '').startsWith('application/json')) return undefined;
    const { chainId, flow, shard } = parseNodeStatus(parseJson(utf8Text(bytes)));
    return { kind: 'cairn', chainId, flow, shard };
  }

  /** The entry of a root; `undefined` if the node knows none that is not pruned. */
  async fileInfo(root: Root, options: NodeCallOptions): Promise<ZgFileInfo | undefined> {
    return infoOf(await this.rpc(ZGS.getFileInfo, [root, true], options));
  }

  /** The entry of a place in the log; `undefined` if the node has not read it yet. */
  async fileInfoAt(sequence: Sequence, options: NodeCallOptions): Promise<ZgFileInfo | undefined> {
    return infoOf(await this.rpc(ZGS.getFileInfoByTxSeq, [sequence], options));
  }

  /** Any method. @throws {RpcError} RPC_ERROR; {TransportError} */
  async rpc(
    method: string,
    params: readonly Json[],
    { signal }: NodeCallOptions,
  ): Promise<unknown> {
    const { transport, timeoutMs } = this.deps;
    return callJsonRpc(transport, this.url, method, params, { signal, timeoutMs });
  }
}

/** A status that is no answer. */
export function statusFault(url: string, status: number): TransportError {
  return new TransportError(
    { code: 'TRANSPORT_STATUS', url, status },
    `${url} answers with HTTP status ${status}`,
  );
}

function infoOf(reply: unknown): ZgFileInfo | undefined {
  return reply === null ? undefined : parseZgFileInfo(reply);
}
