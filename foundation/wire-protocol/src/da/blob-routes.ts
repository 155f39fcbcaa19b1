import type { Root } from '@cairn/primitives';
import type { ReceiptStage } from './blob-receipt.ts';

/** Path that takes payloads. */
export const BLOBS_PATH = '/v1/blobs';
/** Content type of a certificate. */
export const CERTIFICATE_TYPE = 'application/vnd.cairn.certificate';
/** Seconds that one request may wait for a stage. */
export const MAX_RECEIPT_WAIT_SECONDS = 300;

/** What to wait for. */
export interface ReceiptWait {
  readonly stage: ReceiptStage;
  /** 0 … 300; the receipt comes then, whatever it says. */
  readonly timeoutSeconds: number;
}

/** Path of a blob's receipt. */
export function receiptPath(id: Root, wait?: ReceiptWait): string {
  const query = wait === undefined ? '' : `?wait=${wait.stage}&timeout=${wait.timeoutSeconds}`;
  return `${BLOBS_PATH}/${id}${query}`;
}

/** Path of a blob's certificate. */
export function certificatePath(id: Root): string {
  return `${BLOBS_PATH}/${id}/certificate`;
}

/** Path of a blob's payload. */
export function payloadPath(id: Root): string {
  return `${BLOBS_PATH}/${id}/payload`;
}
