import {
  type ChainClient,
  ChainError,
  type ChainLogWait,
  createChainClient,
  createChainLog,
} from '@cairn/chain-access';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type ChainLog, type Clock, isFault, type Logger, type Metrics } from '@cairn/primitives';
import type { KvNodeConfig } from './config.ts';

/** The chain as a node uses it. */
export interface ConnectedChain {
  readonly chainLog: ChainLog;
  readonly client: Pick<ChainClient, 'getBlock' | 'getTransaction' | 'blockNumber'>;
  /** What keeps the log from going on, as of the last look; `undefined` while it goes on. */
  readonly logWait?: () => ChainLogWait | undefined;
  close(): Promise<void>;
}

/**
 * Connects to the chain that the configuration names and checks its id and the log contract. With
 * `chain.chain_id` set the node starts without the chain and checks when it answers.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT, CHAIN_UNREACHABLE
 */
export async function connectChain(
  { chain }: Pick<KvNodeConfig, 'chain'>,
  {
    clock,
    logger,
    metrics,
  }: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
  { signal }: { readonly signal: AbortSignal },
): Promise<ConnectedChain> {
  const { flow, chainId, rpcUrl, confirmations, startBlock, pageBlocks, pollMs } = chain;
  const client = createChainClient({ rpcUrl, clock, transport: createNodeTransport() });
  let logWait: ChainLogWait | undefined;
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
        onWait: (wait) => {
          logWait = wait;
        },
        logger,
        metrics,
      },
      { signal },
    );
    return { chainLog, client, logWait: () => logWait, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Whether the chain may say otherwise later: it does not answer, or is about to be read anew. */
export function isChainOutage(error: unknown): boolean {
  return error instanceof ChainError || isFault(error, 'KV_CHAIN_MOVED');
}
