import { join } from 'node:path';
import { createTransactionSender, signerFromKey } from '@cairn/chain-access';
import {
  type Governance,
  type GovernanceCaller,
  type NamedContracts,
  openGovernance,
  type Proposal,
  readNamedContracts,
  readProposal,
} from '@cairn/chain-access/governance';
import { fileJournal } from '@cairn/client-sdk';
import { type Address, type Hex, isHexOf, parseAddress, silentLogger } from '@cairn/primitives';
import { CliError, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { type KeyOptions, requireKey } from './keys.ts';
import { chooseNetwork } from './network-options.ts';
import { type OrderChain, type OrderOptions, withOrder } from './order-chain.ts';

/** How a command is told by what a network decides, and whose stake acts. */
export interface GovernanceOptions extends OrderOptions, KeyOptions {
  /** The governor's contract on the hub. */
  readonly governor?: string;
  readonly json?: boolean;
}

/** A network's governor, and the contracts that its proposals may name. */
export interface GovernanceChain {
  readonly governance: Governance;
  readonly order: OrderChain;
  /** Of the Directory, the endpoints and the order, by name. */
  readonly contracts: NamedContracts;
  /** The first block that can have a proposal. */
  readonly fromBlock: number;
}

/**
 * Looks at what a network decides. The governor is `--governor`, or what the endpoints or the hub's Directory call
 * `stakeGovernor`.
 *
 * @throws {CliError} CLI_NO_GOVERNOR; as `withOrder`
 */
export async function withGovernance<Result>(
  options: GovernanceOptions,
  context: CommandContext,
  work: (chain: GovernanceChain) => Promise<Result>,
): Promise<Result> {
  const { signal } = context;
  return withOrder(options, context, async (order) => {
    const { ordering, name } = order;
    const { client, firstBlock: fromBlock } = ordering.hub;
    const contracts = await namedBy(order, { signal });
    const governor =
      options.governor === undefined
        ? contracts.get('stakeGovernor')
        : parseAddress(options.governor);
    if (governor === undefined) {
      throw new CliError(
        { code: 'CLI_NO_GOVERNOR', network: name },
        `${name} names no governor: its contracts have an administrator`,
      );
    }
    const governance = await openGovernance({ client, governor }, { signal });
    const { timelock, stakeHub } = governance;
    const named = new Map(contracts)
      .set('stakeGovernor', governor)
      .set('timelock', timelock.address)
      .set('stakeHub', stakeHub.address);
    return work({ governance, order, contracts: named, fromBlock });
  });
}

/**
 * Takes a step of governance with a key, one process at a time: what it signed is journalled, and sent once.
 *
 * @throws {CliError} CLI_NO_KEY; as `withGovernance`
 */
export async function withVoter<Result>(
  purpose: string,
  options: GovernanceOptions,
  context: CommandContext,
  work: (chain: GovernanceChain, caller: GovernanceCaller) => Promise<Result>,
): Promise<Result> {
  return withGovernance(options, context, async (chain) => {
    const { keyFiles, uploadsDirectory } = await chooseNetwork(options, context.io);
    const key = await requireKey(purpose, options, keyFiles, context);
    const { governance } = chain;
    const { client, chainId } = governance;
    const journal = fileJournal(join(uploadsDirectory, 'governance'));
    const act = async (): Promise<Result> => {
      const signer = signerFromKey(key);
      const logger = silentLogger();
      const sender = createTransactionSender({ client, signer, journal, chainId, logger });
      return work(chain, { governance, sender });
    };
    return journal.exclusive(act, context.signal);
  });
}

/** The id of a proposal as it was typed: 32 bytes as hex, or a decimal number. @throws {CliError} CLI_USAGE */
export function parseProposalId(text: string): Hex {
  const hex = /^\d{1,78}$/.test(text) ? `0x${BigInt(text).toString(16).padStart(64, '0')}` : text;
  const id = hex.toLowerCase();
  if (isHexOf(id, 32)) return id;
  throw usageError(
    'proposal',
    `a proposal is named by 0x and 64 hex digits, not by ${JSON.stringify(text)}`,
  );
}

/** A proposal as it was typed. @throws {CliError} CLI_USAGE; {GovernanceError} GOVERNANCE_NO_PROPOSAL */
export function requireProposal(
  { governance, fromBlock }: GovernanceChain,
  typed: string,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<Proposal> {
  return readProposal(governance, parseProposalId(typed), { signal, fromBlock });
}

async function namedBy(
  { ordering, contracts }: OrderChain,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<Map<string, Address>> {
  const { client, sortition } = ordering.hub;
  const directory = contracts['directory'];
  const listed =
    directory === undefined ? [] : await readNamedContracts(client, directory, { signal });
  const known = [...Object.entries(contracts), ...listed];
  return new Map<string, Address>(known)
    .set('sortition', sortition.address)
    .set('orderingHub', ordering.domain.address);
}
