import { fromHex } from '@cairn/primitives';
import { RPC_INVALID_PARAMS, type RpcError, rpcError } from '@cairn/wire-protocol';

/** A parameter that is 0x and pairs of hex digits. @throws {RpcError} -32602 */
export function bytesParam(params: readonly unknown[], index: number): Uint8Array {
  const value = requireParam(params, index);
  if (typeof value !== 'string' || !/^0x(?:[0-9a-fA-F]{2})*$/.test(value)) {
    throw invalid(index, 'hex string of whole bytes with 0x prefix expected');
  }
  return fromHex(value as `0x${string}`);
}

/** A parameter that is 0x and the digits of a number of 64 bits. @throws {RpcError} -32602 */
export function wideParam(params: readonly unknown[], index: number): bigint {
  const value = requireParam(params, index);
  if (typeof value !== 'string' || !/^0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,15})$/.test(value)) {
    throw invalid(index, 'hex number of up to 64 bits without leading zeros expected');
  }
  return BigInt(value);
}

/** The same for a number that is counted exactly. @throws {RpcError} -32602 */
export function countParam(params: readonly unknown[], index: number): number {
  const value = wideParam(params, index);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw invalid(index, 'number below 2^53 expected');
}

/** A hash of 32 bytes. @throws {RpcError} -32602 */
export function hashParam(params: readonly unknown[], index: number): Uint8Array {
  const bytes = bytesParam(params, index);
  if (bytes.length === 32) return bytes;
  throw invalid(index, '32 bytes expected');
}

/** @throws {RpcError} -32602 for more parameters than a method has */
export function assertParams(params: readonly unknown[], most: number): void {
  if (params.length <= most) return;
  throw rpcError({
    code: RPC_INVALID_PARAMS,
    message: `too many arguments, want at most ${most}`,
  });
}

function requireParam(params: readonly unknown[], index: number): unknown {
  const value = params[index];
  if (value !== undefined && value !== null) return value;
  throw rpcError({
    code: RPC_INVALID_PARAMS,
    message: `missing value for required argument ${index}`,
  });
}

function invalid(index: number, reason: string): RpcError {
  return rpcError({ code: RPC_INVALID_PARAMS, message: `invalid argument ${index}: ${reason}` });
}
