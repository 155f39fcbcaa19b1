import { type Address, type ChainId, Fault } from '@cairn/primitives';
import type { DaRole } from './config-schema.ts';

/** Why a process of this package cannot start or go on. */
export type DaNodeFault =
  /** A setting that cannot work. */
  | { readonly code: 'NODE_CONFIG'; readonly field: string }
  /** The entrance's network has its hub on another chain, and no endpoint of it is named. */
  | { readonly code: 'NODE_HUB_ELSEWHERE'; readonly chainId: ChainId; readonly hubChainId: ChainId }
  /** Only dispersers serve an entrance away from the hub. */
  | {
      readonly code: 'NODE_ROLE_ELSEWHERE';
      readonly role: DaRole;
      readonly chainId: ChainId;
      readonly hubChainId: ChainId;
    }
  /** Nothing orders checkpoints on the hub. */
  | { readonly code: 'NODE_NOTHING_ORDERED'; readonly hub: Address }
  /** A key file that does not hold what it should. Nothing of it is told. */
  | { readonly code: 'NODE_KEY'; readonly file: string; readonly expected: string }
  /** The account signs with another key than the one configured. */
  | { readonly code: 'NODE_OTHER_KEY'; readonly signer: string; readonly epoch: number }
  /** The data directory belongs to another account, entrance or key. */
  | {
      readonly code: 'NODE_IDENTITY';
      readonly field: string;
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly code: 'NODE_STOPPING' };

/** Something about a process of this package, its settings or keys. */
export class DaNodeError extends Fault<DaNodeFault> {}
