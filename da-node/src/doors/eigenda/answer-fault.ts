import { ClientGone, type HttpReplyOut } from '@cairn/node-runtime/http';
import { isFault } from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import { DROPPED, EigendaError } from './errors.ts';

/** Refused for now, and not for what was sent: the same request may be taken a little later. */
const RATE_CODES: readonly string[] = ['ACCOUNT_BUDGET', 'DISPERSAL_QUEUE_FULL', 'QUEUE_FULL'];
/** Statuses of our own doors that lie with the client; a proxy has 400 for all of them. */
const CLIENT_STATUS: readonly number[] = [400, 408, 413, 415, 422];

/**
 * Answers as an EigenDA proxy does: 418 with a code for a certificate that rollups drop, 400, 403 and
 * 429 for what lies with the client, 503 for everything else, since nothing is decided by it. The body
 * of all but the first is a sentence.
 *
 * @throws what was thrown, where nobody waits for an answer
 */
export function answerEigendaFault(error: unknown, reply: HttpReplyOut): string {
  if (error instanceof ClientGone) throw error;
  if (error instanceof EigendaError && error.facts.code === 'EIGENDA_CERTIFICATE') {
    void reply.code(418).type('application/json');
    const { reason } = error.facts;
    return JSON.stringify({ StatusCode: DROPPED[reason], Msg: error.message });
  }
  const status = statusOf(error);
  void reply.code(status).type('text/plain; charset=utf-8').header('cache-control', 'no-store');
  return `${problemOf(error).detail}\n`;
}

function statusOf(error: unknown): number {
  if (isFault(error, 'ACCOUNT_UNKNOWN')) return 403;
  if (RATE_CODES.some((code) => isFault(error, code))) return 429;
  return CLIENT_STATUS.includes(problemOf(error).status) ? 400 : 503;
}
