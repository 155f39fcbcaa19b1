import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, seededRng, sequenceOf, silentLogger } from '@cairn/primitives';
import {
  type OfflineStores,
  openOffline,
  repairDatabase,
  restoreSnapshot,
  scrubDatabase,
  writeSnapshot,
} from '@cairn/storage-node/db';
import { ownedSegments } from '@cairn/wire-protocol';
import { type TestFile, TestNode, testFile } from '../../storage-node/test/harness.ts';
import { type BundledProgram, bundleProgram } from '../support/bundle-program.ts';
import { canTrace, runAndKill } from '../support/kill-at-call.ts';
import { isSoak, seedOf } from '../support/soak.ts';

const SEED = seedOf(90_210);
const SEGMENT = 262_144;
const SEGMENTS = [9, 5, 12, 1];
const { signal } = new AbortController();
/** In the soak every call up to where an operation ends; else as many by chance. */
const KILLS_EACH = 2;

/** One thing that is done to a data directory, and what must be true of it whenever it was killed. */
interface Operation {
  readonly name: string;
  /** Before each run; `data` is a fresh copy. */
  readonly prepare?: (data: string) => Promise<void>;
  readonly command: (data: string) => readonly string[];
  readonly check: (data: string, where: string) => Promise<void>;
}

describe('upkeep that is killed', () => {
  let folder: string;
  let original: string;
  let snapshot: string;
  let program: BundledProgram;
  let files: TestFile[];
  /** First sector of each file. */
  let starts: number[];
  const isTraced = canTrace();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-upkeep-'));
    program = await bundleProgram(join(import.meta.dirname, '..', 'support', 'upkeep-program.ts'));
    const node = await TestNode.start();
    files = await Promise.all(SEGMENTS.map((count, at) => testFile(count * SEGMENT - 77, at + 1)));
    const sequences = await node.announce(...files);
    for (const [at, file] of files.entries()) {
      const count = SEGMENTS[at] ?? 0;
      for (let index = 0; index < count; index += 1) await node.put(file, index, sequences[at]);
    }
    await node.stop();
    original = node.directory;
    const stores = await openOffline(original, { logger: silentLogger(), signal });
    const entries = await Promise.all(SEGMENTS.map((_, at) => stores.log.entryAt(sequenceOf(at))));
    starts = entries.map((entry) => entry?.startSector ?? Number.NaN);
    snapshot = join(folder, 'whole.snapshot');
    const parts: Uint8Array[] = [];
    await writeSnapshot(stores, async (bytes) => void parts.push(bytes.slice()), { signal });
    await writeFile(snapshot, Buffer.concat(parts));
    await stores.close();
  });
  after(async () => {
    await program?.remove();
    for (const path of [folder, original]) {
      if (path !== undefined) await rm(path, { recursive: true, force: true });
    }
  });

  const withStores = async (data: string, work: (stores: OfflineStores) => Promise<void>) => {
    const stores = await openOffline(data, { logger: silentLogger(), signal });
    try {
      await work(stores);
    } finally {
      await stores.close();
    }
  };

  /** All segments that the shard keeps of live files are there and right, but for `lost`. */
  const assertHeld = async (
    { log, segments, keeper }: OfflineStores,
    where: string,
    lost: (file: number, index: number) => boolean = () => false,
  ): Promise<void> => {
    for (const [at, file] of files.entries()) {
      const entry = await log.entryAt(sequenceOf(at));
      assert.ok(entry !== undefined, where);
      if ((await log.stateOf(entry.sequence)).pruned) continue;
      let isWhole = true;
      for (const index of ownedSegments(keeper.current, entry.startSector, entry.sizeBytes)) {
        const held = await segments.get(entry, index, { signal });
        if (lost(at, index)) {
          isWhole = false;
          assert.equal(held, undefined, `${where}: damaged segment ${index} of file ${at}`);
          continue;
        }
        const wanted = file.bytes.subarray(index * SEGMENT, (index + 1) * SEGMENT);
        assert.ok(held !== undefined, `${where}: segment ${index} of file ${at} is gone`);
        assert.equal(Buffer.compare(held.data.subarray(0, wanted.length), wanted), 0, where);
      }
      const { finalized } = await log.stateOf(entry.sequence); // reading may have found the damage
      assert.equal(finalized, isWhole, `${where}: mark of file ${at}`);
    }
  };
  const assertClean = async (stores: OfflineStores, where: string): Promise<void> => {
    assert.equal((await scrubDatabase(stores, { signal })).damaged, 0, `${where}: it checks clean`);
  };

  const flip = async (data: string): Promise<void> => {
    const file = await open(join(data, 'segments', '00000000.flat'), 'r+');
    const at = (starts[2] ?? 0) * 256 + 4 * SEGMENT + 1000;
    await file.write(Uint8Array.of((files[2]?.bytes[4 * SEGMENT + 1000] ?? 0) ^ 8), 0, 1, at);
    await file.close();
  };
  const isFlipped = (file: number, index: number): boolean => file === 2 && index === 4;

  const operations: readonly Operation[] = [
    {
      name: 'scrub',
      prepare: flip,
      command: (data) => ['scrub', data],
      check: (data, where) =>
        withStores(data, async (stores) => {
          await scrubDatabase(stores, { signal });
          await assertHeld(stores, where, isFlipped);
          await assertClean(stores, where);
        }),
    },
    {
      name: 'migrate',
      command: (data) => ['migrate', data, '1/2'],
      check: (data, where) =>
        withStores(data, async (stores) => {
          await assertHeld(stores, `${where}, as it was left`);
          const { count } = stores.keeper.current;
          assert.ok(count === 1 || count === 2, where);
          await stores.finishWork(signal);
          await assertHeld(stores, where);
          await assertClean(stores, where);
        }),
    },
    {
      name: 'prune',
      command: (data) => ['prune', data, String(starts[2])],
      check: (data, where) =>
        withStores(data, async (stores) => {
          await assertHeld(stores, `${where}, as it was left`);
          await stores.finishWork(signal);
          await stores.prune(starts[2] ?? 0, signal);
          for (const [at] of files.entries()) {
            const { pruned } = await stores.log.stateOf(sequenceOf(at));
            assert.equal(pruned, at < 2, where);
          }
          await assertHeld(stores, where);
          await assertClean(stores, where);
        }),
    },
    {
      name: 'snapshot',
      command: (data) => ['snapshot', data, `${data}.snapshot`],
      check: async (data, where) => {
        await withStores(data, async (stores) => {
          await assertHeld(stores, where);
          await assertClean(stores, where);
        });
        const path = `${data}.snapshot`;
        if (!existsSync(path)) return;
        assert.ok((await readFile(path)).equals(await readFile(snapshot)), `${where}: it is whole`);
      },
    },
    {
      name: 'restore',
      prepare: (data) => rm(data, { recursive: true }),
      command: (data) => ['restore', data, snapshot],
      check: async (data, where) => {
        if (!existsSync(data)) {
          await restoreSnapshot(readParts(snapshot), data, { signal }); // over what was left of the first
        }
        await withStores(data, async (stores) => {
          await assertHeld(stores, where);
          await assertClean(stores, where);
        });
      },
    },
  ];

  for (const operation of operations) {
    const how = isTraced ? 'at its write calls' : 'at moments by chance (strace does not run here)';
    it(`loses nothing when ${operation.name} is killed ${how}`, async () => {
      const rng = seededRng(SEED + operation.name.length);
      let killed = 0;
      let reach = 64;
      for (let round = 0; isSoak || killed < KILLS_EACH; round += 1) {
        const nth = isSoak ? round + 1 : 1 + rng.below(reach);
        const data = join(folder, `${operation.name}-${round}`);
        await cp(original, data, { recursive: true });
        await operation.prepare?.(data);
        const wasKilled = await runAndKill([program.path, ...operation.command(data)], nth, {
          isTraced,
        });
        await operation.check(data, `seed ${SEED}, killed at call ${nth}`);
        for (const path of [data, `${data}.snapshot`, `${data}.snapshot.part`]) {
          await rm(path, { recursive: true, force: true });
        }
        if (wasKilled) killed += 1;
        else if (isSoak)
          break; // there are no more calls
        else reach = nth; // calls after the end tell nothing
      }
      assert.ok(killed > 0);
      if (isSoak) process.stderr.write(`      ${operation.name}: killed at ${killed} calls\n`);
    });
  }

  it('says that the disk is full, keeps what it has, and goes on with room', async function () {
    const disk = join(folder, 'small');
    await mkdir(disk);
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0;
    if (!mount('size=24m')) this.skip(); // needs the right to mount
    try {
      const data = join(disk, 'data');
      await cp(original, data, { recursive: true });
      await flip(data);
      const filler = join(disk, 'filler');
      const fill = async (): Promise<void> => {
        const file = await open(filler, 'a');
        for (const part of [65_536, 4096]) {
          for (;;) {
            const { bytesWritten } = await file
              .write(new Uint8Array(part))
              .catch(() => ({ bytesWritten: 0 }));
            if (bytesWritten < part) break;
          }
        }
        await file.close();
      };
      const attempt = async (
        work: (stores: OfflineStores) => Promise<unknown>,
      ): Promise<string> => {
        try {
          await withStores(data, async (stores) => void (await work(stores)));
          return 'done';
        } catch (error) {
          return isFault(error) ? error.code : String(error);
        }
      };
      const migrate = async (stores: OfflineStores): Promise<void> => {
        await stores.finishWork(signal);
        await stores.keeper.begin({ id: 1, count: 2 }, 'admin');
        await stores.finishWork(signal);
      };
      for (const [name, work] of Object.entries({
        scrub: (stores: OfflineStores) => scrubDatabase(stores, { signal }),
        prune: (stores: OfflineStores) => stores.prune(starts[1] ?? 0, signal),
        migrate,
      })) {
        await fill();
        const outcome = await attempt(work);
        assert.notEqual(outcome, 'done', `${name} on a full disk`);
        await rm(filler);
        await withStores(data, (stores) =>
          assertHeld(stores, `${name}: with room again`, isFlipped),
        );
        assert.equal(await attempt(work), 'done', `${name} with room again`);
      }
      await fill();
      const target = join(disk, 'restored');
      await assert.rejects(restoreSnapshot(readParts(snapshot), target, { signal }));
      assert.ok(
        !existsSync(target) && !existsSync(`${target}.restoring`),
        'nothing is left behind',
      );
      await rm(filler);
      await withStores(data, async (stores) => {
        await repairDatabase(stores, { from: undefined, logger: silentLogger(), signal });
        await assertHeld(stores, 'in the end', isFlipped);
        await assertClean(stores, 'in the end');
      });
      assert.ok((await stat(join(data, 'segments', '00000000.flat'))).blocks * 512 < 4 * 2 ** 20);
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  });
});

async function* readParts(path: string): AsyncGenerator<Uint8Array, void, void> {
  const bytes = await readFile(path);
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}
