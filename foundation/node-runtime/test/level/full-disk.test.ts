import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openLevelStore } from '../../src/level/open-level-store.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const run = promisify(execFile);
const { signal } = new AbortController();

/** Takes all that is left of a disk. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'a');
  for (const part of [65_536, 4096]) {
    for (;;) {
      const wrote = await file.write(new Uint8Array(part)).catch(() => ({ bytesWritten: 0 }));
      if (wrote.bytesWritten < part) break;
    }
  }
  await file.close();
}

describe('an index on a full disk', () => {
  it('loses nothing that it wrote durably before, between or after, and goes on by itself', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await inTemporaryDirectory(async (directory) => {
      const disk = join(directory, 'small');
      await mkdir(disk);
      try {
        await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
      } catch {
        this.skip();
      }
      try {
        const index = join(disk, 'index');
        let store = await openLevelStore({ directory: index });
        const kept = new Map<number, number>();
        const keyOf = (at: number): Uint8Array => Uint8Array.of(at >> 8, at & 255);
        let at = 0;
        const put = async (length: number): Promise<boolean> => {
          at += 1;
          try {
            const value = new Uint8Array(length).fill(at & 255);
            await store.write([{ type: 'put', key: keyOf(at), value }], { sync: true });
            kept.set(at, length);
            return true;
          } catch {
            return false;
          }
        };
        const assertKept = async (): Promise<void> => {
          for (const [key, length] of kept) {
            const value = await store.get(keyOf(key));
            assert.equal(value?.length, length, `entry ${key} of ${kept.size}`);
          }
        };
        for (let round = 0; round < 4; round += 1) {
          for (let more = 0; more < 20; more += 1) assert.ok(await put(3000 + more));
          await fill(join(disk, 'filler'));
          let failed = 0;
          for (let more = 0; more < 12; more += 1) if (!(await put(5000))) failed += 1;
          assert.ok(failed > 0, 'the disk was full');
          await assertKept(); // reads go on
          await rm(join(disk, 'filler'));
          const deadline = performance.now() + 120_000;
          while (!(await put(100))) {
            assert.ok(performance.now() < deadline, 'it writes again once there is room');
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          for (let more = 0; more < 20; more += 1) assert.ok(await put(900));
          await assertKept();
          let seen = 0;
          for await (const _ of store.entries({}, { signal })) seen += 1;
          assert.ok(seen >= kept.size);
          if (round % 2 === 1) continue;
          await store.close();
          store = await openLevelStore({ directory: index });
          await assertKept();
        }
        await store.close();
        store = await openLevelStore({ directory: index });
        await assertKept();
        await store.close();
      } finally {
        await run('umount', ['-l', disk]);
      }
    });
  });
});
