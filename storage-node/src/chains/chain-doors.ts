import { type HttpHost, mountHosts, type RouteGroup } from '@cairn/node-runtime/http';
import { nodeStatusJson } from '@cairn/wire-protocol';
import { StorageNodeError } from '../errors.ts';
import { CHAINS } from './chain-plans.ts';
import type { KeptChain } from './kept-chain.ts';

/** Longest name of a chain that an error repeats. */
const MAX_SHOWN = 40;

/**
 * `/chains/CHAIN_ID/…`: what `/…` is to a node that keeps this chain alone.
 *
 * @param hosts - by chain id in decimal
 */
export function chainMounts(
  kept: readonly KeptChain[],
  hosts: () => ReadonlyMap<string, Pick<HttpHost, 'app'>>,
): RouteGroup {
  return mountHosts({
    base: `/${CHAINS}`,
    hostOf: (name) => {
      const host = hosts().get(name);
      if (host !== undefined) return host;
      const chain = name.slice(0, MAX_SHOWN);
      const ids = kept.map(({ chainId }) => chainId);
      throw new StorageNodeError(
        { code: 'CHAIN_NOT_KEPT', chain, kept: ids },
        `this node does not keep chain ${chain}; it keeps ${ids.join(', ')}`,
      );
    },
  });
}

/** `GET /chains`: which chains the node keeps, the first one first, and where. */
export function chainsDoor(kept: readonly KeptChain[]): RouteGroup {
  return (app) => {
    app.get(
      `/${CHAINS}`,
      {
        schema: {
          summary: 'The chains that are kept, and where each has its doors',
          tags: ['node'],
        },
      },
      async (_, reply) => {
        void reply.header('cache-control', 'no-store');
        return {
          chains: kept.map((chain) => ({
            name: chain.name,
            path: chain.path,
            ready: chain.health().ok,
            status: nodeStatusJson(chain.status()),
          })),
        };
      },
    );
  };
}
