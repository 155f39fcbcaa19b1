import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobDoor, blobDoorsOf } from '../support/blob-doors.ts';
import { cairn, cairnProcess } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { type Network, startNetwork } from '../support/network.ts';
import {
  alertExpressions,
  dashboardExpressions,
  measuresIn,
  missingFrom,
} from '../support/observe.ts';
import { isSoak } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const SIZES = [1, 128 * KIB, MIB, 16 * MIB, 31 * MIB, 128 * MIB - 8];
/** Outside the soak each door takes these, and one door each of the longer ones. */
const EVERYWHERE = [1, 128 * KIB];
const LONGER: Readonly<Record<string, number>> = {
  REST: MIB,
  'OP Stack, generic': 16 * MIB,
  'EigenDA proxy': MIB,
  Nitro: MIB,
  '0G gRPC': MIB,
};

/** Stages of a blob that the chain has taken. */
const CONFIRMED: readonly string[] = ['confirmed', 'final'];

/** A blob that came through a door. */
interface Put {
  readonly door: BlobDoor;
  readonly name: string;
  readonly content: Buffer;
}

interface RunningProcess {
  readonly name: string;
  readonly pid: number;
}

function sizesOf({ name, maxBytes }: BlobDoor): readonly number[] {
  const isTried = (size: number): boolean =>
    isSoak || EVERYWHERE.includes(size) || LONGER[name] === size;
  return SIZES.filter((size) => size <= maxBytes && isTried(size));
}

describe('blobs of every size through every door', () => {
  let network: Network;
  let folder: string;
  let opened: ReturnType<typeof blobDoorsOf>;
  const taken: Put[] = [];

  before(async () => {
    network = await startNetwork(['--storage', '0/1', '--da', '4']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-doors-'));
    const { rest, nitro, grpc } = network.endpoints.da ?? assert.fail();
    opened = blobDoorsOf({ rest, nitro, grpc });
  });

  after(async () => {
    opened?.close();
    await network?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const dir = (): string[] => ['--dir', network.directory];

  it('come back byte for byte by the name that the door gave', async () => {
    for (const [at, door] of opened.doors.entries()) {
      for (const size of sizesOf(door)) {
        const content = Buffer.from(contentOf(90_000 + at, size));
        const name = await door.put(content);
        const read = await door.get(name);
        assert.ok(content.equals(read), `${door.name}: ${size} bytes`);
        taken.push({ door, name, content });
      }
    }
  });

  it('are refused in the door’s own words where they are too large for it', async () => {
    for (const door of opened.doors) {
      if (door.maxBytes > 32 * MIB) continue; // more than a test should send
      const tooLarge = Buffer.alloc(door.maxBytes + 1);
      await assert.rejects(door.put(tooLarge), (refusal) => {
        assert.match(`${door.name}: ${refusal}`, /\d{5,}|too large|larger|exceeds/i);
        return true;
      });
    }
  });

  it('measures what alerts and dashboards name', async () => {
    const { rest = '', signers = [] } = network.endpoints.da ?? {};
    const pages = await Promise.all(
      [rest, ...signers.slice(0, 1)].map(async (url) => (await fetch(`${url}/metrics`)).text()),
    );
    const named = measuresIn([...alertExpressions(), ...dashboardExpressions()]);
    const ours = named.filter(({ name }) => /^cairn_(dispersal|signer|keeper|http)_/.test(name));
    assert.ok(ours.length > 10);
    assert.deepEqual(missingFrom(pages, ours), []);
  });

  it('are read from three of four signers, by whoever asks the chain, once the disperser is gone', async () => {
    const { rest } = network.endpoints.da ?? assert.fail();
    // One blob of each size: what is read does not depend on the door that took it.
    const named = taken.filter(({ door }) => door.name !== 'Nitro'); // its blobs are in a suite of their own
    const bySize = new Map(named.map(({ content }) => [content.length, content]));
    const certificateOf = new Map<Buffer, string>();
    for (const content of bySize.values()) {
      const id = `0x${createHash('sha256').update(content).digest('hex')}`;
      await until('the chain to take it', async () => {
        const receipt = await fetch(`${rest}/v1/blobs/${id}`);
        const { stage } = (await receipt.json()) as { readonly stage: string };
        return CONFIRMED.includes(stage);
      });
      const path = join(folder, `${id}.certificate`);
      const certificate = await fetch(`${rest}/v1/blobs/${id}/certificate`);
      await writeFile(path, new Uint8Array(await certificate.arrayBuffer()));
      certificateOf.set(content, path);
    }
    const status = await cairn(['devnet', 'status', '--json', ...dir()]);
    const { processes } = JSON.parse(status.stdout.toString()) as { processes: RunningProcess[] };
    for (const name of ['disperser', 'signer-1']) {
      const { pid } = processes.find((one) => one.name === name) ?? assert.fail(`no ${name} runs`);
      process.kill(pid, 'SIGKILL');
    }
    for (const [content, path] of certificateOf) {
      const got = await cairnProcess([
        'da',
        'get',
        '--certificate',
        path,
        '--output',
        '-',
        ...dir(),
      ]);
      assert.equal(got.status, 0, got.stderr);
      assert.ok(got.stdout.equals(content), `${content.length} bytes`);
    }
  });
});
