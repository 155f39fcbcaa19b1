import { type Address, concatBytes, fromHex, keccak256 } from '@cairn/primitives';

const LARGEST = 2n ** 256n - 1n;
/** The target changes at most by this factor from one period to the next. */
const MAX_STEP = 4n;

/** The newest period of the held lottery, as far as its successor follows from it. */
export interface PeriodResult {
  readonly target: bigint;
  readonly prizes: number;
}

/**
 * The target that a period gets when it is opened: moved from the last one's so that about as many prizes
 * are paid as are wanted.
 *
 * @param elapsed - periods since the last one that was opened, at least 1
 * @see contracts/src/da/HeldLottery.sol, `_nextTarget`
 */
export function nextTarget(
  { target, prizes }: PeriodResult,
  elapsed: number,
  prizesPerPeriod: number,
): bigint {
  const wanted = BigInt(elapsed) * BigInt(prizesPerPeriod);
  const paid = BigInt(prizes);
  if (paid * MAX_STEP < wanted) return atMost(target * MAX_STEP);
  if (paid > wanted * MAX_STEP) return target / MAX_STEP;
  return atMost((target / paid) * wanted);
}

/** Whether a drawn row wins: its line, its holder and its bytes hash to no more than the target. */
export function isWinner(
  {
    line,
    holder,
    row,
  }: { readonly line: Uint8Array; readonly holder: Address; readonly row: Uint8Array },
  target: bigint,
): boolean {
  const hash = keccak256(concatBytes(line, fromHex(holder), row));
  let value = 0n;
  for (const byte of hash) value = (value << 8n) | BigInt(byte);
  return value <= target;
}

function atMost(target: bigint): bigint {
  return target > LARGEST ? LARGEST : target;
}
