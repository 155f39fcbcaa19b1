import {
  type Address,
  type ChainId,
  fromHex,
  isZeroBytes,
  parseAddress,
  type Sequence,
} from '@cairn/primitives';
import { encodeCall, selectorOf } from '../client/abi.ts';
import type { BlockTag, CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { checkChainId, checkLogContract } from '../log/check-contract.ts';
import {
  FLOW_ROOT_BY_SEQUENCE,
  LOG_ROOT,
  MARKET,
  NUM_SUBMISSIONS,
  OLD_SUBMIT,
  PRICE_PER_SECTOR,
  SUBMIT,
  TREE,
} from './abi.ts';

/** The log contract as a submitter sees it, ours or an official one. Calls throw {ChainError}. */
export interface FlowContract {
  readonly client: ChainClient;
  readonly chainId: ChainId;
  readonly address: Address;
  /** The contract that sets the price. */
  market(options: CallOptions): Promise<Address>;
  /** Wei per sector of the padded length. */
  pricePerSector(options: CallOptions): Promise<bigint>;
  /** Entries in the log so far, or as of a block whose state the endpoint has. */
  numSubmissions(options: CallOptions & { readonly block?: BlockTag }): Promise<number>;
  /** Sectors in the flow so far, gaps included; the next file starts here or after. */
  flowLength(options: CallOptions): Promise<number>;
  /** The flow root right after `sequence`, 32 bytes; `undefined` if the contract knows none. */
  flowRootAt(sequence: Sequence, options: CallOptions): Promise<Uint8Array | undefined>;
  /** Root over the records of every entry, 32 bytes; `undefined` on official contracts. */
  logRoot(options: CallOptions): Promise<Uint8Array | undefined>;
}

/**
 * Opens the log contract at `flow` after checking that it is one and takes submissions as we make
 * them.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT (generation `old` for
 * contracts whose `submit` takes no submitter) and what the client throws
 */
export async function openFlow({
  client,
  flow,
  chainId: expected,
  signal,
}: {
  readonly client: ChainClient;
  readonly flow: Address;
  /** The chain it must be on; whatever the endpoint serves unless told. */
  readonly chainId?: ChainId;
  readonly signal: AbortSignal;
}): Promise<FlowContract> {
  const chainId = await checkChainId(client, expected, { signal });
  await checkLogContract(client, flow, chainId, { signal });
  await checkGeneration(client, flow, chainId, { signal });
  const read = async (
    address: Address,
    fragment: string,
    args: unknown[],
    options: CallOptions & { readonly block?: BlockTag },
  ) => (await client.call(address, fragment, args, options))[0];
  const market = async (options: CallOptions) =>
    parseAddress(String(await read(flow, MARKET, [], options)));
  return {
    client,
    chainId,
    address: flow,
    market,
    pricePerSector: async (options) =>
      BigInt(String(await read(await market(options), PRICE_PER_SECTOR, [], options))),
    numSubmissions: async (options) => Number(await read(flow, NUM_SUBMISSIONS, [], options)),
    flowLength: async (options) => Number(await read(flow, TREE, [], options)),
    flowRootAt: async (sequence, options) => {
      const root = fromHex(String(await read(flow, FLOW_ROOT_BY_SEQUENCE, [sequence], options)));
      return isZeroBytes(root) ? undefined : root;
    },
    logRoot: async (options) => {
      try {
        return fromHex(String(await read(flow, LOG_ROOT, [], options)));
      } catch (error) {
        if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
        throw error;
      }
    },
  };
}

const NO_SUBMITTER = '0x0000000000000000000000000000000000000000';

/**
 * Tells the generations apart by an empty submission: the contract that knows the function refuses
 * it with a reason, the one that does not reverts with nothing. Endpoints that strip reasons leave
 * both silent; then the contract is taken as it is.
 */
async function checkGeneration(
  client: ChainClient,
  flow: Address,
  chainId: ChainId,
  options: CallOptions,
): Promise<void> {
  const empty = [0, '0x', []];
  if (await answers(client, flow, encodeCall(SUBMIT, [[empty, NO_SUBMITTER]]), options)) return;
  if (!(await answers(client, flow, encodeCall(OLD_SUBMIT, [empty]), options))) return;
  const selector = selectorOf(SUBMIT);
  throw new ChainError(
    { code: 'CHAIN_WRONG_CONTRACT', address: flow, chainId, selector, generation: 'old' },
    `the log contract at ${flow} is of an older generation: it does not know submit with a submitter (${selector})`,
  );
}

async function answers(
  client: ChainClient,
  to: Address,
  data: Uint8Array,
  options: CallOptions,
): Promise<boolean> {
  try {
    await client.callRaw({ to, data }, options);
    return true;
  } catch (error) {
    if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') throw error;
    const { rpcData, rpcMessage } = error.facts;
    const hasData = rpcData !== undefined && rpcData !== '0x';
    return hasData || /revert(ed)?:\s*\S/i.test(rpcMessage);
  }
}
