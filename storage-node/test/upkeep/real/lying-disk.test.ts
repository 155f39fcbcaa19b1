import { deepEqual, equal, ok } from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRng } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { segmentData, type TestFile, TestNode, testFile, until } from '../../harness.ts';

const isSoak = process.env['CAIRN_SOAK'] === '1';
const SEED = Number(process.env['CAIRN_SEED'] ?? 77_031);
const FLIPS = isSoak ? 10_000 : 100;
const FILES = isSoak ? 32 : 4;
const SEGMENTS_A_FILE = isSoak ? 32 : 10;
const SEGMENT = 262_144;

interface Held {
  readonly file: TestFile;
  readonly sequence: number;
  readonly startSector: number;
}

describe('a disk that lies', () => {
  let node: TestNode;
  let held: Held[];

  before(async function () {
    this.timeout(300_000);
    node = await TestNode.start({ scrub: { enabled: false } });
    const files = await Promise.all(
      Array.from({ length: FILES }, (_, at) => testFile(SEGMENTS_A_FILE * SEGMENT - 300, at + 1)),
    );
    const sequences = await node.announce(...files);
    held = await Promise.all(
      files.map(async (file, at) => {
        const sequence = sequences[at] ?? -1;
        const { result } = await node.rpc('zgs_getFileInfoByTxSeq', [sequence]);
        return { file, sequence, startSector: result.tx.startEntryIndex };
      }),
    );
    for (const { file, sequence } of held) await offer(file, sequence);
  });
  after(() => node.remove());

  const offer = async (file: TestFile, sequence: number): Promise<void> => {
    for (let index = 0; index < SEGMENTS_A_FILE; index += 1) {
      ok((await node.put(file, index, sequence)).ok);
    }
  };
  /** Whether a segment is served; its bytes are the right ones then. */
  const serves = async ({ file, sequence }: Held, index: number): Promise<boolean> => {
    const reply = await node.get(`/v1/segments/${file.root}/${index}?seq=${sequence}`);
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (reply.status === 404) return false;
    equal(reply.status, 200);
    const { segment } = parseSegmentMessage(bytes);
    ok(Buffer.from(segment.data).equals(segmentData(file, index)), `seed ${SEED}: a bad byte left`);
    return true;
  };
  const finalized = async ({ sequence }: Held): Promise<boolean> =>
    (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result.finalized;
  const measure = async (name: string): Promise<number> => {
    const text = await (await node.get('/metrics')).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  };

  it(`serves no bad byte over ${FLIPS} flipped bits, finds all of them in one pass, and heals`, async function () {
    this.timeout(600_000);
    const rng = seededRng(SEED);
    const damaged = new Set<string>();
    const readers = new AbortController();
    let reads = 0;
    const read = async (): Promise<void> => {
      while (!readers.signal.aborted) {
        await serves(held[rng.below(FILES)] as Held, rng.below(SEGMENTS_A_FILE));
        reads += 1;
      }
    };
    const reading = Promise.all([read(), read()]);

    const disk = await open(join(node.directory, 'segments', '00000000.flat'), 'r+');
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const which = rng.below(FILES);
      const { startSector, file } = held[which] as Held;
      const index = rng.below(SEGMENTS_A_FILE - 1);
      const at = startSector * 256 + index * SEGMENT + rng.below(SEGMENT);
      const before = file.bytes[at - startSector * 256] ?? 0;
      const now = Buffer.alloc(1);
      await disk.read(now, 0, 1, at);
      if (now[0] !== before) continue; // flipped twice may be flipped back: not here
      await disk.write(Uint8Array.of(before ^ (1 << rng.below(8))), 0, 1, at);
      damaged.add(`${which}:${index}`);
    }
    await disk.close();
    node.node.upkeep.scrubber.start();
    await until(async () => (await measure('cairn_scrub_passes_total')) === 1);
    readers.abort();
    await reading;
    ok(reads > 0);

    const lost = new Set<string>();
    for (const [which, one] of held.entries()) {
      for (let index = 0; index < SEGMENTS_A_FILE; index += 1) {
        if (!(await serves(one, index))) lost.add(`${which}:${index}`);
      }
    }
    deepEqual([...lost].sort(), [...damaged].sort(), `seed ${SEED}`);
    equal(await measure('cairn_segment_damaged_total'), damaged.size, 'each is reported once');
    const { lastPass } = node.node.upkeep.scrubber.report;
    ok((lastPass?.damaged ?? 0) <= damaged.size, 'readers may have found some first');
    for (const [which, one] of held.entries()) {
      const isHurt = [...damaged].some((place) => place.startsWith(`${which}:`));
      equal(await finalized(one), !isHurt, 'a damaged entry is asked for again');
    }

    for (const { file, sequence } of held) await offer(file, sequence);
    for (const one of held) {
      await until(() => finalized(one));
      for (let index = 0; index < SEGMENTS_A_FILE; index += 1) ok(await serves(one, index));
    }
    node.node.upkeep.scrubber.start();
    await until(async () => (await measure('cairn_scrub_passes_total')) === 2);
    equal(node.node.upkeep.scrubber.report.lastPass?.damaged, 0, 'and is sound again');
  });
});
