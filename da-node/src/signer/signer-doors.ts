import {
  acceptBytes,
  acceptStreams,
  addRoute,
  bodyBytes,
  bodyStream,
  type HttpApp,
  type HttpReplyOut,
  type HttpRequestIn,
  onceOver,
  pathText,
  queryValue,
  type RouteGroup,
  type RouteTable,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type Clock, isFault, parseRoot, Semaphore, withDeadline } from '@cairn/primitives';
import {
  DELIVERY_TYPE,
  encodeBatchVote,
  encodeRowReply,
  heldBlobJson,
  MAX_VOTE_REQUEST_BYTES,
  parseRowQuery,
  parseVoteRequest,
  ROW_REPLY_TYPE,
  type SignerStatus,
  signerStatusJson,
  VOTE_REQUEST_TYPE,
  VOTE_TYPE,
  type VoteRequest,
} from '@cairn/wire-protocol/da';
import { signerRoutes } from '@cairn/wire-protocol/da-route-table';
import type { ByteBudget } from '../byte-budget.ts';
import { SignerError } from '../errors.ts';
import type { SliceAcceptor } from './accept-slice.ts';
import type { SignerMetrics } from './metrics.ts';
import { describeHeld, servedBytes, serveRows } from './serve-rows.ts';
import type { BatchSigner } from './sign-batch.ts';
import type { SliceStore } from './slice-store.ts';
import type { VoteBook } from './vote-book.ts';

/** What the doors stand on. */
export interface SignerDoorsDeps {
  readonly acceptor: Pick<SliceAcceptor, 'accept'>;
  readonly signer: Pick<BatchSigner, 'sign' | 'turnOf'>;
  readonly store: Pick<SliceStore, 'ofCommitment' | 'read'>;
  readonly votes: Pick<VoteBook, 'get'>;
  readonly status: () => SignerStatus;
  /** Memory for rows that readers have not taken yet. */
  readonly unsent: ByteBudget;
  readonly clock: Clock;
  readonly metrics: SignerMetrics;
  /** Aborts when the signer stops for good. */
  readonly stopping: AbortSignal;
}

/** Requests for a vote that are worked on at once, and that wait, of each shard: one whose chain is away holds up no other. */
const VOTES_AT_ONCE = 4;
const MAX_VOTES_WAITING = 64;
/** Time for a vote, waiting and looking things up on the chain included. */
const VOTE_TIMEOUT_MS = 30_000;
/** Requests for rows that read the disk at once, and that wait. */
const READS_AT_ONCE = 16;
const MAX_READS_WAITING = 512;

/** All public routes of a signer. @param maxSliceBytes - the longest slice message that it takes */
export function signerDoors(deps: SignerDoorsDeps, maxSliceBytes: number): RouteGroup {
  const table = { tag: 'data availability', routes: signerRoutes(maxSliceBytes) };
  const reading = new Semaphore({ limit: READS_AT_ONCE, maxWaiting: MAX_READS_WAITING });
  return async (app) => {
    await app.register(async (inner: HttpApp) => deliveryDoor(inner, table, deps));
    await app.register(async (inner: HttpApp) => voteDoors(inner, table, deps));
    await app.register(async (inner: HttpApp) => readDoors(inner, table, deps, reading));
  };
}

function deliveryDoor(app: HttpApp, table: RouteTable, deps: SignerDoorsDeps): void {
  const { acceptor, metrics, stopping } = deps;
  acceptStreams(app);
  addRoute(app, table, 'putSlice', async (request, reply) => {
    const declared = request.headers['content-length'];
    const declaredBytes = declared === undefined ? undefined : Number(declared);
    const signal = requestSignal(reply, stopping);
    try {
      requireContentType(request, DELIVERY_TYPE);
      const body = { stream: bodyStream(request), declaredBytes };
      const result = await acceptor.accept(body, { signal });
      metrics.deliveries.add(1, { result });
    } catch (error) {
      metrics.deliveries.add(1, { result: 'refused' });
      // Others may send the rest, so that they read why; a sender that stalls is hung up on.
      if (isFault(error, 'WIRE_TOO_SLOW')) void reply.header('connection', 'close');
      throw error;
    }
    void reply.code(200).send();
    return undefined;
  });
}

