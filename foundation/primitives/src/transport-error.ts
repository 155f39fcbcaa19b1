import { Fault } from './fault.ts';

export type TransportFault =
  | { readonly code: 'TRANSPORT_UNREACHABLE'; readonly url: string }
  | { readonly code: 'TRANSPORT_TIMEOUT'; readonly url: string; readonly timeoutMs: number }
  | { readonly code: 'TRANSPORT_REPLY_TOO_LARGE'; readonly url: string; readonly maxBytes: number }
  | { readonly code: 'TRANSPORT_BROKEN_REPLY'; readonly url: string; readonly reason: string }
  | { readonly code: 'TRANSPORT_STATUS'; readonly url: string; readonly status: number };

/** A request that got no usable reply. Another try, or another holder, may help. */
export class TransportError extends Fault<TransportFault> {}
