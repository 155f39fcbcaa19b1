import { isFault } from '@cairn/primitives';
import {
  type JsonRpcError,
  jsonRpcErrorOf,
  problemOf,
  RPC_SERVER_ERROR,
  RpcError,
} from '@cairn/wire-protocol';

/**
 * What Arbitrum nodes look for in the text of an error. Sources: `daprovider/util.go` and
 * `daprovider/writer.go` of Nitro.
 */
export const NITRO_TEXTS = {
  /** The batch is taken for one that holds nothing, by every node alike. */
  invalid: 'certificate validation failed',
  /** The poster tries the next provider, or the parent chain. */
  fallBack: 'DA provider requests fallback to next writer',
  /** The poster makes a shorter batch. */
  tooLarge: 'message too large for current DA backend',
} as const;

/** A store that came to nothing, and not for what was sent: the poster should go elsewhere. */
export class FallBack extends Error {}

/** Faults that a shorter message would not have. */
const SIZE_CODES: readonly string[] = ['NITRO_MESSAGE_SIZE', 'BLOB_TOO_LARGE'];

/** The error member for what a call threw. */
export function nitroErrorOf(error: unknown): JsonRpcError {
  if (error instanceof RpcError) return jsonRpcErrorOf(error);
  return { code: RPC_SERVER_ERROR, message: textOf(error) };
}

function textOf(error: unknown): string {
  if (error instanceof FallBack) return `${NITRO_TEXTS.fallBack}: ${problemOf(error.cause).detail}`;
  const { detail } = problemOf(error);
  if (isFault(error, 'NITRO_CERTIFICATE')) return `${NITRO_TEXTS.invalid}: ${detail}`;
  const isTooLarge = SIZE_CODES.some((code) => isFault(error, code));
  return isTooLarge ? `${NITRO_TEXTS.tooLarge}: ${detail}` : detail;
}
