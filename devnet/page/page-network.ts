import { type Address, isHexOf, isRecord, parseAddress } from '@cairn/primitives';

/** What the page is told of its network, by whoever serves it: places only, nothing that is believed. */
export interface PageNetwork {
  /** JSON-RPC address of the chain. */
  readonly rpc: string;
  readonly entrance: Address;
  /** The disperser, which knows blobs by the SHA-256 of their bytes. */
  readonly rest: string | undefined;
}

/** The network that serves this page. @throws {Error} if its answer is not one */
export async function readPageNetwork(signal: AbortSignal): Promise<PageNetwork> {
  const reply = await fetch('network.json', { signal });
  const value: unknown = await reply.json();
  if (isRecord(value)) {
    const { rpc, entrance, rest } = value;
    if (typeof rpc === 'string' && isHexOf(entrance, 20)) {
      return {
        rpc,
        entrance: parseAddress(entrance),
        rest: typeof rest === 'string' ? rest : undefined,
      };
    }
  }
  throw new Error('the page is served without a network beside it');
}
