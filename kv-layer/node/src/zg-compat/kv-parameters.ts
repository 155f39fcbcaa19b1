import { BatchError, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { type Address, isHexOf, parseAddress, type Sequence, sequenceOf } from '@cairn/primitives';
import {
  decodeBase64,
  type JsonRpcRequest,
  RPC_INVALID_PARAMS,
  type RpcError,
  rpcError,
  WireError,
} from '@cairn/wire-protocol';
import { numberOrDecimal, versionOf, withPrefix } from './workarounds.ts';

/** A parameter's name, as the official node calls it. */
export type KvParameter =
  | 'stream_id'
  | 'key'
  | 'start_index'
  | 'len'
  | 'inclusive'
  | 'version'
  | 'account'
  | 'tx_seq'
  | 'wallet'
  | 'signature';

/** Parameters of one call, by place or by name. More than there are names for are ignored. */
export class KvParameters {
  readonly #request: JsonRpcRequest;
  readonly #names: readonly KvParameter[];

  constructor(request: JsonRpcRequest, names: readonly KvParameter[]) {
    this.#request = request;
    this.#names = names;
  }

  /** @throws {RpcError} -32602 */
  stream(): StreamId {
    const text = this.#text('stream_id');
    try {
      return parseStreamId(withPrefix(text));
    } catch (error) {
      if (error instanceof BatchError) throw invalid('stream_id', '32 bytes of hex', text);
      throw error;
    }
  }

  /** Any bytes, none among them: methods say what an empty key means. @throws {RpcError} -32602 */
  key(): Uint8Array {
    const text = this.#text('key');
    try {
      return decodeBase64(text);
    } catch (error) {
      if (error instanceof WireError) throw invalid('key', 'base64', text);
      throw error;
    }
  }

  /** @throws {RpcError} -32602 */
  account(name: 'account' | 'wallet' = 'account'): Address {
    const text = this.#text(name);
    if (!isHexOf(text, 20)) throw invalid(name, 'an address', text);
    return parseAddress(text);
  }

  /** The first byte of a value that is wanted, and how many. @throws {RpcError} -32602 */
  slice(): { readonly start: number; readonly length: number } {
    return { start: this.#natural('start_index'), length: this.#natural('len') };
  }

  /** @throws {RpcError} -32602 */
  isInclusive(): boolean {
    const value = this.#required('inclusive');
    if (typeof value === 'boolean') return value;
    throw invalid('inclusive', 'a boolean', value);
  }

  /** `undefined` for the newest. @throws {RpcError} -32602 */
  version(): { readonly version?: number } {
    const value = this.#value('version');
    if (value === undefined || value === null) return {};
    const version = versionOf(this.#natural('version'));
    return version === undefined ? {} : { version };
  }

  /** `undefined` beyond what there can be. @throws {RpcError} -32602 */
  sequence(): Sequence | undefined {
    const sequence = versionOf(this.#natural('tx_seq'));
    return sequence === undefined ? undefined : sequenceOf(sequence);
  }

  /** 65 bytes, `0x` optional; `undefined` if it is none. @throws {RpcError} -32602 */
  signature(): string {
    return withPrefix(this.#text('signature'));
  }

  #value(name: KvParameter): unknown {
    const { params, named } = this.#request;
    if (named !== undefined) return named[name];
    return params[this.#names.indexOf(name)];
  }

  #required(name: KvParameter): unknown {
    const value = this.#value(name);
    if (value === undefined) {
      throw rpcError({ code: RPC_INVALID_PARAMS, message: 'No more params' });
    }
    return value;
  }

  #text(name: KvParameter): string {
    const value = this.#required(name);
    if (typeof value === 'string') return value;
    throw invalid(name, 'a string', value);
  }

  #natural(name: KvParameter): number {
    const value = numberOrDecimal(this.#required(name));
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw invalid(name, 'u64', value);
  }
}

function invalid(name: KvParameter, expected: string, value: unknown): RpcError {
  const shown =
    typeof value === 'string'
      ? `string ${JSON.stringify(value.slice(0, 80))}`
      : value === null
        ? 'null'
        : typeof value;
  return rpcError({
    code: RPC_INVALID_PARAMS,
    message: `invalid type: ${shown}, expected ${expected} for ${name}`,
  });
}
