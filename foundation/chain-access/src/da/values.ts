import { type Address, fromHex, isHexOf, parseAddress } from '@cairn/primitives';
import type { Result } from 'ethers/abi';

/**
 * Values that a contract returned or announced, each checked to be what the reader takes it for.
 *
 * Every method takes the value's name, or its place where it has none, and throws {TypeError} for
 * another kind of value: an ABI that does not belong to the reader, which no chain can cause.
 */
export class Values {
  readonly #result: Result;

  constructor(result: Result) {
    this.#result = result;
  }

  /** Values there are. */
  get length(): number {
    return this.#result.length;
  }

  /** An integer of any size. */
  wide(key: string | number): bigint {
    const value = this.#value(key);
    if (typeof value === 'bigint') return value;
    throw mistaken(key, 'an integer');
  }

  /**
   * An integer that a `number` counts exactly; the largest such for anything above, which contracts
   * write where they mean never.
   */
  number(key: string | number): number {
    const value = this.wide(key);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  flag(key: string | number): boolean {
    const value = this.#value(key);
    if (typeof value === 'boolean') return value;
    throw mistaken(key, 'true or false');
  }

  address(key: string | number): Address {
    const value = this.#value(key);
    if (isHexOf(value, 20)) return parseAddress(value);
    throw mistaken(key, 'an address');
  }

  /** Bytes of any number. */
  bytes(key: string | number): Uint8Array {
    return fromHex(this.text(key));
  }

  text(key: string | number): string {
    const value = this.#value(key);
    if (typeof value === 'string') return value;
    throw mistaken(key, 'text or bytes');
  }

  /** Text that whoever sent it may have garbled: `undefined` where it is no UTF-8. */
  foreignText(key: string): string | undefined {
    try {
      return this.text(key);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return undefined; // the decoder's fault for bytes that are no text, kept until they are asked for
    }
  }

  /** The values of a struct or list. */
  inner(key: string | number): Values {
    const value = this.#value(key);
    if (Array.isArray(value)) return new Values(value as Result);
    throw mistaken(key, 'a struct or list');
  }

  #value(key: string | number): unknown {
    return typeof key === 'number' ? this.#result[key] : this.#result.getValue(key);
  }
}

function mistaken(key: string | number, what: string): TypeError {
  return new TypeError(`the contract's ${key} is not ${what}: the ABI is another one`);
}
