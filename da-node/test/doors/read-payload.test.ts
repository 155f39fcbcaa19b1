import { deepEqual, rejects } from 'node:assert/strict';
import { parseRoot } from '@cairn/primitives';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { readPayload } from '../../src/doors/read-payload.ts';

describe('the payload of an accepted blob', () => {
  const { signal } = new AbortController();
  const id = parseRoot(`0x${'ab'.repeat(32)}`);
  const commitment = new Uint8Array(32).fill(7);
  const accepted = { id, sizeBytes: 3, suite: 0 } as BlobRecord;
  const dispersed = {
    ...accepted,
    order: { header: { commitment }, epoch: 4, quorumId: 0 },
  } as unknown as BlobRecord;
  const payload = Uint8Array.of(1, 2, 3);
  const admit = async () => undefined;

  it('is read from its quorum where it left the disk while memory was waited for', async () => {
    const disperser = { payload: async () => undefined, find: async () => dispersed };
    const asked: unknown[] = [];
    const reader = async (wanted: unknown) => {
      asked.push(wanted);
      return { payload } as never;
    };
    deepEqual(await readPayload(accepted, { disperser, reader }, { admit, signal }), payload);
    deepEqual(asked, [{ commitment, epoch: 4, quorumId: 0 }]);
  });

  it('is damaged where it is neither on the disk nor at a quorum', async () => {
    const disperser = { payload: async () => undefined, find: async () => accepted };
    const reader = () => Promise.reject(new Error('nobody is asked'));
    await rejects(readPayload(accepted, { disperser, reader }, { admit, signal }), {
      code: 'PAYLOAD_DAMAGED',
    });
  });
});
