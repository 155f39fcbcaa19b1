import { deepEqual, equal, throws } from 'node:assert/strict';
import { chainIdOf, parseRoot, stringifyJson } from '@cairn/primitives';
import {
  type BlobReceipt,
  blobReceiptJson,
  parseBlobReceipt,
  RECEIPT_STAGES,
} from '../../src/da/blob-receipt.ts';
import { blobRoutes } from '../../src/da/blob-route-table.ts';
import { certificatePath, payloadPath, receiptPath } from '../../src/da/blob-routes.ts';

const id = parseRoot(`0x${'ab'.repeat(32)}`);
const least: BlobReceipt = {
  id,
  chainId: chainIdOf(31_337),
  shardId: 0,
  sizeBytes: 5,
  stage: 'accepted',
};
const most: BlobReceipt = {
  ...least,
  stage: 'final',
  commitment: id,
  epoch: 7,
  quorumId: 1,
  expirySeconds: 1_900_000_000,
  batchRoot: id,
  leafIndex: 3,
  transaction: id,
  archive: { stage: 'stored', root: id, sequence: 9 },
  trouble: { code: 'STALLED', detail: 'it came to nothing' },
};

describe('blob receipts', () => {
  it('are read back as they were written', () => {
    const wanted: BlobReceipt = { ...least, archive: { stage: 'wanted' } };
    for (const receipt of [least, wanted, most]) {
      const text = stringifyJson(blobReceiptJson(receipt));
      deepEqual(parseBlobReceipt(JSON.parse(text)), receipt);
    }
  });

  it('are refused where a field is not what it should be', () => {
    const wrong: Readonly<Record<string, unknown>> = {
      id: '0x12',
      chainId: 0,
      shardId: -1,
      sizeBytes: 1.5,
      stage: 'done',
      commitment: 7,
      epoch: '7',
      leafIndex: -1,
      transaction: '0x',
    };
    for (const [field, value] of Object.entries(wrong)) {
      const json = { ...JSON.parse(stringifyJson(blobReceiptJson(most))), [field]: value };
      throws(() => parseBlobReceipt(json), { code: 'WIRE_FIELD' }, field);
    }
    for (const archive of [{ stage: 'lost' }, { stage: 'stored', root: id }, { stage: 'stored' }]) {
      const json = { ...JSON.parse(stringifyJson(blobReceiptJson(least))), archive };
      throws(() => parseBlobReceipt(json), { code: 'WIRE_FIELD' });
    }
    throws(() => parseBlobReceipt('final'), { code: 'WIRE_NOT_AN_OBJECT' });
  });

  it('are asked for by the paths that the routes have', () => {
    const paths = blobRoutes(9).map(({ path }) => path.replace('{id}', id));
    for (const path of [receiptPath(id), certificatePath(id), payloadPath(id)]) {
      equal(paths.includes(path), true, path);
    }
    const waiting = receiptPath(id, { stage: 'confirmed', timeoutSeconds: 9 });
    equal(waiting, `/v1/blobs/${id}?wait=confirmed&timeout=9`);
    deepEqual([...RECEIPT_STAGES], ['accepted', 'dispersed', 'confirmed', 'final']);
  });
});
