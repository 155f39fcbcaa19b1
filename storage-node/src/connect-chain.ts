import {
  createChainClient,
  createChainLog,
  type FileTerms,
  openFileFees,
  readFileTerms,
  type Stretch,
} from '@cairn/chain-access';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import type { ChainLog, Clock, Logger, Metrics } from '@cairn/primitives';
import type { StorageNodeConfig } from './config.ts';
import { StorageNodeError } from './errors.ts';

/** The chain as a node uses it. */
export interface ConnectedChain {
  readonly chainLog: ChainLog;
  /** Number of the newest block. */
  readonly headOf: (signal: AbortSignal) => Promise<number>;
  /**
   * What the chain says of the fees of a file that block `block` holds; `undefined` where its contracts
   * know no renewals. Absent where nobody can be asked.
   */
  readonly termsOf?: (
    stretch: Stretch,
    block: number,
    options: { readonly signal: AbortSignal },
  ) => Promise<FileTerms | undefined>;
  close(): Promise<void>;
}

/**
 * Connects to the chain that the configuration names and checks its id and the log contract. With
 * `chain.chain_id` set the node starts without the chain and checks when it answers.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT, CHAIN_UNREACHABLE
 */
export async function connectChain(
  { chain }: Pick<StorageNodeConfig, 'chain'>,
  {
    clock,
    logger,
    metrics,
  }: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
  { signal }: { readonly signal: AbortSignal },
): Promise<ConnectedChain> {
  const { flow, chainId, rpcUrl, confirmations, startBlock, pageBlocks, pollMs } = chain;
  if (flow === undefined) {
    throw new StorageNodeError(
      { code: 'NODE_CONFIG', field: 'chain.flow' },
      'chain.flow must be set',
    );
  }
  const transport = createNodeTransport();
  const client = createChainClient({ rpcUrl, clock, transport });
  try {
    const chainLog = await createChainLog(
      {
        client,
        flow,
        ...(chainId === undefined ? {} : { chainId }),
        confirmations,
        startBlock,
        pageBlocks,
        pollMs,
        logger,
        metrics,
      },
      { signal },
    );
    return {
      chainLog,
      headOf: (inner) => client.blockNumber({ signal: inner }),
      termsOf: async (stretch, block, options) => {
        const fees = await openFileFees(client, flow, options);
        return fees && readFileTerms(fees, stretch, block, options);
      },
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