function voteDoors(
  app: HttpApp,
  table: RouteTable,
  { signer, votes, clock, metrics, stopping }: SignerDoorsDeps,
): void {
  const turns = new Map<number, Semaphore>(); // as many as there are shards
  const turnOf = (wanted: VoteRequest): Semaphore => {
    const shardId = signer.turnOf(wanted);
    const known = turns.get(shardId);
    if (known !== undefined) return known;
    const turn = new Semaphore({ limit: VOTES_AT_ONCE, maxWaiting: MAX_VOTES_WAITING });
    turns.set(shardId, turn);
    return turn;
  };
  acceptBytes(app, { maxBytes: MAX_VOTE_REQUEST_BYTES });
  addRoute(app, table, 'postVote', async (request, reply) => {
    const startMs = clock.monotonic();
    try {
      requireContentType(request, VOTE_REQUEST_TYPE);
      const wanted = parseVoteRequest(bodyBytes(request));
      const work = (signal: AbortSignal) =>
        turnOf(wanted).run(() => signer.sign(wanted, { signal }), signal);
      const signal = requestSignal(reply, stopping);
      const vote = await withDeadline('a vote', VOTE_TIMEOUT_MS, work, { clock, signal });
      metrics.votes.add(1, { result: 'given' });
      metrics.voteDuration.observe((clock.monotonic() - startMs) / 1000);
      void reply.type(VOTE_TYPE).header('cache-control', 'no-store');
      return encodeBatchVote(vote);
    } catch (error) {
      metrics.votes.add(1, { result: 'refused' });
      throw error;
    }
  });
  addRoute(app, table, 'getVote', async (request, reply) => {
    const root = parseRoot(pathText(request, 'root'));
    const vote = await votes.get(root);
    if (vote !== undefined) {
      void reply.type(VOTE_TYPE).header('cache-control', 'no-store');
      return encodeBatchVote(vote);
    }
    throw new SignerError(
      { code: 'VOTE_UNKNOWN', root },
      `no vote for the batch ${root} is kept here`,
    );
  });
}

function readDoors(
  app: HttpApp,
  table: RouteTable,
  deps: SignerDoorsDeps,
  reading: Semaphore,
): void {
  const { store, status } = deps;
  addRoute(app, table, 'getSignerStatus', async (_, reply) => {
    void reply.header('cache-control', 'no-store');
    return signerStatusJson(status());
  });
  addRoute(app, table, 'getHeldBlob', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    return heldBlobJson(describeHeld(parseRoot(pathText(request, 'commitment')), { store }));
  });
  addRoute(app, table, 'getRows', (request, reply) => getRows(request, reply, deps, reading));
}

async function getRows(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  { store, unsent, metrics, stopping }: SignerDoorsDeps,
  reading: Semaphore,
): Promise<Uint8Array> {
  const commitment = parseRoot(pathText(request, 'commitment'));
  const query = parseRowQuery(queryValue(request, 'index'), queryValue(request, 'form'));
  const signal = requestSignal(reply, stopping);
  // Room first: what is read waits in memory, and readers may be slow to take it.
  const release = await unsent.take(servedBytes(commitment, query, { store }), signal);
  onceOver(reply.raw, release);
  const messages = await reading.run(() => serveRows(commitment, query, { store }), signal);
  const body = encodeRowReply(messages);
  metrics.servedRows.add(messages.length);
  void reply.type(ROW_REPLY_TYPE).header('cache-control', 'no-store');
  void reply.header('x-content-type-options', 'nosniff');
  return body;
}

function requireContentType(request: HttpRequestIn, expected: string): void {
  const actual = request.headers['content-type'] ?? 'none';
  if (actual.split(';')[0]?.trim().toLowerCase() === expected) return;
  throw new SignerError(
    { code: 'MEDIA_TYPE', expected, actual: actual.slice(0, 100) },
    `this is sent as ${expected}`,
  );
}
