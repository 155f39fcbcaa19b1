import { chainIdOf, fromHex, type Hex, parseAddress } from '@cairn/primitives';
import { Transaction } from 'ethers/transaction';
import type { TransactionFees, UnsignedTransaction } from '../keys/signer.ts';

/** What a signed transaction of ours says, with other fees: the next form of the same payment. */
export function withFees(raw: Hex, fees: TransactionFees): UnsignedTransaction {
  const signed = Transaction.from(raw);
  return {
    chainId: chainIdOf(Number(signed.chainId)),
    nonce: signed.nonce,
    to: signed.to === null ? undefined : parseAddress(signed.to),
    data: fromHex(signed.data),
    valueWei: signed.value,
    gasLimit: signed.gasLimit,
    fees,
  };
}

/** The call that a signed transaction of ours makes, to be tried again for its revert reason. */
export function callOf(raw: Hex): Pick<UnsignedTransaction, 'to' | 'data' | 'valueWei'> {
  const signed = Transaction.from(raw);
  return {
    to: signed.to === null ? undefined : parseAddress(signed.to),
    data: fromHex(signed.data),
    valueWei: signed.value,
  };
}
