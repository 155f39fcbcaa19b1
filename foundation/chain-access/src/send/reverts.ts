import type { Address } from '@cairn/primitives';
import { decodeRevert } from '../client/abi.ts';
import type { BlockTag, CallOptions, CallRequest, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { insufficientFunds, TransactionError } from './errors.ts';
import type { TransactionIntent } from './transaction-sender.ts';

/** Gas on top of an estimate, for state that changes before the transaction is in a block. */
const GAS_MARGIN_PERCENT = 25n;
const GAS_MARGIN = 20_000n;

/**
 * The gas limit for an intent: what its caller knows to be enough, if a call with it goes through; else
 * the chain's estimate, a quarter and 20,000, and what the caller says may fall due.
 *
 * @throws {TransactionError} TX_REVERTED if the contract refuses it now, TX_INSUFFICIENT_FUNDS
 */
export async function estimateGasLimit(
  client: ChainClient,
  from: Address,
  request: TransactionIntent,
  options: CallOptions,
): Promise<bigint> {
  const { to, data, valueWei, enoughGas, spareGas = 0n } = request;
  if (enoughGas !== undefined) {
    const tried = { from, to, data, valueWei, gasLimit: enoughGas };
    if (await goesThrough(client, tried, options)) return enoughGas;
  }
  try {
    const gas = await client.estimateGas({ from, to, data, valueWei }, options);
    return gas + (gas * GAS_MARGIN_PERCENT) / 100n + GAS_MARGIN + spareGas;
  } catch (error) {
    if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') throw error;
    const { rpcMessage, rpcData } = error.facts;
    if (/insufficient (funds|balance)/i.test(rpcMessage)) {
      const balanceWei = await client.getBalance(from, options);
      throw insufficientFunds(from, balanceWei, valueWei);
    }
    if (rpcData === undefined && !/revert/i.test(rpcMessage)) throw error;
    throw reverted(request, undefined, rpcData, rpcMessage);
  }
}

/** Whether a call goes through now. @throws {ChainError} if the endpoint cannot say */
async function goesThrough(
  client: ChainClient,
  call: CallRequest,
  options: CallOptions,
): Promise<boolean> {
  try {
    await client.callRaw(call, options);
    return true;
  } catch (error) {
    if (error instanceof ChainError && error.facts.code === 'CHAIN_RPC_ERROR') return false;
    throw error;
  }
}

/** The fault of an intent that the contract refused, with the reason decoded. */
export function reverted(
  { intent, errors = [] }: TransactionIntent,
  transactionHash: string | undefined,
  revertData: string | undefined,
  rpcMessage: string | undefined,
): TransactionError {
  const { name, args, text } = decodeRevert(revertData, [...errors, []]);
  const said = rpcMessage?.replace(/^.*revert(ed)?:?\s*/i, '') ?? '';
  const reason = name === undefined && said.length > 0 && said !== '0x' ? said : text;
  return new TransactionError(
    {
      code: 'TX_REVERTED',
      intent,
      transactionHash,
      errorName: name,
      errorArgs: args,
      reason,
    },
    transactionHash === undefined
      ? `the contract would refuse the transaction: ${reason}`
      : `the contract refused transaction ${transactionHash}: ${reason}`,
  );
}

/** Revert data of a call tried again as of `block`; `undefined` if it does not revert there. */
export async function revertDataOf(
  client: ChainClient,
  request: CallRequest,
  block: BlockTag,
  options: CallOptions,
): Promise<{ readonly data: string | undefined; readonly message: string | undefined }> {
  try {
    await client.callRaw(request, { ...options, block });
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    if (error.facts.code === 'CHAIN_RPC_ERROR') {
      return { data: error.facts.rpcData, message: error.facts.rpcMessage };
    }
  }
  return { data: undefined, message: undefined };
}
