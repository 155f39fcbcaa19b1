import { type Root, rootOf, stringifyJson, toHex, utf8Bytes } from '@cairn/primitives';
import { type BlobOrder, orderJson, orderOf } from './blob-order.ts';
import { bytesOf, decodeStored, listOf, numbersOf, type StoredFields } from './stored-json.ts';

/** A signed batch as it is stored: what a confirmation needs beside the committee. */
export interface StoredBatch {
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  readonly ids: readonly Root[];
  readonly orders: readonly BlobOrder[];
  readonly absent: readonly number[];
  /** The aggregate, 96 bytes. */
  readonly signature: Uint8Array;
}

/** A batch as it is stored. */
export function encodeBatch(batch: StoredBatch): Uint8Array {
  const { root, epoch, quorumId, ids, orders, absent, signature } = batch;
  return utf8Bytes(
    stringifyJson({
      root: toHex(root),
      epoch,
      quorumId,
      ids,
      orders: orders.map(orderJson),
      absent,
      signature: toHex(signature),
    }),
  );
}

/** A stored batch. @throws {DispersalError} DISPERSAL_RECORD */
export function decodeBatch(bytes: Uint8Array): StoredBatch {
  return decodeStored('a batch', bytes, (fields) => ({
    root: bytesOf(fields['root']),
    epoch: Number(fields['epoch']),
    quorumId: Number(fields['quorumId']),
    ids: listOf(fields['ids']).map((id) => rootOf(bytesOf(id))),
    orders: listOf(fields['orders']).map((order) => orderOf(order as StoredFields)),
    absent: numbersOf(fields['absent']),
    signature: bytesOf(fields['signature']),
  }));
}
