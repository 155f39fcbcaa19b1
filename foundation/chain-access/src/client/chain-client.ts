import type { Address, ChainId, Clock, Hex, Json } from '@cairn/primitives';
import type {
  ChainBlock,
  ChainTransaction,
  LogRecord,
  TransactionReceipt,
} from './parse-replies.ts';

/** Every call takes a signal; its reason is thrown once it aborts. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** A block by height, or by what the endpoint calls it. */
export type BlockTag = number | 'latest' | 'pending' | 'safe' | 'finalized' | 'earliest';

/** Which events to read; both ends included. */
export interface LogFilter {
  readonly address: Address;
  /** Hash of the event's signature, 32 bytes; several for events of any of these kinds. */
  readonly topic: Hex | readonly Hex[];
  /** The event's first indexed value as a word of 32 bytes; any unless told. */
  readonly indexed?: Hex;
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** A call that changes nothing, or a transaction before it is signed. */
export interface CallRequest {
  /** `undefined`: creates a contract. */
  readonly to: Address | undefined;
  readonly data: Uint8Array;
  readonly from?: Address;
  readonly valueWei?: bigint;
  /** Gas that it may take; as much as the endpoint allows unless told. */
  readonly gasLimit?: bigint;
}

/**
 * One chain behind one JSON-RPC endpoint.
 *
 * Replies are parsed, bounded in size and time, and transport faults are tried again. Every method
 * throws {ChainError} CHAIN_UNREACHABLE, CHAIN_RPC_ERROR, CHAIN_BAD_REPLY or CHAIN_REPLY_TOO_LARGE,
 * or the signal's reason.
 */
export interface ChainClient {
  /** Scheme, host and port of the endpoint; never its path, which may hold an access key. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** Any method; the result as it came, for the caller to parse. */
  rpc(method: string, params: readonly Json[], options: CallOptions): Promise<unknown>;
  chainId(options: CallOptions): Promise<ChainId>;
  /** Height of the newest block. */
  blockNumber(options: CallOptions): Promise<number>;
  /** `undefined` if the endpoint has no such block (yet). */
  getBlock(block: BlockTag, options: CallOptions): Promise<ChainBlock | undefined>;
  getBlockTransactions(block: number, options: CallOptions): Promise<readonly ChainTransaction[]>;
  /** In the endpoint's order. Also throws {ChainError} CHAIN_LOG_RANGE where one block alone is refused. */
  getLogs(filter: LogFilter, options: CallOptions): Promise<readonly LogRecord[]>;
  /** Empty where there is no contract. */
  getCode(address: Address, options: CallOptions): Promise<Uint8Array>;
  /** Wei. */
  getBalance(address: Address, options: CallOptions): Promise<bigint>;
  /** Transactions the account has sent as of `block`: its next nonce. */
  getTransactionCount(address: Address, block: BlockTag, options: CallOptions): Promise<number>;
  getTransaction(hash: Hex, options: CallOptions): Promise<ChainTransaction | undefined>;
  /** `undefined` while no block holds the transaction. */
  getReceipt(hash: Hex, options: CallOptions): Promise<TransactionReceipt | undefined>;
  /** Raw result of a call as of `block` (latest unless told). */
  callRaw(
    request: CallRequest,
    options: CallOptions & { readonly block?: BlockTag },
  ): Promise<Uint8Array>;
  /**
   * Calls a function and decodes its result.
   *
   * @param fragment - human-readable ABI, such as `function market() view returns (address)`
   * @returns the values in order; integers as bigint, bytes and addresses as hex
   */
  call(
    address: Address,
    fragment: string,
    args: readonly unknown[],
    options: CallOptions & { readonly block?: BlockTag },
  ): Promise<readonly unknown[]>;
  estimateGas(request: CallRequest, options: CallOptions): Promise<bigint>;
  /** Wei per gas. */
  gasPrice(options: CallOptions): Promise<bigint>;
  /** Wei per gas; `undefined` where the endpoint does not know the method. */
  maxPriorityFee(options: CallOptions): Promise<bigint | undefined>;
  /** Hands a signed transaction to the endpoint. @returns its hash */
  sendRawTransaction(raw: Hex, options: CallOptions): Promise<Hex>;
  close(): Promise<void>;
}
