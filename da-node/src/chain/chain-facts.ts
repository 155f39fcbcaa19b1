import { readBatch, readIsVoid, readPhase } from '@cairn/chain-access/da';
import type { ConfirmedLeaf, DaChainFacts } from '../doors/chain-facts.ts';
import type { DaChain } from './connect-chain.ts';

/**
 * The entrance's chain as doors ask it. Calls fail with the endpoint: a door has a client that waits.
 */
export class ChainFacts implements DaChainFacts {
  readonly #chain: Pick<DaChain, 'client' | 'entrance' | 'hub'>;

  constructor(chain: Pick<DaChain, 'client' | 'entrance' | 'hub'>) {
    this.#chain = chain;
  }

  async leaf(
    place: { readonly root: Uint8Array; readonly leafIndex: number },
    at: 'newest' | 'final',
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ConfirmedLeaf | undefined> {
    const { entrance } = this.#chain;
    const block = at === 'newest' ? 'latest' : await entrance.finalBlock({ signal });
    const batch = await readBatch(entrance, place.root, { signal, block });
    if (batch === undefined) return undefined;
    const { epoch, quorumId, count } = batch;
    const isVoid = await readIsVoid(entrance, place, { signal, block });
    return { epoch, quorumId, count, isVoid };
  }

  async finalSeconds({ signal }: { readonly signal: AbortSignal }): Promise<number> {
    const { entrance, client } = this.#chain;
    const block = await entrance.finalBlock({ signal });
    const found = await client.getBlock(block, { signal });
    return found?.timestamp ?? 0;
  }

  async finalEpoch({ signal }: { readonly signal: AbortSignal }): Promise<number> {
    const { hub } = this.#chain;
    return (await readPhase(hub, { signal, block: await hub.finalBlock({ signal }) })).epoch;
  }

  async secondsOf(
    block: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<number | undefined> {
    return (await this.#chain.client.getBlock(block, { signal }))?.timestamp;
  }
}
