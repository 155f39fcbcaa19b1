import { isRecord, MIB } from '@cairn/primitives';
import { CodecError } from '../errors.ts';
import type { MatrixShape } from '../row-codec.ts';

/**
 * What a parent and its GPU's process say to each other. Each request has one reply, and no message
 * carries more than a piece, so that neither side ever has more than MAX_UNDER_WAY pieces to take.
 */

/** Most bytes of rows in one message. */
export const PIECE_BYTES: number = 4 * MIB;
/** Requests without a reply at a time. */
export const MAX_UNDER_WAY = 4;

/** What the parent asks. Matrices have numbers that the parent gives. */
export type Task =
  | { readonly call: 'open'; readonly maxBufferBytes: number | undefined }
  | { readonly call: 'create'; readonly matrix: number; readonly shape: MatrixShape }
  | {
      readonly call: 'write';
      readonly matrix: number;
      readonly at: number;
      readonly piece: Uint8Array;
    }
  | { readonly call: 'encode'; readonly matrix: number }
  | { readonly call: 'leaves'; readonly matrix: number }
  | {
      readonly call: 'combine';
      readonly matrix: number;
      readonly part: 'data' | 'parity';
      readonly coefficients: Uint8Array;
    }
  | { readonly call: 'read'; readonly matrix: number; readonly indexes: readonly number[] };

/** What the parent sends: tasks, and notices that have no reply. */
export type Request =
  | { readonly id: number; readonly task: Task }
  | { readonly abort: number }
  | { readonly release: number };

/** What came of a task. Tasks without a result give no bytes. */
export type Reply =
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly fault: TaskFault };

/** What the faults of a device come to, in words. */
const FAULTS = {
  DEVICE_ABSENT: 'no GPU can be used',
  DEVICE_FULL: 'the device has no room',
  DEVICE_LOST: 'the device is lost',
} as const;

/** Why a task failed; `ABORTED` if the parent wished so. */
export interface TaskFault {
  readonly code: 'ABORTED' | keyof typeof FAULTS;
  readonly reason: string;
}

/** @throws {RangeError} if it is no reply */
export function parseReply(message: unknown): Reply {
  if (isRecord(message)) {
    const { id, bytes, fault } = message;
    if (typeof id === 'number' && bytes instanceof Uint8Array) return { id, bytes };
    if (typeof id === 'number' && isRecord(fault)) {
      const { code, reason } = fault;
      if (isFaultCode(code) && typeof reason === 'string') return { id, fault: { code, reason } };
    }
  }
  throw new RangeError('a message of a GPU process is not a reply');
}

/** @throws {CodecError} with the fault's reason; DEVICE_LOST for work that ended unasked */
export function throwFault({ code, reason }: TaskFault): never {
  const known = code === 'ABORTED' ? 'DEVICE_LOST' : code;
  throw new CodecError({ code: known, reason }, `${FAULTS[known]}: ${reason}`);
}

function isFaultCode(code: unknown): code is TaskFault['code'] {
  return typeof code === 'string' && (code === 'ABORTED' || Object.hasOwn(FAULTS, code));
}
