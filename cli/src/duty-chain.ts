import { join } from 'node:path';
import {
  type ChainClient,
  createChainClient,
  createTransactionSender,
  signerFromKey,
  type TransactionSender,
} from '@cairn/chain-access';
import {
  type Duty,
  openPossession,
  type Possession,
  PossessionError,
  readDuty,
} from '@cairn/chain-access/possession';
import { fileJournal } from '@cairn/client-sdk';
import { silentLogger } from '@cairn/primitives';
import { CliError, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { type KeyOptions, requireKey } from './keys.ts';
import { KnownRecords } from './known-records.ts';
import { chooseNetwork, readNetworkFile } from './network-options.ts';

/** Which network's duties, with whose key. */
export interface DutyOptions extends KeyOptions {
  readonly dir?: string;
  readonly endpoints?: string;
  readonly json?: boolean;
}

/** The contract of duties and an account that acts there. */
export interface DutyChain {
  readonly client: ChainClient;
  readonly possession: Possession;
  readonly sender: TransactionSender;
  /** Of the log whose files count. */
  readonly records: KnownRecords;
}

/**
 * Works on a network's duties with a key, one process at a time: what it signed is journalled, and
 * paid once.
 *
 * @param journalName - a journal of its own, for work that goes on while others pay
 * @throws {CliError} CLI_NO_NETWORK, CLI_NOT_FOUND for a network without duties, CLI_NO_KEY; what the
 *   chain throws
 */
export async function withDuties<Result>(
  options: DutyOptions,
  context: CommandContext,
  work: (chain: DutyChain) => Promise<Result>,
  { journalName }: { readonly journalName?: string } = {},
): Promise<Result> {
  const { io, signal } = context;
  const { endpoints, path } = await readNetworkFile(options, io);
  const found = endpoints.chains.find(({ contracts }) => contracts['possession'] !== undefined);
  const address = found?.contracts['possession'];
  if (found === undefined || address === undefined) {
    throw new CliError(
      { code: 'CLI_NOT_FOUND', what: 'possession', network: path },
      `${path} names no contract for duties`,
    );
  }
  const network = await chooseNetwork(options, io);
  const key = await requireKey('act for a duty', options, network.keyFiles, context);
  const directory = network.uploadsDirectory;
  const place = journalName === undefined ? directory : join(directory, journalName);
  const journal = fileJournal(place);
  const client = createChainClient({ rpcUrl: found.rpc });
  const act = async (): Promise<Result> => {
    const possession = await openPossession(client, address, { signal });
    const { chainId, flow } = possession;
    const signer = signerFromKey(key);
    const logger = silentLogger();
    const sender = createTransactionSender({ client, signer, journal, chainId, logger });
    const { finalityBlocks } = possession.terms;
    const path = join(place, `log-${chainId}-${flow}.records`);
    const records = new KnownRecords({ client, flow, finalityBlocks, path });
    return records.trust(() => work({ client, possession, sender, records }));
  };
  try {
    return await journal.exclusive(act, signal);
  } finally {
    await client.close();
  }
}

/** The number of a duty as it was typed. @throws {CliError} CLI_USAGE */
export function parseDuty(text: string): number {
  const id = Number(text);
  if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(id)) return id;
  throw usageError('duty', `a duty is named by its number, not by ${JSON.stringify(text)}`);
}

/** A duty. @throws {PossessionError} POSSESSION_NO_DUTY */
export async function requireDuty(
  { possession }: Pick<DutyChain, 'possession'>,
  id: number,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<Duty> {
  const duty = await readDuty(possession, id, { signal });
  if (duty !== undefined) return duty;
  throw new PossessionError({ code: 'POSSESSION_NO_DUTY', id }, `there is no duty ${id}`);
}
