import {
  type Clock,
  chainIdOf,
  type HttpTransport,
  type Json,
  MIB,
  systemClock,
  toHex,
} from '@cairn/primitives';
import { decodeResult, encodeCall } from './abi.ts';
import type { BlockTag, CallOptions, CallRequest, ChainClient, LogFilter } from './chain-client.ts';
import { ChainError } from './errors.ts';
import { fetchTransport, originOf } from './fetch-transport.ts';
import { callRpc } from './json-rpc.ts';
import {
  parseBlock,
  parseBlockTransactions,
  parseBytes,
  parseHash,
  parseLogs,
  parseNumber,
  parseQuantity,
  parseReceipt,
  parseTransaction,
} from './parse-replies.ts';

/** Where the chain is and how patiently it is asked. */
export interface ChainClientOptions {
  /** http or https address of the chain's JSON-RPC endpoint. */
  readonly rpcUrl: string;
  /** The machine's unless told. */
  readonly clock?: Clock;
  /** `fetch` unless told. */
  readonly transport?: HttpTransport;
  /** Time for one attempt; 20,000 unless told. */
  readonly timeoutMs?: number;
  /** Attempts at a call whose transport fails; 3 unless told. */
  readonly attempts?: number;
  /** Bytes of a reply; 32 MiB unless told: about 30,000 log records. */
  readonly maxReplyBytes?: number;
  /**
   * For how long the number of the newest block is given again without asking; 0 unless told. For programs of which
   * many parts look at the chain's head, each in its own time.
   */
  readonly headAgeMs?: number;
}

/** A client for one endpoint. Nothing is sent before the first call. */
export function createChainClient(options: ChainClientOptions): ChainClient {
  const { rpcUrl, timeoutMs = 20_000, attempts = 3, maxReplyBytes = 32 * MIB } = options;
  const { headAgeMs = 0 } = options;
  const clock = options.clock ?? systemClock();
  const transport = options.transport ?? fetchTransport();
  const rpc = (method: string, params: readonly Json[], { signal }: CallOptions) =>
    callRpc(method, params, {
      transport,
      url: rpcUrl,
      clock,
      timeoutMs,
      maxReplyBytes,
      attempts,
      signal,
    });
  /** Calls `method` and parses its result, so that no reply passes unread. */
  const ask = async <Result>(
    method: string,
    params: readonly Json[],
    parse: (reply: unknown, method: string) => Result,
    options: CallOptions,
  ): Promise<Result> => parse(await rpc(method, params, options), method);

  let head = 0;
  let freshUntilMs = Number.NEGATIVE_INFINITY;
  const client: ChainClient = {
    endpoint: originOf(rpcUrl),
    clock,
    rpc,
    chainId: async (options) => chainIdOf(await ask('eth_chainId', [], parseNumber, options)),
    blockNumber: async (options) => {
      if (clock.monotonic() < freshUntilMs) return head;
      head = await ask('eth_blockNumber', [], parseNumber, options);
      freshUntilMs = clock.monotonic() + headAgeMs;
      return head;
    },
    getBlock: async (block, options) => {
      const found = await ask('eth_getBlockByNumber', [tagOf(block), false], parseBlock, options);
      if (found !== undefined && typeof block === 'number' && found.number !== block) {
        throw new ChainError(
          {
            code: 'CHAIN_BAD_REPLY',
            method: 'eth_getBlockByNumber',
            reason: `block ${found.number} came for ${block}`,
          },
          `the chain answered block ${found.number} when asked for block ${block}`,
        );
      }
      return found;
    },
    getBlockTransactions: (block, options) =>
      ask('eth_getBlockByNumber', [tagOf(block), true], parseBlockTransactions, options),
    getLogs: (filter, options) => getLogs(filter, options),
    getCode: (address, options) => ask('eth_getCode', [address, 'latest'], parseBytes, options),
    getBalance: (address, options) =>
      ask('eth_getBalance', [address, 'latest'], parseQuantity, options),
    getTransactionCount: (address, block, options) =>
      ask('eth_getTransactionCount', [address, tagOf(block)], parseNumber, options),
    getTransaction: (hash, options) =>
      ask('eth_getTransactionByHash', [hash], parseTransaction, options),
    getReceipt: (hash, options) => ask('eth_getTransactionReceipt', [hash], parseReceipt, options),
    callRaw: (request, options) =>
      ask('eth_call', [requestOf(request), tagOf(options.block ?? 'latest')], parseBytes, options),
    call: async (address, fragment, args, options) => {
      const data = encodeCall(fragment, args);
      return decodeResult(fragment, await client.callRaw({ to: address, data }, options));
    },
    estimateGas: (request, options) =>
      ask('eth_estimateGas', [requestOf(request)], parseQuantity, options),
    gasPrice: (options) => ask('eth_gasPrice', [], parseQuantity, options),
    maxPriorityFee: async (options) => {
      try {
        return await ask('eth_maxPriorityFeePerGas', [], parseQuantity, options);
      } catch (error) {
        if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
        throw error;
      }
    },
    sendRawTransaction: (raw, options) => ask('eth_sendRawTransaction', [raw], parseHash, options),
    close: () => transport.close(),
  };

  async function getLogs(filter: LogFilter, options: CallOptions) {
    const { address, topic, indexed, fromBlock, toBlock } = filter;
    const range = { fromBlock: tagOf(fromBlock), toBlock: tagOf(toBlock) };
    const topics = indexed === undefined ? [topic] : [topic, indexed];
    try {
      return await ask('eth_getLogs', [{ address, topics, ...range }], parseLogs, options);
    } catch (error) {
      if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') throw error;
      const { rpcMessage } = error.facts;
      throw new ChainError(
        { code: 'CHAIN_LOG_RANGE', fromBlock, toBlock, rpcMessage },
        `the chain refused the logs of ${toBlock - fromBlock + 1} blocks from ${fromBlock}: ${rpcMessage}`,
        { cause: error },
      );
    }
  }
  return client;
}

function tagOf(block: BlockTag): string {
  return typeof block === 'number' ? `0x${block.toString(16)}` : block;
}

function requestOf({ to, data, from, valueWei, gasLimit }: CallRequest): { [key: string]: Json } {
  return {
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
    ...(valueWei === undefined || valueWei === 0n ? {} : { value: `0x${valueWei.toString(16)}` }),
    ...(gasLimit === undefined ? {} : { gas: `0x${gasLimit.toString(16)}` }),
    // `data`, not `input`: every endpoint reads it.
    data: toHex(data),
  };
}
