import { type Address, type ChainId, fromHex, type Hex, isHexOf, toHex } from '@cairn/primitives';
import { SigningKey } from 'ethers/crypto';
import { Transaction } from 'ethers/transaction';
import { addressOf, assertPrivateKey, parsePrivateKey, publicKeyOf } from './private-key.ts';

/** A transaction with everything that its signature covers. Amounts in wei. */
export interface UnsignedTransaction {
  readonly chainId: ChainId;
  readonly nonce: number;
  /** `undefined`: creates a contract. */
  readonly to: Address | undefined;
  readonly data: Uint8Array;
  readonly valueWei: bigint;
  readonly gasLimit: bigint;
  readonly fees: TransactionFees;
}

/** What a transaction offers per gas, in wei. */
export type TransactionFees =
  | {
      readonly kind: 'eip1559';
      readonly maxFeePerGas: bigint;
      readonly maxPriorityFeePerGas: bigint;
    }
  | { readonly kind: 'legacy'; readonly gasPrice: bigint };

/** A transaction ready to be sent. */
export interface SignedTransaction {
  readonly raw: Hex;
  readonly hash: Hex;
}

/** An account that can sign here. Printing it shows the address and nothing else. */
export interface LocalSigner {
  readonly address: Address;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  signTransaction(transaction: UnsignedTransaction): SignedTransaction;
  /** Signature of a 32-byte digest: r ‖ s ‖ v, 65 bytes, v 27 or 28. Sign only what you hashed. */
  signDigest(digest: Uint8Array): Uint8Array;
}

/**
 * A signer that holds its key in memory.
 *
 * @param key - 32 bytes, or 64 hex digits with or without 0x
 * @throws {KeyError} KEY_INVALID
 */
export function signerFromKey(key: Uint8Array | string): LocalSigner {
  const bytes = typeof key === 'string' ? parsePrivateKey(key) : key;
  assertPrivateKey(bytes);
  return new KeySigner(bytes);
}

class KeySigner implements LocalSigner {
  readonly #key: SigningKey;
  readonly address: Address;
  readonly publicKey: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = new SigningKey(toHex(key));
    this.address = addressOf(key);
    this.publicKey = publicKeyOf(key);
  }

  signTransaction(unsigned: UnsignedTransaction): SignedTransaction {
    const { fees } = unsigned;
    const transaction = Transaction.from({
      type: fees.kind === 'eip1559' ? 2 : 0,
      chainId: unsigned.chainId,
      nonce: unsigned.nonce,
      to: unsigned.to ?? null,
      data: toHex(unsigned.data),
      value: unsigned.valueWei,
      gasLimit: unsigned.gasLimit,
      ...(fees.kind === 'eip1559'
        ? { maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas }
        : { gasPrice: fees.gasPrice }),
    });
    transaction.signature = this.#key.sign(transaction.unsignedHash);
    const { serialized, hash } = transaction;
    if (!isHexOf(hash, 32)) throw new Error('a signed transaction has no hash');
    return { raw: toHex(fromHex(serialized)), hash };
  }

  signDigest(digest: Uint8Array): Uint8Array {
    return fromHex(this.#key.sign(toHex(digest)).serialized);
  }

  toString(): string {
    return `signer of ${this.address}`;
  }

  toJSON(): { readonly address: Address } {
    return { address: this.address };
  }
}
