import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import type { TransactionFees } from '../keys/signer.ts';
import { TransactionError } from './errors.ts';

/** A tip where the chain suggests none: 1 gwei. */
const DEFAULT_TIP_WEI = 1_000_000_000n;

/**
 * Fees that get a transaction into one of the next blocks: twice the base fee and the suggested tip,
 * so that six full blocks in a row do not price it out; or the gas price plus a tenth on chains
 * without EIP-1559.
 *
 * @param capWei - wei per gas that may be offered at most
 * @throws {TransactionError} TX_FEE_ABOVE_CAP if the chain asks for more now; what the client throws
 */
export async function suggestFees(
  client: ChainClient,
  capWei: bigint | undefined,
  options: CallOptions,
): Promise<TransactionFees> {
  const block = await client.getBlock('latest', options);
  const baseFee = block?.baseFeePerGas;
  if (baseFee === undefined) {
    const price = await client.gasPrice(options);
    requireBelow(price, capWei);
    return { kind: 'legacy', gasPrice: smaller((price * 11n) / 10n, capWei) };
  }
  requireBelow(baseFee, capWei);
  const tip = (await client.maxPriorityFee(options)) ?? DEFAULT_TIP_WEI;
  const maxFeePerGas = smaller(baseFee * 2n + tip, capWei);
  return { kind: 'eip1559', maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) };
}

/**
 * Fees that replace a transaction still waiting: nodes want at least 10 % more of both parts, this
 * gives 12.5 %, or what the chain suggests now if that is more. `undefined` if the cap forbids it.
 */
export function raiseFees(
  previous: { readonly feePerGas: bigint; readonly tipPerGas: bigint },
  suggested: TransactionFees,
  capWei: bigint | undefined,
): TransactionFees | undefined {
  const least = (amount: bigint): bigint => (amount * 9n + 7n) / 8n + 1n;
  const fee = larger(
    least(previous.feePerGas),
    suggested.kind === 'legacy' ? suggested.gasPrice : suggested.maxFeePerGas,
  );
  if (capWei !== undefined && fee > capWei) return undefined;
  if (suggested.kind === 'legacy') return { kind: 'legacy', gasPrice: fee };
  const tip = larger(least(previous.tipPerGas), suggested.maxPriorityFeePerGas);
  return { kind: 'eip1559', maxFeePerGas: larger(fee, tip), maxPriorityFeePerGas: tip };
}

/** Wei per gas that a transaction can cost at most, and of it the tip. */
export function offered(fees: TransactionFees): {
  readonly feePerGas: bigint;
  readonly tipPerGas: bigint;
} {
  return fees.kind === 'legacy'
    ? { feePerGas: fees.gasPrice, tipPerGas: 0n }
    : { feePerGas: fees.maxFeePerGas, tipPerGas: fees.maxPriorityFeePerGas };
}

function requireBelow(neededWei: bigint, capWei: bigint | undefined): void {
  if (capWei === undefined || neededWei <= capWei) return;
  throw new TransactionError(
    { code: 'TX_FEE_ABOVE_CAP', neededWei, capWei },
    `the chain asks for ${neededWei} wei per gas, the cap is ${capWei}`,
  );
}

function smaller(amount: bigint, cap: bigint | undefined): bigint {
  return cap !== undefined && cap < amount ? cap : amount;
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
