import { ok } from 'node:assert/strict';
import { KIB, MIB } from '@cairn/primitives';
import { payloadOf, TestQuorum } from '../dispersal/harness.ts';

describe('bytes on the wire', () => {
  for (const [name, sizeBytes, most] of [
    ['8 MiB', 8 * MIB, 4.4],
    ['128 KiB', 128 * KIB, 5.5],
  ] as const) {
    it(`are at most ${most} times a payload of ${name} for four members: rows, hashes, combinations, votes`, async () => {
      const quorum = await TestQuorum.open();
      const patience = { timeoutMs: 20_000, attempts: 1, delayMs: 20, laggardMs: 10_000 };
      const running = await quorum.disperser({ settings: { delivery: patience } });
      try {
        const { id } = await running.put(payloadOf(sizeBytes));
        await running.reached(id, 'confirmed', 180_000);
      } finally {
        await running.stop();
      }
      ok(quorum.signers.every(({ heldBlobs }) => heldBlobs === 1));
      const sentBytes = quorum.signers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
      const times = sentBytes / sizeBytes;
      ok(times <= most, `${sentBytes} bytes are ${times.toFixed(3)} times the payload`);
      ok(times > 4, 'all rows are sent');
      await quorum.close();
    });
  }
});
