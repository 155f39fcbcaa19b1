import { Fault } from '@cairn/primitives';

/** What can go wrong with a submission besides the chain and the transaction. */
export type FlowFault =
  | { readonly code: 'FLOW_BATCH_SIZE'; readonly submissions: number; readonly largest: number }
  /** The transaction went through, but its receipt lacks the events it must have. */
  | {
      readonly code: 'FLOW_NO_EVENT';
      readonly transactionHash: string;
      readonly events: number;
      readonly expected: number;
    }
  | { readonly code: 'FLOW_NODES'; readonly reason: string };

/** A submission that cannot be made, or whose receipt does not show it. */
export class FlowError extends Fault<FlowFault> {}
