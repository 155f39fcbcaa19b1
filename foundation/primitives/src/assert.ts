/** @throws {RangeError} unless `value` is an integer from 1 to 2^53 − 1 */
export function assertPositiveInteger(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a positive integer, not ${value}`);
  }
}

/** @throws {RangeError} unless `value` is an integer from 0 to 2^53 − 1 */
export function assertNatural(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer from 0, not ${value}`);
  }
}

/** The smallest power of two that is at least `value` (1 … 2^52). */
export function nextPowerOfTwo(value: number): number {
  assertPositiveInteger(value, 'value');
  let power = 1;
  while (power < value) power *= 2;
  return power;
}

/** Whether `value` is 1, 2, 4, … */
export function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && nextPowerOfTwo(value) === value;
}

/** Marks a branch that the types exclude. @throws {Error} always */
export function unreachable(value: never, what: string): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}
