import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import {
  encodeSectorMessage,
  MAX_SECTOR_MESSAGE_BYTES,
  parseSectorMessage,
} from '../src/sector-message.ts';

describe('the message of one sector', () => {
  it('is the sector and then its path, and comes back as both', () => {
    for (const depth of [0, 1, 10, 50]) {
      const data = new Uint8Array(256).fill(7);
      const siblings = Array.from({ length: depth }, (_, level) =>
        new Uint8Array(32).fill(level + 1),
      );
      assert.deepEqual(parseSectorMessage(encodeSectorMessage({ data, siblings })), {
        data,
        siblings,
      });
    }
  });

  it('is refused with a part of a hash, without its sector, or beyond the deepest path', () => {
    for (const length of [0, 255, 257, 256 + 31, MAX_SECTOR_MESSAGE_BYTES + 32]) {
      assert.throws(
        () => parseSectorMessage(new Uint8Array(length)),
        (error) => isFault(error, 'WIRE_FIELD'),
        String(length),
      );
    }
  });
});
