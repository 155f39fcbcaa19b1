import {
  acceptBytes,
  addRoute,
  bodyBytes,
  type HttpApp,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type Clock, Semaphore, withDeadline } from '@cairn/primitives';
import {
  CHECKPOINT_OFFER_TYPE,
  CHECKPOINT_REQUEST_TYPE,
  encodeCheckpointOffer,
  encodeOfficeVote,
  MAX_CHECKPOINT_REQUEST_BYTES,
  parseCheckpointRequest,
  VOTE_TYPE,
} from '@cairn/wire-protocol/da';
import { checkpointRoutes } from '@cairn/wire-protocol/da-route-table';
import { SignerError } from '../../errors.ts';
import type { CheckpointSigner } from './sign-checkpoints.ts';
import type { ShardWatch } from './watch-shards.ts';

/** What the doors for checkpoints stand on. */
export interface CheckpointDoorsDeps {
  readonly watch: Pick<ShardWatch, 'offers'>;
  readonly signer: Pick<CheckpointSigner, 'sign'>;
  readonly clock: Clock;
  /** Aborts when the signer stops for good. */
  readonly stopping: AbortSignal;
}

/** Requests to sign that are worked on at once, and that wait. */
const VOTES_AT_ONCE = 4;
const MAX_VOTES_WAITING = 32;
const VOTE_TIMEOUT_MS = 15_000;

/** The public routes of a signer that watches consensus shards. */
export function checkpointDoors({
  watch,
  signer,
  clock,
  stopping,
}: CheckpointDoorsDeps): RouteGroup {
  const table = { tag: 'data availability', routes: checkpointRoutes() };
  const signing = new Semaphore({ limit: VOTES_AT_ONCE, maxWaiting: MAX_VOTES_WAITING });
  return async (app: HttpApp) => {
    acceptBytes(app, { maxBytes: MAX_CHECKPOINT_REQUEST_BYTES });
    addRoute(app, table, 'getCheckpoints', async (_, reply) => {
      void reply.type(CHECKPOINT_OFFER_TYPE).header('cache-control', 'no-store');
      return encodeCheckpointOffer(watch.offers());
    });
    addRoute(app, table, 'postCheckpointVote', async (request, reply) => {
      requireContentType(request.headers['content-type']);
      const wanted = parseCheckpointRequest(bodyBytes(request));
      const work = (inner: AbortSignal) =>
        signing.run(() => signer.sign(wanted, { signal: inner }), inner);
      const signal = requestSignal(reply, stopping);
      const vote = await withDeadline('a vote', VOTE_TIMEOUT_MS, work, { clock, signal });
      void reply.type(VOTE_TYPE).header('cache-control', 'no-store');
      return encodeOfficeVote(vote);
    });
  };
}

function requireContentType(actual = 'none'): void {
  if (actual.split(';')[0]?.trim().toLowerCase() === CHECKPOINT_REQUEST_TYPE) return;
  throw new SignerError(
    { code: 'MEDIA_TYPE', expected: CHECKPOINT_REQUEST_TYPE, actual: actual.slice(0, 100) },
    `this is sent as ${CHECKPOINT_REQUEST_TYPE}`,
  );
}
