import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeEpochHeader, leafHash, STATEMENT_KINDS, slotOf, treeRoot } from '@cairn/attestation';
import { isFault, seededRng } from '@cairn/primitives';
import fc from 'fast-check';
import { type AppendFile, openAppendFile } from '../../src/signer/append-file.ts';
import { ProtectionLog, type ProtectionLogOptions } from '../../src/signer/protection-log.ts';
import { accountOf, bodiesOf, ENTRANCE, headerOf, promised, SEED } from '../signer/headers.ts';

const { signal } = new AbortController();
const PUBLIC_KEY = new Uint8Array(96).fill(7);
const BATCH = { kind: STATEMENT_KINDS.batch, domain: ENTRANCE, epoch: 5, quorumId: 1 } as const;
const PROMISED = { ...BATCH, kind: STATEMENT_KINDS.promisedBatch } as const;

const is =
  (code: string) =>
  (error: unknown): boolean =>
    isFault(error, code);

describe('the log of what was signed', () => {
  let folder: string;
  let path: string;
  const open = (options: Partial<ProtectionLogOptions> = {}): Promise<ProtectionLog> =>
    ProtectionLog.open({ path, publicKey: PUBLIC_KEY, mayCreate: true, ...options });
  const sign = (log: ProtectionLog, index: number, variant = 0, epoch = 5) =>
    log.protect({ ...BATCH, epoch }, bodiesOf(headerOf(index, variant)), { signal });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-protect-'));
    path = join(folder, 'protection.log');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives the statement over all bodies, again and again for the same', async () => {
    const log = await open();
    const bodies = bodiesOf(headerOf(1), headerOf(2), headerOf(3));
    const statement = await log.protect(BATCH, bodies, { signal });
    deepEqual({ ...statement }, { ...BATCH, count: 3, root: treeRoot(bodies.map(leafHash)) });
    const { lengthBytes } = log;
    await log.protect(BATCH, bodies.slice(1), { signal });
    equal(log.lengthBytes, lengthBytes, 'nothing new is written');
    equal((await stat(path)).mode & 0o777, 0o600);
    await log.close();
  });

  it('refuses another leaf for a slot, after a restart too, and takes nothing of that batch', async () => {
    const log = await open();
    await sign(log, 1);
    await log.close();
    const again = await open({ mayCreate: false });
    const mixed = bodiesOf(headerOf(2), headerOf(1, 1));
    await rejects(again.protect(BATCH, mixed, { signal }), is('SLOT_SIGNED'));
    await rejects(sign(again, 1, 1, 9), is('SLOT_SIGNED'), 'whatever the epoch');
    await sign(again, 2, 7);
    const twice = bodiesOf(headerOf(3), headerOf(3, 1));
    await rejects(again.protect(BATCH, twice, { signal }), is('SLOT_SIGNED'), 'inside one batch');
    equal(again.slots, 2);
    await again.close();
  });

  it('tells chains, entrances and payers apart, and an epoch from a blob', async () => {
    const log = await open();
    await sign(log, 1);
    const other = { ...ENTRANCE, address: accountOf(9) };
    await log.protect({ ...BATCH, domain: other }, bodiesOf(headerOf(1, 1)), { signal });
    const slot = promised(5, 1);
    await log.protect(PROMISED, bodiesOf(headerOf(1, 2, slot)), { signal });
    const payer = { ...slot, submitter: accountOf(2) };
    await log.protect(PROMISED, bodiesOf(headerOf(1, 3, payer)), { signal });
    await rejects(log.protect(PROMISED, bodiesOf(headerOf(1, 4, payer)), { signal }));
    const hash = new Uint8Array(32);
    const header = {
      epoch: 6,
      previous: hash,
      startSeconds: 1,
      endSeconds: 2,
      seed: hash,
      orderRoot: hash,
      orderCount: 0,
      snapshotHashes: [hash],
    };
    const handover = { ...BATCH, kind: STATEMENT_KINDS.handover, quorumId: 0 };
    await log.protect(handover, [encodeEpochHeader(header)], { signal });
    const fork = encodeEpochHeader({ ...header, orderCount: 1 });
    await rejects(log.protect(handover, [fork], { signal }), is('SLOT_SIGNED'));
    equal(log.slots, 5);
    await log.close();
  });

  it('keeps everything but the write that was cut off, wherever it was cut', async () => {
    const log = await open();
    const lengths = [log.lengthBytes];
    for (const index of [1, 2, 3]) {
      await log.protect(BATCH, bodiesOf(headerOf(index), headerOf(100 + index)), { signal });
      lengths.push(log.lengthBytes);
    }
    await log.close();
    const whole = await readFile(path);
    for (let cut = lengths[0] ?? 0; cut <= whole.length; cut += 5) {
      const kept = lengths.filter((length) => length <= cut).length - 1;
      for (const unwritten of [0, 700]) {
        const bytes = Buffer.concat([whole.subarray(0, cut), Buffer.alloc(unwritten)]);
        // The file was made longer before its content arrived: only as long as the write is.
        const end = lengths[kept + 1] ?? whole.length;
        await writeFile(path, bytes.subarray(0, Math.max(cut, unwritten === 0 ? cut : end)));
        const found = await open({ mayCreate: false });
        equal(found.slots, kept * 2, `cut at ${cut}, ${unwritten} unwritten`);
        await sign(found, 50, cut);
        await found.close();
        const again = await open({ mayCreate: false });
        equal(again.slots, kept * 2 + 1);
        await again.close();
      }
    }
  });

  it('does not start on bytes that no crash leaves behind', async () => {
    const log = await open();
    for (const index of [1, 2, 3]) await sign(log, index);
    await log.close();
    const whole = await readFile(path);
    for (let bit = 0; bit < whole.length * 8; bit += 5) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      await rejects(open(), isDamaged, `bit ${bit}`);
    }
    await writeFile(path, Buffer.alloc(0));
    await rejects(open(), is('SIGNER_DAMAGED'));
    await rm(path);
    await rejects(open({ mayCreate: false }), is('PROTECTION_MISSING'));
  });

  it('belongs to one key', async () => {
    await (await open()).close();
    const publicKey = new Uint8Array(96).fill(8);
    await rejects(open({ publicKey }), is('PROTECTION_FOREIGN'));
  });

  it('forgets epochs that are over and signs nothing for them any more', async () => {
    const log = await open();
    for (const index of [1, 2, 3, 4]) await sign(log, index, 0, index);
    const { lengthBytes } = log;
    await log.forget(3, { signal });
    equal(log.slots, 2);
    ok(log.lengthBytes < lengthBytes);
    await rejects(sign(log, 1, 0, 2), is('PROTECTION_CLOSED'));
    await sign(log, 5, 0, 5);
    await log.close();
    const again = await open({ mayCreate: false });
    equal(again.slots, 3);
    equal(again.floorEpoch, 3);
    await rejects(sign(again, 9, 0, 2), is('PROTECTION_CLOSED'));
    await rejects(sign(again, 3, 1, 3), is('SLOT_SIGNED'));
    await again.close();
  });

  it('remembers so many slots and no more', async () => {
    const log = await open({ maxSlots: 2 });
    await sign(log, 1);
    await sign(log, 2);
    await rejects(sign(log, 3), is('PROTECTION_FULL'));
    await sign(log, 1);
    await log.close();
  });

  it('takes a write back that the disk refused, and goes on', async () => {
    let refuses = true;
    const log = await open({
      openFile: async (file) => {
        const real = await openAppendFile(file);
        return {
          ...real,
          write: async (bytes, at) => {
            await real.write(refuses ? bytes.subarray(0, 9) : bytes, at);
            if (refuses) throw new Error('no room');
          },
        };
      },
    });
    await rejects(sign(log, 1), /no room/);
    equal(log.slots, 0);
    refuses = false;
    await sign(log, 1, 1);
    await log.close();
    const again = await open();
    await rejects(sign(again, 1), is('SLOT_SIGNED'));
    await again.close();
  });

  it('signs nothing more once a write may or may not be on the disk', async () => {
    const failing = async (file: string): Promise<AppendFile> => {
      const real = await openAppendFile(file);
      return { ...real, sync: () => Promise.reject(new Error('the device is gone')) };
    };
    const log = await open({ openFile: failing });
    await rejects(sign(log, 1), /device/);
    await rejects(sign(log, 2), is('PROTECTION_BROKEN'));
    await log.close();
    const again = await open();
    await sign(again, 2);
    await again.close();
  });

  it('never has two leaves for a slot, whatever is asked, restarted and forgotten', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ slot: fc.nat(6), variant: fc.nat(2), epoch: fc.nat(4) }),
      },
      { weight: 1, arbitrary: fc.record({ forget: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ cut: fc.nat(60) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await rm(path, { force: true });
        let log = await open();
        const model = new Map<number, { variant: number; epoch: number }>();
        let floor = 0;
        for (const todo of steps) {
          if ('forget' in todo) {
            const before = log.slots;
            await log.forget(todo.forget, { signal });
            if (log.slots < before) floor = todo.forget;
            for (const [slot, { epoch }] of model) {
              if (epoch < floor) model.delete(slot);
            }
          } else if ('cut' in todo) {
            await log.close();
            const bytes = await readFile(path);
            const noise = seededRng(todo.cut).fill(new Uint8Array(Math.min(todo.cut, 11)));
            await writeFile(path, Buffer.concat([bytes, noise]));
            log = await open({ mayCreate: false });
          } else {
            const { slot, variant, epoch } = todo;
            const held = model.get(slot);
            const expected = epoch >= floor && (held === undefined || held.variant === variant);
            const signed = await sign(log, slot, variant, epoch).then(
              () => true,
              () => false,
            );
            equal(signed, expected, JSON.stringify(todo));
            if (signed && held === undefined) model.set(slot, { variant, epoch });
          }
          equal(log.slots, model.size);
        }
        for (const [slot, { variant }] of model) {
          const body = bodiesOf(headerOf(slot, variant))[0] ?? new Uint8Array(0);
          const key = slotOf({ statement: BATCH, body }) ?? new Uint8Array(0);
          deepEqual(log.leafOf(key), leafHash(body));
        }
        await log.close();
      }),
      { seed: SEED, numRuns: 25 },
    );
  });
});

/** Refused with a named fault: which one depends on the field that was hit. */
function isDamaged(error: unknown): boolean {
  return isFault(error, 'SIGNER_DAMAGED') || isFault(error, 'PROTECTION_FOREIGN');
}
