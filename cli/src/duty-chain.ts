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
  explainRefusal,
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

/** Which contract of duties a network names, and how its files are kept. */
export interface DutyPlace {
  readonly possession: Possession;
  readonly client: ChainClient;
  /** Keys that the network brings. */
  readonly keyFiles: readonly string[];
  /** Where payments are journalled. */
  readonly directory: string;
}

/**
 * Looks at a network's duties, without a key.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_NOT_FOUND for a network without duties; what the chain throws
 */
export async function readDuties<Result>(
  options: Pick<DutyOptions, 'dir' | 'endpoints'>,
  { io, signal }: CommandContext,
  work: (place: DutyPlace) => Promise<Result>,
): Promise<Result> {
  const { endpoints, path } = await readNetworkFile(options, io);
  const found = endpoints.chains.find(({ contracts }) => contracts['possession'] !== undefined);
  const address = found?.contracts['possession'];
  if (found === undefined || address === undefined) {
    throw new CliError(
      { code: 'CLI_NOT_FOUND', what: 'possession', network: path },
      `${path} names no contract for duties`,
    );
  }
  const { keyFiles, uploadsDirectory: directory } = await chooseNetwork(options, io);
  const client = createChainClient({ rpcUrl: found.rpc });
  try {
    const possession = await openPossession(client, address, { signal });
    return await work({ possession, client, keyFiles, directory });
  } finally {
    await client.close();
  }
}

/**
 * Works on a network's duties with a key, one process at a time: what it signed is journalled, and
 * paid once.
 *
 * @param journalName - a journal of its own, for work that goes on while others pay
 * @throws {CliError} CLI_NO_KEY; as `readDuties`
 */
export async function withDuties<Result>(
  options: DutyOptions,
  context: CommandContext,
  work: (chain: DutyChain) => Promise<Result>,
  { journalName }: { readonly journalName?: string } = {},
): Promise<Result> {
  return readDuties(options, context, async ({ possession, client, keyFiles, directory }) => {
    const key = await requireKey('act for a duty', options, keyFiles, context);
    const place = journalName === undefined ? directory : join(directory, journalName);
    const journal = fileJournal(place);
    const act = async (): Promise<Result> => {
      const { chainId, flow } = possession;
      const { finalityBlocks } = possession.terms;
      const signer = signerFromKey(key);
      const logger = silentLogger();
      const sender = createTransactionSender({ client, signer, journal, chainId, logger });
      const path = join(place, `log-${chainId}-${flow}.records`);
      const records = new KnownRecords({ client, flow, finalityBlocks, path });
      try {
        return await records.trust(() => work({ client, possession, sender, records }));
      } catch (error) {
        throw explainRefusal(error);
      }
    };
    return journal.exclusive(act, context.signal);
  });
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

/** A duty that the account of the key has begun. @throws {PossessionError} POSSESSION_NO_DUTY, POSSESSION_NOT_OWN, POSSESSION_NOT_STARTED */
export async function requireOwnDuty(
  chain: Pick<DutyChain, 'possession' | 'sender'>,
  id: number,
  context: Pick<CommandContext, 'signal'>,
): Promise<Duty> {
  const duty = await requireDuty(chain, id, context);
  const { provider } = duty;
  const account = chain.sender.address;
  if (provider !== account) {
    throw new PossessionError(
      { code: 'POSSESSION_NOT_OWN', id, provider, account },
      `duty ${id} is of ${provider}, and the key is of ${account}`,
    );
  }
  if (duty.firstPeriod === 0) {
    throw new PossessionError(
      { code: 'POSSESSION_NOT_STARTED', id },
      `duty ${id} was opened and never started: nothing answers for it, and there is nothing to end`,
    );
  }
  return duty;
}
