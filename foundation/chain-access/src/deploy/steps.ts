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

/** A contract of a pair, made with the other's address. */
export interface PairPart {
  /** Name of the step; the attempt is appended. */
  readonly step: string;
  readonly abi: Abi;
  readonly bytecode: string;
  args(other: Address): readonly unknown[];
}

/**
 * Makes two contracts that know each other for good, one right after the other: the first is told the
 * address that the account's next nonce gives, and the second refuses a first that names another one.
 *
 * @throws {DeployError} DEPLOY_NONCES_TAKEN; what the steps throw
 */
export async function createPair(
  run: Steps,
  pair: {
    readonly from: Address;
    /** The account's newest step. */
    readonly after: Step;
    readonly first: PairPart;
    readonly second: PairPart;
    /** Error by which the second refuses a first that knows another address. */
    readonly mismatch: string;
  },
): Promise<readonly [Step, Step]> {
  const { from, first, second, mismatch } = pair;
  let nonce = pair.after.nonce + 1;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const expected = addressAt(from, nonce + 1);
    const made = await run.create(
      `${first.step}:${attempt}`,
      first.abi,
      first.bytecode,
      first.args(expected),
    );
    nonce = made.nonce + 1;
    if (addressAt(from, nonce) !== expected) continue;
    try {
      const other = await run.create(
        `${second.step}:${attempt}`,
        second.abi,
        second.bytecode,
        second.args(made.address),
      );
      return [made, other];
    } catch (error) {
      const { facts } = error instanceof TransactionError ? error : { facts: undefined };
      if (facts?.code !== 'TX_REVERTED' || facts.errorName !== mismatch) throw error;
      nonce += 1;
    }
  }
  throw new DeployError(
    { code: 'DEPLOY_NONCES_TAKEN', attempts: MAX_ATTEMPTS },
    `other transactions of ${from} came between ${first.step} and ${second.step} in ${MAX_ATTEMPTS} attempts`,
  );
}

function addressAt(from: Address, nonce: number): Address {
  return parseAddress(getCreateAddress({ from, nonce }));
}
