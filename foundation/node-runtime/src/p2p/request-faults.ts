import { describeError, isFault } from '@cairn/primitives';
import { P2pError } from './errors.ts';
import { OWN_REFUSALS, type P2pOutcome } from './protocol.ts';

/** A request that came to nothing. */
export interface FailedRequest {
  readonly peer: string;
  /** Id of its protocol. */
  readonly protocol: string;
  readonly timeoutMs: number;
}

/** What is told of an error in a request. */
export function requestFault(error: unknown, { peer, protocol, timeoutMs }: FailedRequest): Error {
  if (error instanceof P2pError) return error;
  if (isFault(error, 'QUEUE_FULL')) return error;
  if (isFault(error, 'DEADLINE_PASSED')) {
    return new P2pError(
      { code: 'P2P_TIMEOUT', peer, protocol, timeoutMs },
      `${peer} did not answer ${protocol} within ${timeoutMs} ms`,
    );
  }
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
    return new P2pError(
      { code: 'P2P_PROTOCOL_UNKNOWN', peer, protocol },
      `${peer} does not speak ${protocol}`,
    );
  }
  return new P2pError(
    { code: 'P2P_UNREACHABLE', peer, protocol },
    `${peer} gave no answer to ${protocol}: ${describeError(error)}`,
    { cause: error },
  );
}

/** What is told of a refusal. */
export function refusalFault(
  { code: reply, sentence }: { readonly code: string; readonly sentence: string },
  peer: string,
  protocol: string,
): P2pError {
  if (reply === OWN_REFUSALS.quota || reply === OWN_REFUSALS.busy) {
    return new P2pError({ code: reply, peer, protocol }, sentence);
  }
  return new P2pError({ code: 'P2P_REFUSED', peer, protocol, reply }, sentence);
}

/** A host that takes and makes no more requests. */
export function stoppedFault(): P2pError {
  return new P2pError({ code: 'P2P_STOPPED' }, 'the host is stopping');
}

const OUTCOMES: Readonly<Record<string, P2pOutcome>> = {
  P2P_REFUSED: 'refused',
  P2P_QUOTA: 'quota',
  P2P_BUSY: 'busy',
  QUEUE_FULL: 'busy',
  P2P_UNREACHABLE: 'unreachable',
  P2P_PROTOCOL_UNKNOWN: 'unreachable',
  P2P_TIMEOUT: 'timeout',
  P2P_TOO_LONG: 'broken',
  P2P_FRAME: 'broken',
};

/** How a failed request is measured. */
export function outcomeOf(error: unknown): P2pOutcome {
  return isFault(error) ? (OUTCOMES[error.code] ?? 'aborted') : 'aborted';
}
