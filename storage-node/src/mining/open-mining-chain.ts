import { join } from 'node:path';
import { ChainError, createChainClient, createTransactionSender } from '@cairn/chain-access';
import {
  openMine,
  readBeneficiary,
  readPayments,
  readSealContext,
  readWorkerContext,
  requestMinerId,
  submitAnswer,
} from '@cairn/chain-access/pora';
import { openLevelStore } from '@cairn/node-runtime/level';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type Address, type Clock, type Logger, toHex } from '@cairn/primitives';
import { readAccount } from '../read-account.ts';
import type { MiningConfig } from './config.ts';
import { MiningError } from './errors.ts';
import type { MiningChain } from './ports.ts';

/** An answer takes 380,000 to 430,000. */
const ANSWER_GAS = 500_000n;

/** Where the contracts are, and whose account acts. */
export interface OpenMiningChainOptions {
  readonly rpcUrl: string;
  readonly flow: Address;
  readonly pollMs: number;
  readonly mining: MiningConfig;
  /** The journal of transactions lies in `mining/` below it. */
  readonly dataDirectory: string;
}

/**
 * Opens the mining contracts with the account of the key file.
 *
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {MiningError} MINER_KEY; {KeyError};
 * {MineError}; {ChainError}
 */
export async function openMiningChain(
  options: OpenMiningChainOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<MiningChain> {
  const { rpcUrl, mining, flow, dataDirectory } = options;
  const signer = await readAccount(
    mining,
    (file) =>
      new MiningError(
        { code: 'MINER_KEY', file },
        `${file} does not hold a private key of 64 hex digits; a keystore needs mining.account_password`,
      ),
    signal,
  );
  const client = createChainClient({ rpcUrl, clock, transport: createNodeTransport() });
  const closers = [() => client.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const mine = await openMine(client, { mine: mining.contract, flow }, { signal });
    const chainId = await client.chainId({ signal });
    const journal = await openLevelStore({ directory: join(dataDirectory, 'mining') });
    closers.push(() => journal.close());
    const pollMs = Math.max(10, options.pollMs);
    const { maxFeePerGasWei } = mining;
    const fees = maxFeePerGasWei === undefined ? {} : { maxFeePerGasWei };
    const sender = createTransactionSender({
      client,
      signer,
      journal,
      chainId,
      logger,
      pollMs,
      ...fees,
    });
    const caller = { mine, sender };
    return {
      account: signer.address,
      funds: async (inner) => {
        const [balanceWei, gasPriceWei, waitingWei] = await Promise.all([
          client.getBalance(signer.address, inner),
          client.gasPrice(inner),
          readPayments(mine, signer.address, inner),
        ]);
        return { balanceWei, answerWei: ANSWER_GAS * gasPriceWei, waitingWei };
      },
      workerContext: (minerId, inner) => readWorkerContext(mine, minerId, inner),
      sealContext: async (sector, inner) => {
        try {
          return await readSealContext(mine, sector, inner);
        } catch (error) {
          if (isReverted(error)) return undefined; // no context holds it yet
          throw error;
        }
      },
      beneficiaryOf: (minerId, inner) => readBeneficiary(mine, minerId, inner),
      requestMinerId: (inner) => requestMinerId(caller, { ...inner, intent: 'miner id' }),
      submit: async (answer, hash, inner) => {
        const intent = `answer ${toHex(hash)}`;
        const { receipt, rewardWei } = await submitAnswer(caller, answer, { ...inner, intent });
        return { rewardWei, gasWei: receipt.gasUsed * receipt.gasPriceWei };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function isReverted(error: unknown): boolean {
  if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') return false;
  return error.facts.rpcData !== undefined || /revert/i.test(error.facts.rpcMessage);
}
