import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  encodeCheckpoint,
  encodeEpochHeader,
  parseBlobHeader,
  parseCertificate,
} from '@cairn/attestation';
import { type Entrance, readBatch } from '@cairn/chain-access/da';
import {
  certifyCheckpoint,
  proveBlob,
  proveFile,
  readPlaces,
  readShardContent,
  type Shard,
} from '@cairn/chain-access/shards';
import { encodeRecord } from '@cairn/commitments';
import { seededRng, toHex } from '@cairn/primitives';
import { type Anvil, oneSector, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { bundleProgram } from '../../../test/support/bundle-program.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { ShardDisperser } from './shard-disperser.ts';
import type { ShardWorld } from './shard-world.ts';
import type { TrustedAndBrought } from './verify-places.ts';
import { whileTicking } from './while-ticking.ts';

const PROGRAM = fileURLToPath(new URL('./verify-places.ts', import.meta.url));
const options = () => ({ signal: testSignal() });

/** A chain that takes blobs and, unless it is the hub, files. */
export interface ContentChain {
  readonly shardId: number;
  readonly anvil: Anvil;
  readonly entrance: Entrance;
  readonly shard: Shard | undefined;
}

/** What was put on a chain. */
export interface PutContent {
  readonly chain: ContentChain;
  /** Its number in the chain's log. */
  readonly sequence: number | undefined;
  readonly blob: BlobRecord;
  /** Of the chain, at which all of it is there. */
  readonly block: number;
}

/** Puts a blob, and a file where there is a log, on a chain; the blob is read back from the signers. */
export async function putOn(world: ShardWorld, chain: ContentChain): Promise<PutContent> {
  const { anvil, entrance, shard, shardId } = chain;
  const rng = seededRng(7000 + shardId);
  const disperser = await ShardDisperser.start(world, { anvil, entrance });
  try {
    const payload = rng.fill(new Uint8Array(9000));
    const { id } = await disperser.put(payload, { path: 'promise' });
    const mine = () => (shardId === 0 ? world.mineHub(1) : anvil.rpc('anvil_mine', '0x1', '0x1'));
    const coming = disperser.reached(id, 'final');
    const blob = await whileTicking(mine, coming, (blocks) => (blocks < 12 ? 300 : 1000));
    assert.deepEqual(await disperser.read(blob), payload);
    const { flow } = shard ?? {};
    let sequence: number | undefined;
    if (shard !== undefined && flow !== undefined) {
      await anvil.submit(flow, [oneSector(rng)]);
      sequence = await filesOn(chain);
    }
    return { chain, sequence, blob, block: await anvil.client.blockNumber(options()) };
  } finally {
    await disperser.stop();
  }
}

/** Proves everything to a process that has one checkpoint of the hub. @param folder - for what it is told */
export async function proveToProgram(
  { network }: ShardWorld,
  contents: readonly PutContent[],
  folder: string,
): Promise<void> {
  const { ordering, epochs } = network;
  const all = await readPlaces(ordering, options());
  const newest = all.findLast(({ shardId }) => shardId === 0) ?? assert.fail();
  const certified = await certifyCheckpoint({ ordering, backend: BLS }, newest, options());
  const { checkpoint } = certified ?? assert.fail('its bundle tells no signature');
  const places = all.slice(0, checkpoint.logCount);
  const files: TrustedAndBrought['files'][number][] = [];
  const blobs: TrustedAndBrought['blobs'][number][] = [];
  const expected = { files: [] as unknown[], blobs: [] as unknown[] };
  for (const { chain, sequence, blob } of contents) {
    const { shardId, shard, entrance, anvil } = chain;
    if (shard !== undefined && sequence !== undefined) {
      const deps = { ordering, shard, client: anvil.client, backend: BLS };
      const proof = await proveFile(deps, sequence, { ...options(), places });
      const file = { record: encodeRecord(proof.record), path: proof.path };
      files.push({ ordered: proof.ordered, file });
      expected.files.push([shardId, toHex(proof.record.fileRoot)]);
    }
    const certificate = parseCertificate(blob.certificate ?? assert.fail(), BLS);
    const deps = { ordering, entrance, epochs, backend: BLS };
    const proof = await proveBlob(deps, certificate, { ...options(), places });
    const root = blob.batch?.root ?? assert.fail();
    const epoch = (await readBatch(entrance, root, options()))?.epoch ?? assert.fail();
    const office = (await epochs.sealed(epoch, options()))?.header ?? assert.fail();
    blobs.push({ ordered: proof.ordered, blob: proof.blob, office: encodeEpochHeader(office) });
    expected.blobs.push([shardId, toHex(parseBlobHeader(certificate.body).commitment)]);
  }
  const told = { checkpoint: encodeCheckpoint(checkpoint), files, blobs };
  const program = await bundleProgram(PROGRAM);
  const run = async (brought: TrustedAndBrought): Promise<string> => {
    const path = join(folder, 'brought.json');
    const text = JSON.stringify(brought, (_key, value: unknown) =>
      value instanceof Uint8Array ? toHex(value) : value,
    );
    await writeFile(path, text);
    return (await promisify(execFile)(process.execPath, [program.path, path])).stdout;
  };
  try {
    assert.deepEqual(JSON.parse(await run(told)), [...expected.files, ...expected.blobs]);
    const [first] = files;
    assert.ok(first !== undefined);
    const record = first.file.record.slice();
    record[20] = (record[20] ?? 0) ^ 1;
    const forged = { ...told, files: [{ ...first, file: { ...first.file, record } }] };
    await assert.rejects(run(forged), /CONTENT_|ContentError/);
    const earlier = { ...checkpoint, logRoot: new Uint8Array(32).fill(1) };
    const other = { ...told, checkpoint: encodeCheckpoint(earlier) };
    await assert.rejects(run(other), /CONTENT_NOT_ORDERED/);
  } finally {
    await program.remove();
  }
}

/** The newest file of a chain's log. */
async function filesOn({ shard, anvil }: ContentChain): Promise<number> {
  assert.ok(shard?.flow !== undefined);
  const place = { shard, client: anvil.client, orderingHub: shard.flow };
  const block = await anvil.client.blockNumber(options());
  return (await readShardContent(place, block, options())).logCount - 1;
}
