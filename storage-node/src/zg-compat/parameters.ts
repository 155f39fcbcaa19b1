import { isHexOf, parseRoot, type Root, type Sequence, sequenceOf } from '@cairn/primitives';
import { invalidParams } from '@cairn/wire-protocol';

/** Parameters of one call, by place. Trailing ones may be missing if the method allows it. */
export class ZgParameters {
  readonly #values: readonly unknown[];

  /** @throws {RpcError} -32602 if there are more than `count` */
  constructor(values: readonly unknown[], count: number) {
    if (values.length > count) {
      throw invalidParams(`expected at most ${count} parameters, got ${values.length}`);
    }
    this.#values = values;
  }

  /** Parameter `place` as it came; `undefined` if it is missing. */
  at(place: number): unknown {
    return this.#values[place];
  }

  /** A root, in either case. @throws {RpcError} -32602 */
  root(place: number): Root {
    const value = this.#values[place];
    if (!isHexOf(value, 32)) throw this.#wrong(place, '0x and 64 hex digits');
    return parseRoot(value);
  }

  /** A whole number from 0. @throws {RpcError} -32602 */
  natural(place: number): number {
    const value = this.#values[place];
    if (!isNatural(value)) throw this.#wrong(place, 'an integer from 0');
    return value;
  }

  /** A sequence. @throws {RpcError} -32602 */
  sequence(place: number): Sequence {
    return sequenceOf(this.natural(place));
  }

  /** @throws {RpcError} -32602 */
  boolean(place: number): boolean {
    const value = this.#values[place];
    if (typeof value !== 'boolean') throw this.#wrong(place, 'true or false');
    return value;
  }

  #wrong(place: number, expected: string): Error {
    const value = this.#values[place];
    const actual = value === undefined ? 'nothing' : value === null ? 'null' : typeof value;
    return invalidParams(`invalid type: ${actual}, expected ${expected} at parameter ${place}`);
  }
}

/** Whether a JSON value is an unsigned integer that a number holds exactly. */
export function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
