import {
  type Address,
  fromHex,
  type Hex,
  isHexOf,
  isRecord,
  parseAddress,
} from '@cairn/primitives';
import type { CallOptions, ChainClient } from './chain-client.ts';
import { ChainError } from './errors.ts';

const METHOD = 'eth_getTransactionByHash';

/** What a transaction called, with what. */
export interface TransactionCall {
  /** `undefined` for one that made a contract. */
  readonly to: Address | undefined;
  readonly input: Uint8Array;
}

/**
 * The call in a transaction whose event the endpoint has told.
 *
 * @throws {ChainError} CHAIN_BAD_REPLY where it does not know the transaction; what the client throws
 */
export async function readTransactionCall(
  client: Pick<ChainClient, 'rpc'>,
  transactionHash: Hex,
  options: CallOptions,
): Promise<TransactionCall> {
  const reply = await client.rpc(METHOD, [transactionHash], options);
  const { to, input } = isRecord(reply) ? reply : {};
  if (typeof input === 'string' && /^0x([0-9a-f]{2})*$/i.test(input)) {
    return { to: isHexOf(to, 20) ? parseAddress(to) : undefined, input: fromHex(input) };
  }
  throw new ChainError(
    { code: 'CHAIN_BAD_REPLY', method: METHOD, reason: 'no input' },
    `the endpoint does not know transaction ${transactionHash}, whose event it has`,
  );
}
