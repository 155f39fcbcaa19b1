import {
  type Address,
  type ChainId,
  type KeyValueStore,
  type Logger,
  memoryKeyValueStore,
  parseAddress,
  silentLogger,
} from '@cairn/primitives';
import type { JsonFragment } from 'ethers/abi';
import { getCreateAddress } from 'ethers/address';
import { encodeCall, encodeDeployment } from '../client/abi.ts';
import type { ChainClient } from '../client/chain-client.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { createTransactionSender } from '../send/create-sender.ts';
import { TransactionError } from '../send/errors.ts';
import { DeployError } from './errors.ts';

/** Adds or replaces an entry of the Directory. */
export const DIRECTORY_SET = 'function set(bytes32 name, address target)';

/** Allows or disallows a module of the stake hub. */
export const SET_MODULE = 'function setModule(address module, bool allowed)';

/** Offers the admin role of a contract. */
export const TRANSFER_ADMIN = 'function transferAdmin(address successor)';

/** Adds a consensus shard to the ordering hub. */
export const ADD_SHARD =
  'function addShard(uint32 shardId, uint64 chainId, address flow, address daEntrance, address mirror, uint32 finality, uint32 period, uint64 first)';

/** Times that a stranger's transaction may come between two of ours. */
const MAX_ATTEMPTS = 3;

type Abi = readonly (string | JsonFragment)[];

/** A contract that a deployment made. */
export interface Step {
  readonly address: Address;
  readonly nonce: number;
  readonly block: number;
}

/** The two kinds of transactions a deployment is made of, each journalled under its own name. */
export interface Steps {
  create(step: string, abi: Abi, bytecode: string, args: readonly unknown[]): Promise<Step>;
  call(step: string, to: Address, fragment: string, args: readonly unknown[]): Promise<void>;
}

/** Who makes the steps, where, and how refusals are read. */
export interface StepsOptions {
  readonly client: ChainClient;
  readonly signer: LocalSigner;
  readonly chainId: ChainId;
  readonly journal?: KeyValueStore;
  readonly logger?: Logger;
  readonly pollMs?: number;
  /** ABIs whose errors a revert is read against. */
  readonly errors: readonly Abi[];
}

/** Steps of one account's deployment; one that the journal holds is not made again. */
export function createSteps(options: StepsOptions, signal: AbortSignal): Steps {
  const { client, signer, chainId, journal, logger, pollMs = 100, errors } = options;
  const sender = createTransactionSender({
    client,
    signer,
    journal: journal ?? memoryKeyValueStore(),
    chainId,
    logger: logger ?? silentLogger(),
    pollMs,
  });
  const send = (
    step: string,
    to: Address | undefined,
    data: Uint8Array,
  ): Promise<TransactionReceipt> =>
    sender.send({ intent: `deploy:${step}`, to, data, valueWei: 0n, errors }, { signal });
  return {
    create: async (step, abi, bytecode, args) => {
      const receipt = await send(step, undefined, encodeDeployment(abi, bytecode, args));
      const transaction = await client.getTransaction(receipt.transactionHash, { signal });
      const { contractAddress } = receipt;
      if (contractAddress === undefined || transaction === undefined) {
        throw new DeployError(
          { code: 'DEPLOY_MISMATCH', contract: step, expected: 'an address', actual: 'none' },
          `transaction ${receipt.transactionHash} made no contract for ${step}`,
        );
      }
      return {
        address: contractAddress,
        nonce: transaction.nonce,
        block: receipt.block.number,
      };
    },
    call: async (step, to, fragment, args) => {
      await send(step, to, encodeCall(fragment, args));
    },
  };
}

/** A contract of a ring, made with the others' addresses. */
export interface RingPart {
  /** Name of the step; the attempt is appended. */
  readonly step: string;
  readonly abi: Abi;
  readonly bytecode: string;
  /** What it is made with; `at` gives the address of a part by its place in the ring. */
  args(at: (place: number) => Address): readonly unknown[];
  /** Error by which it refuses others that know another address than its own. */
  readonly mismatch?: string;
}

/**
 * Makes contracts that know each other for good, one right after the other: each is told the addresses
 * that the account's next nonces give, and the later ones refuse those that name another one.
 *
 * @returns the steps in the order of `parts`
 * @throws {DeployError} DEPLOY_NONCES_TAKEN; what the steps throw
 */
export async function createRing<const Parts extends readonly RingPart[]>(
  run: Steps,
  ring: {
    readonly from: Address;
    /** The account's newest step. */
    readonly after: Step;
    readonly parts: Parts;
  },
): Promise<{ readonly [Place in keyof Parts]: Step }> {
  let nonce = ring.after.nonce + 1;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const { made, next } = await tryRing(run, { ...ring, nonce, attempt });
    // A whole ring has a step for each part.
    if (made !== undefined) return made as { readonly [Place in keyof Parts]: Step };
    nonce = next;
  }
  const names = ring.parts.map(({ step }) => step).join(', ');
  throw new DeployError(
    { code: 'DEPLOY_NONCES_TAKEN', attempts: MAX_ATTEMPTS },
    `other transactions of ${ring.from} came between ${names} in ${MAX_ATTEMPTS} attempts`,
  );
}

/** One attempt from `nonce` on, and the nonce from which the next one can begin. */
async function tryRing(
  run: Steps,
  {
    from,
    parts,
    nonce,
    attempt,
  }: {
    readonly from: Address;
    readonly parts: readonly RingPart[];
    readonly nonce: number;
    readonly attempt: number;
  },
): Promise<{ readonly made?: readonly Step[]; readonly next: number }> {
  const at = (place: number): Address => addressAt(from, nonce + place);
  const made: Step[] = [];
  for (const { step, abi, bytecode, args, mismatch } of parts) {
    const expected = nonce + made.length;
    try {
      const part = await run.create(`${step}:${attempt}`, abi, bytecode, args(at));
      if (part.nonce !== expected) return { next: part.nonce + 1 };
      made.push(part);
    } catch (error) {
      const { facts } = error instanceof TransactionError ? error : { facts: undefined };
      if (facts?.code !== 'TX_REVERTED' || facts.errorName !== mismatch) throw error;
      // A stranger's transaction has its nonce; one refused on trial has taken none of its own.
      return { next: expected + (facts.transactionHash === undefined ? 1 : 2) };
    }
  }
  return { made, next: nonce + parts.length };
}

function addressAt(from: Address, nonce: number): Address {
  return parseAddress(getCreateAddress({ from, nonce }));
}
