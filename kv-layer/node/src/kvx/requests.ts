import { BatchError, type FieldValue, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { isRecord } from '@cairn/primitives';
import { decodeBase64, invalidParam, type JsonRpcRequest, WireError } from '@cairn/wire-protocol';

/** What a question may be asked with: the fields of one object, by name. */
export class KvxRequest {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #isAddress: boolean;

  /** @param fields - of a JSON-RPC call's object, or of an address's query, where all are texts */
  constructor(
    fields: Readonly<Record<string, unknown>>,
    { isAddress = false }: { readonly isAddress?: boolean } = {},
  ) {
    this.#fields = fields;
    this.#isAddress = isAddress;
  }

  /** Of a JSON-RPC call: named parameters, or one object as the only parameter. */
  static of({ params, named }: JsonRpcRequest): KvxRequest {
    const [first] = params;
    return new KvxRequest(named ?? (isRecord(first) ? first : {}));
  }

  /** @throws {RpcError} -32602 */
  stream(): StreamId {
    const text = this.#fields['stream'];
    try {
      return parseStreamId(String(text));
    } catch (error) {
      if (error instanceof BatchError) throw invalidParam('stream', error.message);
      throw error;
    }
  }

  /** Bytes of a key, in base64 of either alphabet. @throws {RpcError} -32602 */
  bytes(name: string): Uint8Array | undefined {
    const value = this.#fields[name];
    return value === undefined ? undefined : bytesOf(name, value);
  }

  /** @throws {RpcError} -32602 if it is missing too */
  requireBytes(name: string): Uint8Array {
    const bytes = this.bytes(name);
    if (bytes === undefined) throw invalidParam(name, 'it is missing');
    return bytes;
  }

  /** @throws {RpcError} -32602 */
  keys(name: string): readonly Uint8Array[] | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const list = typeof value === 'string' ? value.split(',') : value;
    if (!Array.isArray(list)) throw invalidParam(name, 'a list of keys is expected');
    return list.map((key: unknown) => bytesOf(name, key));
  }

  /** @throws {RpcError} -32602 */
  natural(name: string): number | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    throw invalidParam(name, 'a whole number from 0 is expected');
  }

  /** @throws {RpcError} -32602 */
  requireNatural(name: string): number {
    const number = this.natural(name);
    if (number === undefined) throw invalidParam(name, 'it is missing');
    return number;
  }

  /** @throws {RpcError} -32602 */
  flag(name: string): boolean {
    const value = this.#fields[name];
    if (value === undefined || value === false || value === 'false') return false;
    if (value === true || value === 'true' || value === '') return true;
    throw invalidParam(name, 'true or false is expected');
  }

  /** A value that indexes know; text of an address counts as what it is in JSON. @throws {RpcError} -32602 */
  field(name: string): FieldValue | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const read = this.#isAddress && typeof value === 'string' ? scalarOf(value) : value;
    if (typeof read === 'string' || typeof read === 'number' || typeof read === 'boolean')
      return read;
    throw invalidParam(name, 'a text, a number, true or false is expected');
  }

  /** @throws {RpcError} -32602 if it is missing too */
  requireText(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string') return value;
    throw invalidParam(name, 'a text is expected');
  }

  /** One of some words. @throws {RpcError} -32602 */
  word<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value);
    if (found === undefined) throw invalidParam(name, `${words.join(' or ')} is expected`);
    return found;
  }
}

/** Of padded base64, or of the alphabet for addresses with or without padding. */
function bytesOf(name: string, value: unknown): Uint8Array {
  if (typeof value !== 'string') throw invalidParam(name, 'base64 is expected');
  const plain = value.replaceAll('-', '+').replaceAll('_', '/');
  const padded = plain.padEnd(Math.ceil(plain.length / 4) * 4, '=');
  try {
    return decodeBase64(padded);
  } catch (error) {
    if (error instanceof WireError) throw invalidParam(name, 'base64 is expected');
    throw error;
  }
}

/** What a text of an address is in JSON: a number, true, false, or itself. */
function scalarOf(text: string): FieldValue {
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
