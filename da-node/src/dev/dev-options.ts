import type { PutStage } from '../doors/op-stack/op-stack-doors.ts';
import type { SwitchState } from './switches.ts';

/** Where a disperser without a chain listens, and how it begins. */
export interface DevDisperserOptions {
  /** Of the doors for rollups; switches are on loopback alone. */
  readonly host: string;
  /** 0: any free one, of each. */
  readonly port: number;
  readonly grpcPort: number;
  readonly nitroPort: number;
  readonly adminPort: number;
  /** What turns switches: a bearer token. */
  readonly adminToken: string;
  readonly switches: SwitchState;
  /** Memory for payloads. */
  readonly memoryBytes: number;
  readonly putTimeoutMs: number;
  /** How far a blob is when a rollup that put it has its answer. */
  readonly putWait: PutStage;
}
