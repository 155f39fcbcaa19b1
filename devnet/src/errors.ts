import { Fault } from '@cairn/primitives';

export type DevnetFault =
  | { readonly code: 'TOPOLOGY_INVALID'; readonly field: string; readonly text: string }
  | { readonly code: 'PORT_IN_USE'; readonly port: number; readonly service: string }
  | { readonly code: 'PORT_OUT_OF_RANGE'; readonly port: number; readonly service: string }
  | { readonly code: 'NO_FREE_PORT'; readonly wanted: number; readonly tried: number }
  | { readonly code: 'ANVIL_MISSING'; readonly platform: string; readonly arch: string }
  | {
      readonly code: 'PROCESS_ENDED';
      readonly name: string;
      readonly exit: string;
      readonly log: string;
    }
  | {
      readonly code: 'PROCESS_NOT_READY';
      readonly name: string;
      readonly timeoutMs: number;
      readonly log: string;
    }
  | { readonly code: 'DEVNET_RUNNING'; readonly directory: string; readonly pid: number }
  | { readonly code: 'DEVNET_NOT_RUNNING'; readonly directory: string }
  | { readonly code: 'DEVNET_START_FAILED'; readonly directory: string; readonly reason: string }
  | { readonly code: 'DEVNET_NOT_STOPPED'; readonly directory: string; readonly pids: number[] }
  | { readonly code: 'CHAIN_REFUSED'; readonly method: string; readonly reason: string }
  /** No committee of signers took office; `turns` epochs were tried. */
  | { readonly code: 'NO_COMMITTEE'; readonly turns: number }
  | { readonly code: 'DEVNET_KEPT'; readonly directory: string }
  | { readonly code: 'SERVICE_UNKNOWN'; readonly name: string; readonly known: readonly string[] };

/** A devnet that cannot be started, found or stopped. */
export class DevnetError extends Fault<DevnetFault> {}
