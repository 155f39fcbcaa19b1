import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, encodeTags, parseStreamId } from '@cairn/kv-layer';
import { fromHex, isFault, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import { until } from '../../../../test/support/wait.ts';
import { LogWorld, type WorldNode } from '../support/log-world.ts';
import { streamNumber } from '../support/replayed.ts';

/** Files that the official client encrypted. */
interface Vector {
  readonly key?: string;
  readonly recipientPrivateKey?: string;
  readonly ciphertextFile: string;
}

const vectors = JSON.parse(
  await readFile(new URL('../../../../test/vectors/kv.json', import.meta.url), 'utf8'),
) as { readonly encryption: readonly Vector[] };
const STREAM = parseStreamId(`0x${'f2bd'.padStart(64, '0')}`);
const OTHER = streamNumber(2);
const SEED = 31_007;

describe('batches that are encrypted', () => {
  let world: LogWorld;
  let folder: string;

  beforeEach(async () => {
    world = await LogWorld.make(SEED);
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-rings-'));
  });
  afterEach(async () => {
    await world.end();
    await rm(folder, { recursive: true, force: true });
  });

  let files = 0;
  const ring = async (stream: string, key: string): Promise<string> => {
    files += 1;
    const path = join(folder, `key-${files}`);
    await writeFile(path, key, { mode: 0o600 });
    return `${stream}=${path}`;
  };
  const start = (keys: readonly string[], directory?: string): Promise<WorldNode> =>
    world.start({ streams: { ids: [STREAM, OTHER] }, decrypt: { keys } }, directory);
  const store = async (bytes: Uint8Array, stream = STREAM): Promise<void> => {
    await world.store(bytes, { tags: encodeTags([stream]) });
    world.chain.mine();
  };
  const decided = (node: WorldNode): Promise<void> =>
    until('entries are decided', () => {
      return node.node.status.nextSequence >= world.chain.entries().length;
    });
  const resultOf = (node: WorldNode, sequence: number): Promise<unknown> =>
    node.rpc('kv_getTransactionResult', sequence);

  it('of the official client are read by nodes with the key, and by no others', async () => {
    for (const { ciphertextFile } of vectors.encryption)
      await store(fromHex(`0x${ciphertextFile}`));
    const keys = vectors.encryption.map(
      ({ key, recipientPrivateKey }) => key ?? recipientPrivateKey,
    );
    const rings = await Promise.all(keys.map((key) => ring(STREAM, key ?? '')));
    const [both, first, none] = [
      await start(rings),
      await start(rings.slice(0, 1)),
      await start([]),
    ];
    for (const node of [both, first, none]) await decided(node);
    assert.equal(await both.text(STREAM, 'TESTKEY0'), 'TESTVALUE0');
    assert.deepEqual([await resultOf(both, 0), await resultOf(both, 1)], ['Commit', 'Commit']);
    assert.equal(await resultOf(first, 0), 'Commit');
    assert.match(String(await resultOf(first, 1)), /^DataParseError/);
    assert.match(String(await resultOf(none, 0)), /^DataParseError/);
    const domains = [];
    for (const node of [both, first, none]) domains.push((await node.get('/v1/status'))['domain']);
    assert.equal(new Set(domains).size, 3); // none of them can be taken for another
  });

  it('lie beside plain ones, and stop nobody where no key opens them', async () => {
    const rng = seededRng(SEED);
    const [{ ciphertextFile = '', key = '' } = {}] = vectors.encryption;
    const plain = new BatchBuilder();
    plain.put(STREAM, utf8Bytes('plain'), utf8Bytes('as ever'));
    await store(plain.build().bytes);
    await store(fromHex(`0x01${toHex(rng.fill(new Uint8Array(900))).slice(2)}`));
    await store(fromHex(`0x02${toHex(rng.fill(new Uint8Array(900))).slice(2)}`));
    await store(fromHex(`0x${ciphertextFile}`));
    await store(fromHex(`0x${ciphertextFile}`), OTHER); // the key is another stream's
    const wrong = await ring(STREAM, '77'.repeat(32));
    const node = await start([wrong, await ring(STREAM, key)]);
    await decided(node);
    const results = [];
    for (let at = 0; at < 5; at += 1) results.push(String(await resultOf(node, at)));
    assert.deepEqual(
      results.map((text) => text.split(':')[0]),
      ['Commit', 'DataParseError', 'DataParseError', 'Commit', 'DataParseError'],
    );
    assert.equal(await node.text(STREAM, 'plain'), 'as ever');
    assert.equal(await node.text(STREAM, 'TESTKEY0'), 'TESTVALUE0');
  });

  it('are not mixed with what was replayed with other keys', async () => {
    const node = await start([]);
    await node.stop();
    const keys = [await ring(STREAM, '42'.repeat(32))];
    await assert.rejects(start(keys, node.directory), (error) => isFault(error, 'KV_WRONG_STATE'));
    const again = await start([], node.directory);
    await again.stop();
    const bad = [await ring(STREAM, 'no key')];
    await assert.rejects(start(bad), (error) => isFault(error, 'KV_CONFIG'));
  });

  it('that cannot be read are known by their first segment', async () => {
    const rng = seededRng(SEED + 1);
    const junk = rng.fill(new Uint8Array(3 * 1024 ** 2)); // counts of billions
    junk.fill(255, 8, 12);
    await store(junk);
    const lengths = new BatchBuilder();
    lengths.put(STREAM, utf8Bytes('big'), new Uint8Array(2 * 1024 ** 2).fill(5));
    const whole = lengths.build().bytes;
    await store(whole);
    const node = await start([]);
    await decided(node);
    assert.match(String(await resultOf(node, 0)), /list too long/);
    assert.equal(await resultOf(node, 1), 'Commit');
    const metrics = await (await fetch(`${node.node.url}/metrics`)).text();
    const [, fetched] = /cairn_kv_fetched_bytes(?:_total)? (\d+)/.exec(metrics) ?? [];
    assert.ok(Number(fetched) < whole.length + 300_000, `${fetched} bytes were fetched`);
  });
});
