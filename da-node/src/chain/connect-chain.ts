import type { BlsBackend } from '@cairn/attestation';
import type { ChainClient } from '@cairn/chain-access';
import {
  type Entrance,
  EpochBook,
  type Hub,
  openEntrance,
  openHub,
  SignerBook,
} from '@cairn/chain-access/da';
import type { ChainId, Clock, Logger } from '@cairn/primitives';
import type { ChainSettings } from '../config.ts';
import { DaNodeError } from '../node-errors.ts';
import { nodeClient } from './node-client.ts';
import { outlastOutages } from './outlast-outages.ts';

/** The chain as the roles of a process share it. */
export interface DaChain {
  /** Of the entrance's chain; the hub has its own where it is on another. */
  readonly client: ChainClient;
  /** The entrance's. */
  readonly chainId: ChainId;
  readonly hub: Hub;
  readonly entrance: Entrance;
  readonly signers: SignerBook;
  readonly epochs: EpochBook;
  close(): Promise<void>;
}

/** What connecting works with. */
export interface ConnectDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly backend: Pick<BlsBackend, 'parseKey'>;
}

/**
 * Connects to the chain of the configured entrance and to the hub that it belongs to, which may be on
 * another. Waits out an endpoint that does not answer.
 *
 * @throws {ChainError} CHAIN_WRONG_ID, CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT; {DaError}
 *   DA_CONTRACTS_DIFFER; {DaNodeError} NODE_HUB_ELSEWHERE; the signal's reason
 */
export async function connectChain(
  { rpcUrl, chainId, entrance: address, startBlock, finality, hub: elsewhere }: ChainSettings,
  { clock, logger, backend }: ConnectDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<DaChain> {
  const client = nodeClient(rpcUrl, clock);
  const hubClient = elsewhere === undefined ? client : nodeClient(elsewhere.rpcUrl, clock);
  const close = async (): Promise<void> => {
    await Promise.all([...new Set([client, hubClient])].map((one) => one.close()));
  };
  const place = { client, firstBlock: startBlock, finality };
  const hubPlace =
    elsewhere === undefined
      ? place
      : { client: hubClient, firstBlock: elsewhere.startBlock, finality: elsewhere.finality };
  const known = chainId === undefined ? {} : { chainId };
  try {
    return await outlastOutages(
      async () => {
        const entrance = await openEntrance({ ...place, ...known, entrance: address }, { signal });
        const { network } = entrance;
        const isHere = network.hubChainId === entrance.chainId;
        if (!isHere && elsewhere === undefined) throw hubElsewhere(entrance);
        const hub = await openHub(
          { ...hubPlace, chainId: network.hubChainId, sortition: network.hub },
          { signal },
        );
        const signers = new SignerBook(hub);
        const epochs = new EpochBook({ hub, signers, backend });
        const { chainId: connected } = entrance;
        return {
          client,
          chainId: connected,
          hub,
          entrance,
          signers,
          epochs,
          close,
        };
      },
      { clock, logger },
      signal,
    );
  } catch (error) {
    await close();
    throw error;
  }
}

function hubElsewhere({ chainId, network: { hubChainId } }: Entrance): DaNodeError {
  return new DaNodeError(
    { code: 'NODE_HUB_ELSEWHERE', chainId, hubChainId },
    `the entrance is on chain ${chainId} and its network's hub on chain ${hubChainId}; [hub] has no endpoint of that one`,
  );
}
