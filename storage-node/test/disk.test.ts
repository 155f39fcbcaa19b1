import { equal, rejects } from 'node:assert/strict';
import { type FileStore, isFault, memoryFileStore, silentLogger } from '@cairn/primitives';
import { DiskGuard, isNoRoom } from '../src/disk-guard.ts';
import { ReopeningFileStore } from '../src/reopening-file-store.ts';

const logger = silentLogger();

describe('the disk guard', () => {
  it('looks again at most once per interval and opens by itself', async () => {
    let [now, freeBytes, looks] = [0, 50, 0];
    const guard = new DiskGuard(
      {
        freeBytes: async () => {
          looks += 1;
          return freeBytes;
        },
        clock: { monotonic: () => now },
        logger,
      },
      { reserveBytes: 100, recheckMs: 1000 },
    );
    await rejects(guard.requireRoom(), (error) => isFault(error, 'STORE_FULL'));
    freeBytes = 200;
    now = 999;
    await rejects(guard.requireRoom(), (error) => isFault(error, 'STORE_FULL'));
    equal(looks, 1);
    now = 1000;
    await guard.requireRoom();
    equal(looks, 2);
  });

  it('learns of a full disk from a failed write', async () => {
    const guard = new DiskGuard(
      { freeBytes: async () => 10 ** 9, clock: { monotonic: () => 5 }, logger },
      { reserveBytes: 0, recheckMs: 1000 },
    );
    await guard.requireRoom();
    const enospc = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    equal(isFault(guard.faultOf(new Error('write', { cause: enospc })), 'STORE_FULL'), true);
    await rejects(guard.requireRoom(), (error) => isFault(error, 'STORE_FULL'));
    const other = new Error('EIO');
    equal(guard.faultOf(other), other);
    equal(isNoRoom(new Error('IO error: x.log: No space left on device')), true);
  });
});

describe('segment files that failed', () => {
  it('are opened anew, and writes from before are never taken for durable', async () => {
    let [now, opened, isBroken] = [0, 0, false];
    const beneath = memoryFileStore();
    const failing = async (): Promise<void> => {
      throw new Error('must be opened anew');
    };
    const open = async (): Promise<FileStore> => {
      opened += 1;
      let isDead = false;
      return {
        ...beneath,
        write: (offset, bytes) => (isDead ? failing() : beneath.write(offset, bytes)),
        sync: () => {
          isDead ||= isBroken;
          return isDead ? failing() : beneath.sync();
        },
      };
    };
    const store = await ReopeningFileStore.open({ open, clock: { monotonic: () => now }, logger });
    await store.write(0, Uint8Array.of(1));
    await store.sync();
    isBroken = true;
    await store.write(10, Uint8Array.of(2)); // written, not synced
    await rejects(store.sync(), /opened anew/);
    await rejects(store.write(20, Uint8Array.of(3)), /opened anew/);
    isBroken = false;
    now = 1000;
    await store.write(20, Uint8Array.of(3));
    equal(opened, 2);
    await rejects(store.sync(), (error) => isFault(error, 'STORE_REOPENED'));
    await store.sync();
    equal((await store.read(20, 1))[0], 3);
  });
});
