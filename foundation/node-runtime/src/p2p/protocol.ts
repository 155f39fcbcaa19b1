import type {
  Fault,
  PeerCall,
  PeerHandler,
  PeerProtocol,
  PeerQuota,
  PeerServeOptions,
} from '@cairn/primitives';
import { P2pError } from './errors.ts';
import { MAX_P2P_MESSAGE_BYTES } from './limits.ts';

/** A question that has one answer: see the port. */
export type P2pProtocol = PeerProtocol;
/** How a protocol is served; a request that is none is refused by a {@link P2pRefusal}. */
export type P2pServeOptions = PeerServeOptions;
/** Who asks. */
export type P2pCall = PeerCall;
/**
 * Answers a request with at most the protocol's bytes.
 *
 * @throws {P2pRefusal} to refuse; anything else is told as INTERNAL and logged
 */
export type P2pHandler = PeerHandler;

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
export function requireQuota({ burstItems, itemsPerSecond }: PeerQuota): void {
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
