import { type ChainClient, createChainClient } from '@cairn/chain-access';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import type { Clock } from '@cairn/primitives';

/**
 * For how long the head is taken for the newest: a quarter of the time between two looks. A signer's parts ask for it
 * six times a second, and none of them waits for a block by it.
 */
const HEAD_AGE_MS = 250;

/** The client of one endpoint, for all parts of a node that read its chain. */
export function nodeClient(rpcUrl: string, clock: Clock): ChainClient {
  return createChainClient({
    ...{ rpcUrl, clock, headAgeMs: HEAD_AGE_MS },
    transport: createNodeTransport(),
  });
}
