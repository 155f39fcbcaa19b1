import { type Address, parseAddress, toHex } from '@cairn/primitives';
import { MessageError } from './errors.ts';

/**
 * Reads packed big-endian fields one after another. What it hands out is a copy, so that a message
 * does not keep alive, or change with, the buffer it came in.
 */
export class BodyReader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  #offset = 0;

  /** @param what - what is read, for messages to people */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  /** @throws {MessageError} MESSAGE_LENGTH if fewer are left */
  bytes(length: number): Uint8Array {
    if (this.left < length) throw this.#lengthFault(this.#offset + length);
    const start = this.#offset;
    this.#offset += length;
    return new Uint8Array(this.#bytes.subarray(start, this.#offset));
  }

  /** An unsigned number of up to 8 bytes. @throws {MessageError} MESSAGE_LENGTH */
  wide(length: number): bigint {
    let value = 0n;
    for (const byte of this.bytes(length)) value = (value << 8n) | BigInt(byte);
    return value;
  }

  /**
   * An unsigned number that a `number` counts exactly.
   *
   * @param field - its name, for messages to people
   * @param max - the most it may be
   * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER
   */
  number(length: number, field: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.wide(length);
    if (value <= BigInt(max)) return Number(value);
    throw new MessageError(
      { code: 'MESSAGE_NUMBER', what: field, value, max: BigInt(max) },
      `${field} of a ${this.#what} is at most ${max}, not ${value}`,
    );
  }

  /** A number in a word of 32 bytes. @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER */
  word(field: string, max: number = Number.MAX_SAFE_INTEGER): number {
    return this.number(32, field, max);
  }

  /** @throws {MessageError} MESSAGE_LENGTH */
  address(): Address {
    return parseAddress(toHex(this.bytes(20)));
  }

  /** @throws {MessageError} MESSAGE_LENGTH if anything is left */
  end(): void {
    if (this.left !== 0) throw this.#lengthFault(this.#offset);
  }

  /** A field that is not what it has to be. */
  refuse(field: string, value: number | bigint): MessageError {
    return new MessageError(
      { code: 'MESSAGE_FIELD', what: field, value: BigInt(value) },
      `${field} of a ${this.#what} cannot be ${value}`,
    );
  }

  #lengthFault(expectedBytes: number): MessageError {
    const actualBytes = this.#bytes.length;
    return new MessageError(
      { code: 'MESSAGE_LENGTH', what: this.#what, expectedBytes, actualBytes },
      actualBytes < expectedBytes
        ? `a ${this.#what} ends after ${actualBytes} bytes, where ${expectedBytes} are needed`
        : `a ${this.#what} has ${actualBytes} bytes, ${actualBytes - expectedBytes} too many`,
    );
  }
}
