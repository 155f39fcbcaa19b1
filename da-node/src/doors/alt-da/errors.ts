import { Fault } from '@cairn/primitives';

/** What no protocol of these paths answers. */
export type AltDaFault =
  /** Another mode than the two protocols have. */
  { readonly code: 'COMMITMENT_MODE' };

/** A request that no protocol of these paths answers. */
export class AltDaError extends Fault<AltDaFault> {}
