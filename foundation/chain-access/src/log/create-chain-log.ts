import {
  type Address,
  assertNatural,
  assertPositiveInteger,
  type ChainId,
  type ChainLog,
  describeError,
  fromHex,
  isFault,
  isZeroBytes,
  type Logger,
  type Metrics,
  noMetrics,
} from '@cairn/primitives';
import type { ChainClient } from '../client/chain-client.ts';
import { FLOW_ROOT_BY_SEQUENCE } from '../flow/abi.ts';
import { checkChainId, checkLogContract } from './check-contract.ts';
import { LogWalk } from './follow-log.ts';
import type { ChainLogWait } from './log-wait.ts';
import { createChainLogMetrics } from './metrics.ts';

/** Which log to follow, and how closely. */
export interface ChainLogOptions {
  readonly client: ChainClient;
  /** The log contract. */
  readonly flow: Address;
  /** The chain it is on; whatever the endpoint serves unless told. */
  readonly chainId?: ChainId;
  /** Blocks that must follow one before it is handed on; 3 unless told, 0 for a chain that never reorganises. */
  readonly confirmations?: number;
  /** First block that can hold entries; 0 unless told. Must not be above the contract's first entry. */
  readonly startBlock?: number;
  /** Blocks of a page of history at most; 999 unless told. Endpoints that refuse get smaller ones. */
  readonly pageBlocks?: number;
  /** Time between looks at an idle chain; 500 unless told. */
  readonly pollMs?: number;
  /**
   * How long the check of chain id and contract may take where `chainId` is given, in ms; beyond that it waits until
   * following finds the chain. As long as the client tries unless told.
   */
  readonly checkMs?: number;
  /** Told at each look that got nowhere, and with `undefined` once one does again. Must not throw. */
  readonly onWait?: (wait: ChainLogWait | undefined) => void;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

/**
 * The log of one contract on one chain.
 *
 * Chain id and contract are checked first. If the endpoint cannot be reached and `chainId` is given,
 * the check waits until following finds it, so that a node starts and serves reads without a chain.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT; CHAIN_UNREACHABLE
 * without `chainId`; the signal's reason. {RangeError} for an option out of range
 */
export async function createChainLog(
  options: ChainLogOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<ChainLog> {
  const {
    client,
    flow,
    confirmations = 3,
    startBlock = 0,
    pageBlocks = 999,
    pollMs = 500,
  } = options;
  const { logger, metrics = noMetrics() } = options;
  assertNatural(confirmations, 'confirmations');
  assertNatural(startBlock, 'startBlock');
  assertPositiveInteger(pageBlocks, 'pageBlocks');
  assertPositiveInteger(pollMs, 'pollMs');
  const { chainId, checked } = await identify(options, signal);
  const walkDeps = {
    client,
    flow,
    chainId,
    checked,
    confirmations,
    startBlock,
    pageBlocks,
    pollMs,
    logger: logger.child({ chainId, flow }),
    metrics: createChainLogMetrics(metrics),
    onWait: options.onWait,
  };
  return {
    chainId,
    flow,
    follow: (known, { signal: within }) => new LogWalk(walkDeps, known).run(within),
    flowRootAt: async (sequence, { signal: within }) => {
      const [root] = await client.call(flow, FLOW_ROOT_BY_SEQUENCE, [sequence], { signal: within });
      const bytes = fromHex(String(root));
      return isZeroBytes(bytes) ? undefined : bytes;
    },
  };
}

async function identify(
  { client, flow, chainId: expected, checkMs, logger }: ChainLogOptions,
  signal: AbortSignal,
): Promise<{ readonly chainId: ChainId; readonly checked: boolean }> {
  const limit = checkMs === undefined ? undefined : AbortSignal.timeout(checkMs);
  const within = limit === undefined ? signal : AbortSignal.any([signal, limit]);
  try {
    const chainId = await checkChainId(client, expected, { signal: within });
    await checkLogContract(client, flow, chainId, { signal: within });
    return { chainId, checked: true };
  } catch (error) {
    if (signal.aborted || expected === undefined) throw error;
    const isSlow = limit?.aborted === true;
    if (!isSlow && !isFault(error, 'CHAIN_UNREACHABLE')) throw error;
    const reason = isSlow ? `no answer within ${checkMs} ms` : describeError(error);
    logger.warn(
      { reason, chainId: expected },
      'the chain cannot be reached, its id and the contract will be checked once it answers',
    );
    return { chainId: expected, checked: false };
  }
}
