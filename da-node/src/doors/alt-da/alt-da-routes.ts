import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import {
  acceptStreams,
  type HttpReplyOut,
  type HttpRequestIn,
  pathText,
  queryValue,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import { AltDaError } from './errors.ts';

/** What one protocol answers at the paths that it shares with another. What is returned is sent. */
export interface AltDaDoor {
  /** `POST /put`, and `POST /put/` of older clients. */
  put(request: HttpRequestIn, reply: HttpReplyOut): Promise<unknown>;
  /** `POST /put/<name>`. */
  putNamed(request: HttpRequestIn, reply: HttpReplyOut, name: string): Promise<unknown>;
  /** `GET /get/<commitment>`. */
  get(request: HttpRequestIn, reply: HttpReplyOut, commitment: string): Promise<unknown>;
}

/** The protocols that are told apart by `commitment_mode` in the query. */
export interface AltDaDoors {
  /** Asked for by no mode at all, as its clients do, and by `optimism_generic`, `optimism_keccak`. */
  readonly opStack: AltDaDoor;
  /** Asked for by `standard`. */
  readonly eigenda: AltDaDoor;
}

/** Modes of an EigenDA proxy that speak the OP Stack's protocol. */
const OP_STACK_MODES: readonly unknown[] = [undefined, '', 'optimism_generic', 'optimism_keccak'];

/**
 * `/put` and `/get` for the clients of OP Stack servers and of EigenDA proxies, which send the same
 * requests but for `commitment_mode`. Nothing is ever redirected.
 */
export function altDaRoutes(doors: AltDaDoors): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_PAYLOAD_BYTES });
    for (const url of ['/put', '/put/']) {
      app.post(url, (request, reply) => doorOf(request, doors).put(request, reply));
      // A client that follows a redirect of its POST comes here: better told than answered.
      app.get(url, async (_, reply) => {
        void reply.code(405).header('allow', 'POST').type('text/plain');
        return 'payloads are put with POST\n';
      });
    }
    // Wildcards: certificates are longer than the parameters of other paths may be.
    app.post('/put/*', (request, reply) =>
      doorOf(request, doors).putNamed(request, reply, pathText(request, '*')),
    );
    app.get('/get/*', (request, reply) =>
      doorOf(request, doors).get(request, reply, pathText(request, '*')),
    );
  };
}

/** @throws {AltDaError} COMMITMENT_MODE */
function doorOf(request: HttpRequestIn, { opStack, eigenda }: AltDaDoors): AltDaDoor {
  const mode = queryValue(request, 'commitment_mode');
  if (mode === 'standard') return eigenda;
  if (OP_STACK_MODES.includes(mode)) return opStack;
  throw new AltDaError(
    { code: 'COMMITMENT_MODE' },
    'commitment_mode is standard, optimism_generic or optimism_keccak',
  );
}
