import { Fault } from '@cairn/primitives';

/** What a disperser without a chain refuses. */
export type DevFault =
  /** A switch that is not there, or a place it has not. */
  | { readonly code: 'DEV_SWITCH'; readonly field: string }
  /** No token, or another one. */
  | { readonly code: 'DEV_TOKEN' }
  /** An epoch that is not, or is no longer, known. */
  | { readonly code: 'DEV_EPOCH'; readonly epoch: number };

/** Something a disperser without a chain refused. */
export class DevError extends Fault<DevFault> {}
