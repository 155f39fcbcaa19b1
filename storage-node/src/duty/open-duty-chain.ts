import { join } from 'node:path';
import {
  createChainClient,
  createTransactionSender,
  type TransactionSender,
} from '@cairn/chain-access';
import { openPossession, type Possession } from '@cairn/chain-access/possession';
import { openLevelStore } from '@cairn/node-runtime/level';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import type { Address, ChainId, Clock, Logger } from '@cairn/primitives';
import { readAccount } from '../read-account.ts';
import type { DutyConfig } from './config.ts';
import { DutyError } from './errors.ts';

/** The contract of duties, with the account that keeps them. */
export interface DutyChain {
  readonly possession: Possession;
  readonly sender: TransactionSender;
  close(): Promise<void>;
}

/** Where the contract is, and whose account acts. */
export interface OpenDutyChainOptions {
  readonly rpcUrl: string;
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly pollMs: number;
  readonly duty: DutyConfig;
  /** The journal of transactions lies in `duty/` below it. */
  readonly dataDirectory: string;
}

/**
 * Opens the contract of duties with the account of the key file.
 *
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {DutyError} DUTY_KEY, DUTY_OTHER_LOG;
 * {KeyError}; {ChainError}
 */
export async function openDutyChain(
  options: OpenDutyChainOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<DutyChain> {
  const { rpcUrl, duty, flow, dataDirectory, chainId } = options;
  const signer = await readAccount(
    duty,
    (file) =>
      new DutyError(
        { code: 'DUTY_KEY', file },
        `${file} does not hold a private key of 64 hex digits; a keystore needs duty.account_password`,
      ),
    signal,
  );
  const client = createChainClient({ rpcUrl, clock, transport: createNodeTransport() });
  const closers = [() => client.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const possession = await openPossession(client, duty.contract, { signal });
    requireSame(possession, { chainId, flow });
    const journal = await openLevelStore({ directory: join(dataDirectory, 'duty') });
    closers.push(() => journal.close());
    const { maxFeePerGasWei } = duty;
    const fees = maxFeePerGasWei === undefined ? {} : { maxFeePerGasWei };
    const pollMs = Math.max(10, options.pollMs);
    const lane = { client, signer, journal, chainId, logger, pollMs, ...fees };
    return { possession, sender: createTransactionSender(lane), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function requireSame(
  { chainId, flow, contract }: Possession,
  own: { readonly chainId: ChainId; readonly flow: Address },
): void {
  const expected = `${own.flow} on chain ${own.chainId}`;
  const actual = `${flow} on chain ${chainId}`;
  if (expected === actual) return;
  throw new DutyError(
    { code: 'DUTY_OTHER_LOG', contract: contract.address, expected, actual },
    `the contract of duties ${contract.address} is of the log ${actual}, this node keeps ${expected}`,
  );
}
