import type { OrderState } from '@cairn/attestation';
import { isZeroBytes } from '@cairn/primitives';
import type { ReadOptions } from '../da/contract.ts';
import type { EpochInfo } from '../da/hub-facts.ts';
import type { Mirror } from './open-mirror.ts';

/** What a mirror was told last. */
export interface MirrorHead {
  /** The newest epoch that is known; it may not have begun. */
  readonly epoch: number;
  /** Hash of its header, 32 bytes. */
  readonly headerHash: Uint8Array;
  /** Checkpoints under the newest root of the order that is known. */
  readonly orderCount: number;
}

/** What a mirror knows; `undefined` until its admin has anchored it. */
export async function readMirrorHead(
  { contract }: Pick<Mirror, 'contract'>,
  options: ReadOptions,
): Promise<MirrorHead | undefined> {
  const headerHash = (await contract.read('headerHash', [], options)).bytes(0);
  if (isZeroBytes(headerHash)) return undefined;
  return {
    epoch: (await contract.read('headEpoch', [], options)).number(0),
    headerHash,
    orderCount: (await contract.read('orderCount', [], options)).number(0),
  };
}

/** The epoch that holds office by the time of the mirror's chain. */
export async function readMirrorEpoch(
  { contract }: Pick<Mirror, 'contract'>,
  options: ReadOptions,
): Promise<number> {
  return (await contract.read('currentEpoch', [], options)).number(0);
}

/** What a mirror knows of an epoch; `undefined` for one that it was not told. */
export async function readMirroredEpoch(
  { contract }: Pick<Mirror, 'contract'>,
  epoch: number,
  options: ReadOptions,
): Promise<EpochInfo | undefined> {
  const values = await contract.read('epochInfo', [epoch], options);
  const groups = values.number('groups');
  if (groups === 0) return undefined;
  return {
    startSeconds: values.number('startTime'),
    endSeconds: values.number('endTime'),
    seed: values.bytes('seed'),
    groups,
  };
}

/** The newest root of the order that a mirror was told. */
export async function readMirroredOrder(
  { contract }: Pick<Mirror, 'contract'>,
  options: ReadOptions,
): Promise<OrderState> {
  const values = await contract.read('orderRoot', [], options);
  return { root: values.bytes(0), count: values.number(1) };
}
