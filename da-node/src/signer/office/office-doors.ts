import {
  acceptBytes,
  addRoute,
  bodyBytes,
  type HttpApp,
  type HttpReplyOut,
  pathNumber,
  pathText,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type Clock, parseAddress, parseRoot, Semaphore, withDeadline } from '@cairn/primitives';
import {
  AUDIT_TYPE,
  encodeAuditSheet,
  encodeOfficeVote,
  encodeServedReport,
  encodeSignedHandover,
  encodeVoteRequest,
  HANDOVER_TYPE,
  MAX_REPORT_REQUEST_BYTES,
  parseReportRequest,
  REPORT_REQUEST_TYPE,
  REPORT_TYPE,
  VOTE_REQUEST_TYPE,
  VOTE_TYPE,
} from '@cairn/wire-protocol/da';
import { officeRoutes } from '@cairn/wire-protocol/da-route-table';
import { SignerError } from '../../errors.ts';
import type { BatchBook } from './batch-book.ts';
import type { ServedReporter } from './report-served.ts';
import type { HandoverSigner } from './sign-handover.ts';

/** What the doors of a signer's office stand on. */
export interface OfficeDoorsDeps {
  readonly handovers: Pick<HandoverSigner, 'get' | 'vote'>;
  readonly batches: Pick<BatchBook, 'get'>;
  readonly reports: Pick<ServedReporter, 'sheetOf' | 'report' | 'vote'>;
  readonly clock: Clock;
  /** Aborts when the signer stops for good. */
  readonly stopping: AbortSignal;
}

/** Requests to sign a report that are worked on at once, and that wait: each may fetch many sheets. */
const VOTES_AT_ONCE = 1;
const MAX_VOTES_WAITING = 16;
const VOTE_TIMEOUT_MS = 60_000;

/** The public routes of a signer's office. */
export function officeDoors(deps: OfficeDoorsDeps): RouteGroup {
  const signing = new Semaphore({ limit: VOTES_AT_ONCE, maxWaiting: MAX_VOTES_WAITING });
  const table = { tag: 'data availability', routes: officeRoutes() };
  const { handovers, batches, reports } = deps;
  const send = (reply: HttpReplyOut, type: string, body: Uint8Array): Uint8Array => {
    void reply.type(type).header('cache-control', 'no-store');
    return body;
  };
  return async (app: HttpApp) => {
    acceptBytes(app, { maxBytes: MAX_REPORT_REQUEST_BYTES });
    addRoute(app, table, 'getHandover', async (request, reply) => {
      const epoch = pathNumber(request, 'epoch');
      const found = await handovers.get(epoch);
      if (found === undefined) throw noHandover(epoch);
      return send(reply, HANDOVER_TYPE, encodeSignedHandover(found));
    });
    addRoute(app, table, 'getHandoverVote', async (request, reply) => {
      const epoch = pathNumber(request, 'epoch');
      const vote = handovers.vote(epoch);
      if (vote === undefined) throw noHandover(epoch);
      return send(reply, VOTE_TYPE, encodeOfficeVote(vote));
    });
    addRoute(app, table, 'getBatch', async (request, reply) => {
      const root = parseRoot(pathText(request, 'root'));
      const batch = await batches.get(root);
      if (batch === undefined) {
        const text = `the headers of the batch ${root} are not kept here`;
        throw new SignerError({ code: 'BATCH_UNKNOWN', root }, text);
      }
      return send(reply, VOTE_REQUEST_TYPE, encodeVoteRequest(batch));
    });
    addRoute(app, table, 'getAudit', async (request, reply) => {
      const place = {
        epoch: pathNumber(request, 'epoch'),
        quorumId: pathNumber(request, 'quorum'),
      };
      const auditor = parseAddress(pathText(request, 'auditor'));
      const sheet = await reports.sheetOf(place, auditor);
      if (sheet === undefined) {
        const text = `no audit of ${auditor} in epoch ${place.epoch} is known here`;
        throw new SignerError({ code: 'AUDIT_UNKNOWN', ...place, auditor }, text);
      }
      return send(reply, AUDIT_TYPE, encodeAuditSheet(sheet));
    });
    addRoute(app, table, 'getReport', async (request, reply) => {
      const place = {
        epoch: pathNumber(request, 'epoch'),
        quorumId: pathNumber(request, 'quorum'),
      };
      const report = await reports.report(place);
      if (report === undefined) {
        const text = `no report of quorum ${place.quorumId} on epoch ${place.epoch} is known here`;
        throw new SignerError({ code: 'REPORT_UNKNOWN', ...place }, text);
      }
      return send(reply, REPORT_TYPE, encodeServedReport(report));
    });
    addRoute(app, table, 'postReportVote', async (request, reply) => {
      requireContentType(request.headers['content-type']);
      const wanted = parseReportRequest(bodyBytes(request));
      const work = (inner: AbortSignal) =>
        signing.run(() => reports.vote(wanted, { signal: inner }), inner);
      const signal = requestSignal(reply, deps.stopping);
      const { clock } = deps;
      const vote = await withDeadline('a vote', VOTE_TIMEOUT_MS, work, { clock, signal });
      return send(reply, VOTE_TYPE, encodeOfficeVote(vote));
    });
  };
}

function noHandover(epoch: number): SignerError {
  return new SignerError(
    { code: 'HANDOVER_UNKNOWN', epoch },
    `no handover to epoch ${epoch} is signed here yet`,
  );
}

function requireContentType(actual = 'none'): void {
  if (actual.split(';')[0]?.trim().toLowerCase() === REPORT_REQUEST_TYPE) return;
  throw new SignerError(
    { code: 'MEDIA_TYPE', expected: REPORT_REQUEST_TYPE, actual: actual.slice(0, 100) },
    `this is sent as ${REPORT_REQUEST_TYPE}`,
  );
}
