import type { RouteGroup } from '@cairn/node-runtime/http';
import type { Address, ChainId } from '@cairn/primitives';
import { MAX_EIGENDA_BYTES } from './eigenda-door.ts';

/** What `GET /config` tells of a server. */
export interface EigendaServer {
  readonly version: string;
  readonly chainId: ChainId;
  /** Through which every other contract is found. */
  readonly entrance: Address;
  /** Checks what quorums sign. */
  readonly verifier: Address;
}

/** `GET /health` and `GET /config`, as a proxy has them. */
export function eigendaRoutes({ version, chainId, entrance, verifier }: EigendaServer): RouteGroup {
  return (app) => {
    app.get('/health', async (_, reply) => {
      void reply.code(200).type('text/plain');
      return '';
    });
    app.get('/config', async () => ({
      version,
      chain_id: String(chainId),
      directory_address: entrance,
      cert_verifier_address: verifier,
      max_payload_size_bytes: MAX_EIGENDA_BYTES,
      apis_enabled: ['op-generic', 'op-keccak', 'standard'],
      read_only_mode: false,
    }));
  };
}
