import type { Fault } from '@cairn/primitives';
import { P2pError } from './errors.ts';
import { MAX_P2P_MESSAGE_BYTES } from './limits.ts';
import type { P2pQuota } from './token-buckets.ts';

/** A question that has one answer: what both sides know of it. */
export interface P2pProtocol {
  /** `/cairn/<area>/<question>/<version>`. */
  readonly id: string;
  /** Bytes of a request at most, up to 1 MiB; it has at least one. */
  readonly maxRequestBytes: number;
  /** Bytes of a reply at most, up to 1 MiB; it may have none. */
  readonly maxReplyBytes: number;
}

/** How a protocol is served. */
export interface P2pServeOptions {
  /** What one peer may use. */
  readonly quota: P2pQuota;
  /**
   * Items that a request asks for, at least 1 each; 1 unless told.
   *
   * @throws {P2pRefusal} for a request that is none
   */
  readonly itemsOf?: (request: Uint8Array) => number;
}

/** Who asks. */
export interface P2pCall {
  /** Its peer id, proven by the connection. */
  readonly peer: string;
  /** Aborts when time is up, the stream ends or the host stops. */
  readonly signal: AbortSignal;
}

/**
 * Answers a request with at most the protocol's bytes.
 *
 * @throws {P2pRefusal} to refuse; anything else is told as INTERNAL and logged
 */
export type P2pHandler = (request: Uint8Array, call: P2pCall) => Promise<Uint8Array>;

/** How a request ended, as it is measured. */
export type P2pOutcome =
  | 'ok'
  | 'refused'
  | 'quota'
  | 'busy'
  | 'unreachable'
  | 'timeout'
  | 'broken'
  | 'aborted';

/** What hosts refuse with by themselves. */
export const OWN_REFUSALS = {
  quota: 'P2P_QUOTA',
  busy: 'P2P_BUSY',
  stopping: 'P2P_STOPPED',
} as const;

/** @throws {P2pError} P2P_SETTING */
export function requireProtocol({ id, maxRequestBytes, maxReplyBytes }: P2pProtocol): void {
  if (!/^(\/[a-z0-9.-]{1,32}){2,6}$/.test(id)) throw settingFault('id');
  if (!isWithin(maxRequestBytes, 1)) throw settingFault('maxRequestBytes');
  if (!isWithin(maxReplyBytes, 0)) throw settingFault('maxReplyBytes');
}

/** @throws {P2pError} P2P_SETTING */
export function requireQuota({ burstItems, itemsPerSecond }: P2pQuota): void {
  if (!(burstItems >= 1)) throw settingFault('burstItems');
  if (!(itemsPerSecond > 0)) throw settingFault('itemsPerSecond');
}

function isWithin(bytes: number, least: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= least && bytes <= MAX_P2P_MESSAGE_BYTES;
}

function settingFault(field: string): Fault {
  return new P2pError(
    { code: 'P2P_SETTING', field },
    `${field} of a protocol is not what it can be`,
  );
}
