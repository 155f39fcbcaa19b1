import { type Address, Fault, type Hex } from '@cairn/primitives';

/** What can go wrong between us and a chain's JSON-RPC endpoint, or with what it says. */
export type ChainFault =
  /** No usable reply after every attempt: connection, timeout, 429 or 5xx. `endpoint` is the URL's origin. */
  | {
      readonly code: 'CHAIN_UNREACHABLE';
      readonly endpoint: string;
      readonly method: string;
      readonly attempts: number;
    }
  /** The endpoint answered with a JSON-RPC error. */
  | {
      readonly code: 'CHAIN_RPC_ERROR';
      readonly method: string;
      readonly rpcCode: number;
      readonly rpcMessage: string;
      /** Revert data as hex, where the endpoint passes it on. */
      readonly rpcData: string | undefined;
    }
  /** The reply is no JSON-RPC reply, or a field of it is not what the method returns. */
  | { readonly code: 'CHAIN_BAD_REPLY'; readonly method: string; readonly reason: string }
  | { readonly code: 'CHAIN_REPLY_TOO_LARGE'; readonly method: string; readonly maxBytes: number }
  /** The endpoint serves another chain. */
  | { readonly code: 'CHAIN_WRONG_ID'; readonly expected: number; readonly actual: number }
  /** There is no code at the address. */
  | { readonly code: 'CHAIN_NO_CONTRACT'; readonly address: Address; readonly chainId: number }
  /** There is code at the address, but it does not answer as a log contract of this generation does. */
  | {
      readonly code: 'CHAIN_WRONG_CONTRACT';
      readonly address: Address;
      readonly chainId: number;
      /** The function that it did not answer. */
      readonly selector: string;
      readonly generation: 'old' | 'unknown';
    }
  /** The endpoint refuses the range of blocks, one block alone included. */
  | {
      readonly code: 'CHAIN_LOG_RANGE';
      readonly fromBlock: number;
      readonly toBlock: number;
      readonly rpcMessage: string;
    }
  /** A log record that the log contract cannot have written. */
  | {
      readonly code: 'CHAIN_BAD_LOG';
      readonly block: number;
      readonly logIndex: number;
      readonly reason: string;
    }
  /** The endpoint has no block with this hash. */
  | { readonly code: 'CHAIN_BLOCK_UNKNOWN'; readonly block: Hex }
  /** What should prove a part of the chain's state does not lead to the root that is trusted. */
  | { readonly code: 'CHAIN_BAD_PROOF'; readonly what: string; readonly reason: string }
  /** Logs of a page that contradict the blocks or each other: missing, repeated or from another fork. */
  | {
      readonly code: 'CHAIN_LOGS_INCONSISTENT';
      readonly fromBlock: number;
      readonly toBlock: number;
      readonly reason: string;
    };

/** The chain cannot be reached, or says what it cannot mean. */
export class ChainError extends Fault<ChainFault> {}

/** Whether waiting and asking again can help: outages and broken replies, not answers. */
export function isOutage(error: unknown): error is ChainError {
  return (
    error instanceof ChainError &&
    (error.code === 'CHAIN_UNREACHABLE' || error.code === 'CHAIN_BAD_REPLY')
  );
}
