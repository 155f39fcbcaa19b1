import {
  createChainClient,
  createChainLog,
  type FileTerms,
  openFileFees,
  PaidTimes,
  readFileTerms,
  type Stretch,
} from '@cairn/chain-access';
import type { LogEntry } from '@cairn/log-layer';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import type { ChainLog, Clock, Logger, Metrics } from '@cairn/primitives';
import type { StorageNodeConfig } from './config.ts';
import { StorageNodeError } from './errors.ts';
import type { PaymentLook } from './upkeep/prune-expired.ts';

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
  /**
   * What is paid for, as of now; `undefined` where its contracts know no renewals. Absent where nobody can be
   * asked.
   */
  readonly paymentsOf?: (options: {
    readonly signal: AbortSignal;
  }) => Promise<PaymentLook | undefined>;
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
    checkMs,
  }: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics: Metrics;
    /** How long the check may hold up the start where the chain's id is known; as long as it takes unless told. */
    readonly checkMs?: number | undefined;
  },
  { signal }: { readonly signal: AbortSignal },
): Promise<ConnectedChain> {
  const { flow, chainId, rpcUrl, confirmations, startBlock, pageBlocks, pollMs } = chain;
  if (flow === undefined) {
    throw new StorageNodeError(
      { code: 'NODE_CONFIG', field: 'chain.flow' },
      'chain.flow must be set',
    );
  }
  let times: PaidTimes | undefined;
  const transport = createNodeTransport();
  const client = createChainClient({ rpcUrl, clock, transport });
  try {
    const chainLog = await createChainLog(
      {
        client,
        flow,
        ...(chainId === undefined ? {} : { chainId }),
        ...(checkMs === undefined ? {} : { checkMs }),
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
      paymentsOf: async (options) => {
        if (times === undefined) {
          const fees = await openFileFees(client, flow, options);
          times = fees && new PaidTimes(fees, { fromBlock: startBlock, pageBlocks });
        }
        return times && lookAt(times, options);
      },
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function lookAt(
  times: PaidTimes,
  options: { readonly signal: AbortSignal },
): Promise<PaymentLook> {
  const stretchOf = ({ startSector, paddedSectors }: LogEntry): Stretch => ({
    startSector,
    sectors: paddedSectors,
  });
  times.refresh();
  return {
    now: await times.now(options),
    of: (entry, signal) => times.of(stretchOf(entry), { signal }),
    told: (entry, signal) => times.told(stretchOf(entry), { signal }),
  };
}
