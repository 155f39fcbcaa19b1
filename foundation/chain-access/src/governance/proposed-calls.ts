import { directoryAbi, orderingHubAbi, stakeHubAbi } from '@cairn/contracts';
import type { Address } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { Contract } from '../da/contract.ts';
import { directoryName } from '../deploy/da-params.ts';
import { shardArgument } from '../shards/ordering-calls.ts';
import type { Shard } from '../shards/ordering-facts.ts';
import type { NamedContracts } from './describe-call.ts';
import { GovernanceError } from './errors.ts';
import type { GovernedCall } from './read-proposals.ts';

/** Names that a Directory may have. */
const MAX_NAMES = 256;

/** Every contract that a Directory names. @throws what the client throws */
export async function readNamedContracts(
  client: Pick<ChainClient, 'callRaw'>,
  directory: Address,
  { signal }: CallOptions,
): Promise<NamedContracts> {
  const contract = new Contract(client, directory, directoryAbi);
  const words = (await contract.read('names', [], { signal })).inner(0);
  const named = new Map<string, Address>([['directory', directory]]);
  for (let at = 0; at < Math.min(words.length, MAX_NAMES); at += 1) {
    const word = words.text(at);
    const name = new TextDecoder().decode(words.bytes(at)).replace(/\0+$/, '');
    named.set(name, (await contract.read('get', [word], { signal })).address(0));
  }
  return named;
}

/** The call that adds a shard to the order of a network. */
export function addShardCall(
  client: Pick<ChainClient, 'callRaw'>,
  orderingHub: Address,
  shard: Shard,
): GovernedCall {
  return callOf(
    new Contract(client, orderingHub, orderingHubAbi),
    'addShard',
    shardArgument(shard),
  );
}

/** A module of the stake hub that another contract takes the place of. */
export interface ModuleChange {
  /** In the Directory. */
  readonly name: string;
  readonly successor: Address;
  readonly contracts: NamedContracts;
}

/**
 * The calls that replace a module of the stake hub, or add one under a new name: the old one may do nothing any more, the new one
 * may after the stake hub's notice, and the Directory names it.
 *
 * @throws {GovernanceError} GOVERNANCE_BAD_CALL without a stake hub or for a name that is none,
 *   GOVERNANCE_NO_MODULE where the name is of another contract; what the client throws
 */
export async function setModuleCalls(
  client: Pick<ChainClient, 'callRaw'>,
  { name, successor, contracts }: ModuleChange,
  { signal }: CallOptions,
): Promise<readonly GovernedCall[]> {
  const hubAt = contracts.get('stakeHub');
  const isName = /^[A-Za-z][A-Za-z0-9]{0,31}$/.test(name);
  if (hubAt === undefined || !isName) {
    const problem = isName ? 'no stake hub is known' : 'a name is of up to 32 letters and digits';
    throw new GovernanceError(
      { code: 'GOVERNANCE_BAD_CALL', call: name, problem },
      `module ${name} cannot be set: ${problem}`,
    );
  }
  const hub = new Contract(client, hubAt, stakeHubAbi);
  const calls: GovernedCall[] = [];
  const before = contracts.get(name);
  if (before !== undefined) {
    const from = (await hub.read('moduleFrom', [before], { signal })).wide(0);
    if (from === 0n) {
      throw new GovernanceError(
        { code: 'GOVERNANCE_NO_MODULE', name, contract: before },
        `${name} at ${before} is no module of the stake hub: propose --call 'directory.set(${name}, ${successor})' instead`,
      );
    }
    calls.push(callOf(hub, 'setModule', [before, false]));
  }
  calls.push(callOf(hub, 'setModule', [successor, true]));
  const directory = contracts.get('directory');
  if (directory !== undefined) {
    const named = new Contract(client, directory, directoryAbi);
    calls.push(callOf(named, 'set', [directoryName(name), successor]));
  }
  return calls;
}

/** Blocks over which a chain's pace is looked at. */
const PACE_BLOCKS = 1000;

/**
 * The first checkpoint of a shard whose block comes after some time, at the pace of the chain's newest blocks: what a
 * registration says that is executed then. One too low has a few old numbers ordered, one too high begins later.
 *
 * @param seconds - from the newest block on
 * @throws what the client throws
 */
export async function firstCheckpointAfter(
  client: Pick<ChainClient, 'getBlock'>,
  { periodBlocks }: Pick<Shard, 'periodBlocks'>,
  seconds: number,
  { signal }: CallOptions,
): Promise<number> {
  const newest = await client.getBlock('latest', { signal });
  if (newest === undefined) return 1;
  const before = await client.getBlock(Math.max(0, newest.number - PACE_BLOCKS), { signal });
  const span = newest.timestamp - (before?.timestamp ?? newest.timestamp);
  const blocks = newest.number - (before?.number ?? newest.number);
  const ahead = span > 0 ? Math.ceil((blocks * seconds) / span) : 0;
  return Math.max(1, Math.ceil((newest.number + ahead) / periodBlocks));
}

function callOf(contract: Contract, name: string, args: readonly unknown[]): GovernedCall {
  return { target: contract.address, data: contract.encode(name, args), valueWei: 0n };
}
