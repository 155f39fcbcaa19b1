import Type from 'typebox';
import { binary, type HttpRoute, plain, problems } from '../route-parts.ts';
import { AUDIT_TYPE } from './audit-sheet.ts';
import {
  CHECKPOINT_OFFER_TYPE,
  CHECKPOINT_REQUEST_TYPE,
  MAX_CHECKPOINT_REQUEST_BYTES,
} from './checkpoint-messages.ts';
import {
  CHECKPOINT_VOTES_PATH,
  CHECKPOINTS_PATH,
  REPORT_VOTES_PATH,
  TICKETS_PATH,
} from './office-routes.ts';
import { MAX_REPORT_REQUEST_BYTES, REPORT_REQUEST_TYPE, REPORT_TYPE } from './served-report.ts';
import { HANDOVER_TYPE } from './signed-handover.ts';
import { TICKET_BYTES, TICKET_TYPE } from './ticket-message.ts';
import { VOTE_REQUEST_TYPE, VOTE_TYPE } from './votes.ts';

const natural = () => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const hash = () => Type.String({ pattern: '^0x[0-9a-fA-F]{64}$' });
const address = () => Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });

/** The route of a keeper that relays tickets. */
export function keeperRoutes(): readonly HttpRoute[] {
  return [
    {
      method: 'POST',
      path: TICKETS_PATH,
      id: 'postTicket',
      summary: 'Takes a signer’s ticket of the next epoch, to bring it to the chain with others',
      body: { type: TICKET_TYPE, maxBytes: TICKET_BYTES },
      replies: {
        202: { description: 'verified, and brought to the chain with the next batch' },
        ...problems(400, 409, 413, 415, 422, 429, 503),
      },
    },
  ];
}

/** The routes of what signers do by virtue of their office: handovers, audits, served reports. */
export function officeRoutes(): readonly HttpRoute[] {
  const ofEpoch = plain(Type.Object({ epoch: natural() }));
  const ofQuorum = plain(Type.Object({ epoch: natural(), quorum: natural() }));
  return [
    {
      method: 'GET',
      path: '/v1/da/handovers/{epoch}',
      id: 'getHandover',
      summary: 'The handover that names an epoch, signed by the committee of the one before',
      params: ofEpoch,
      replies: { 200: binary('the handover', HANDOVER_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/handovers/{epoch}/vote',
      id: 'getHandoverVote',
      summary: 'This signer’s vote for that handover',
      params: ofEpoch,
      replies: { 200: binary('the vote', VOTE_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/batches/{root}',
      id: 'getBatch',
      summary: 'The headers of a batch that the signer signed for, in order',
      params: plain(Type.Object({ root: hash() })),
      replies: { 200: binary('the batch', VOTE_REQUEST_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/audits/{epoch}/{quorum}/{auditor}',
      id: 'getAudit',
      summary: 'The drawn rows that a member of a quorum got from their holders in its epoch',
      params: plain(Type.Object({ epoch: natural(), quorum: natural(), auditor: address() })),
      replies: { 200: binary('the sheet', AUDIT_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/reports/{epoch}/{quorum}',
      id: 'getReport',
      summary: 'The served report of a quorum on its epoch, from which holders claim',
      params: ofQuorum,
      replies: { 200: binary('the report', REPORT_TYPE), ...problems(400, 404) },
    },
    {
      method: 'POST',
      path: REPORT_VOTES_PATH,
      id: 'postReportVote',
      summary: 'Signs for the served report that follows from these audits',
      body: { type: REPORT_REQUEST_TYPE, maxBytes: MAX_REPORT_REQUEST_BYTES },
      replies: {
        200: binary('the vote', VOTE_TYPE),
        ...problems(400, 404, 409, 410, 413, 415, 421, 503),
      },
    },
  ];
}

/** The routes of signers that watch consensus shards. */
export function checkpointRoutes(): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: CHECKPOINTS_PATH,
      id: 'getCheckpoints',
      summary:
        'The checkpoints of all shards that are not ordered yet and that the signer would sign for',
      replies: { 200: binary('the checkpoints', CHECKPOINT_OFFER_TYPE), ...problems(503) },
    },
    {
      method: 'POST',
      path: CHECKPOINT_VOTES_PATH,
      id: 'postCheckpointVote',
      summary: 'Signs for a bundle of checkpoints',
      body: { type: CHECKPOINT_REQUEST_TYPE, maxBytes: MAX_CHECKPOINT_REQUEST_BYTES },
      replies: {
        200: binary('the vote', VOTE_TYPE),
        ...problems(400, 404, 409, 410, 413, 415, 421, 503),
      },
    },
  ];
}
