import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, type KvStream } from '@cairn/client-sdk';
import { deriveStreamId } from '@cairn/kv-layer';
import { isFault, parseAddress, seededRng, utf8Bytes, utf8Text } from '@cairn/primitives';
import { cairn, cairnJson } from '../support/cli.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { seedOf } from '../support/soak.ts';

const SEED = seedOf(42_017);
const OWNER = parseAddress(`0x${'c1'.repeat(20)}`);

describe('streams of keys and values', () => {
  let network: Network;
  let client: Client;
  let folder: string;
  const rng = seededRng(SEED);

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-'));
    client = createClient({
      nodes: network.endpoints.storage.map(({ rpc }) => rpc),
      rpc: network.chainRpc,
      flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
      signer: network.key,
      kv: network.endpoints.kv,
      threads: 0,
    });
  });
  after(async () => {
    await client?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const newStream = (): KvStream =>
    client.kv.stream(deriveStreamId(OWNER, rng.fill(new Uint8Array(32))));

  it('are written by one transaction for many, and read back by whoever asks', async () => {
    const stream = newStream();
    const keys = Array.from({ length: 300 }, (_, at) => `page/${String(at).padStart(3, '0')}`);
    const commits = await Promise.all(keys.map((key) => stream.put(key, `text of ${key}`)));
    const entries = new Set(commits.map(({ sequence }) => sequence));
    assert.ok(entries.size <= 3, `${entries.size} log entries for ${keys.length} writes`);
    assert.equal(
      utf8Text((await stream.get('page/007'))?.value ?? new Uint8Array()),
      'text of page/007',
    );
    const read: string[] = [];
    for await (const { key } of stream.scan({ prefix: 'page/', gte: 'page/290' })) {
      read.push(utf8Text(key));
    }
    assert.deepEqual(read, keys.slice(290));
  });

  it('count right where many update at once', async () => {
    const stream = newStream();
    await stream.put('count', '0');
    const increments = Array.from({ length: 4 }, () =>
      client.kv.update(
        async (update) => {
          const count = Number(utf8Text((await update.get(stream.id, 'count')) ?? utf8Bytes('0')));
          update.put(stream.id, 'count', String(count + 1));
        },
        { tries: 20 },
      ),
    );
    await Promise.all(increments);
    assert.equal(utf8Text((await stream.get('count'))?.value ?? new Uint8Array()), '4');
  });

  it('are nobody else’s: a stranger’s write is refused by name, and changes nothing', async () => {
    const stream = newStream();
    await stream.put('a', 'mine');
    const stranger = createClient({
      nodes: network.endpoints.storage.map(({ rpc }) => rpc),
      rpc: network.chainRpc,
      flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
      signer: '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d', // anvil's second account
      kv: network.endpoints.kv,
      threads: 0,
    });
    try {
      await assert.rejects(stranger.kv.stream(stream.id).put('a', 'theirs'), (error) =>
        isFault(error, 'SDK_KV_REFUSED'),
      );
    } finally {
      await stranger.close();
    }
    assert.equal(utf8Text((await stream.get('a'))?.value ?? new Uint8Array()), 'mine');
  });

  it('are made, written, listed and read by the command', async () => {
    const to = ['--endpoints', join(network.directory, 'endpoints.json')];
    const made = await cairnJson(['kv', 'stream', 'create', ...to]);
    const stream = String(made['stream']);
    assert.equal(made['isOwn'], true);
    const put = await cairnJson(['kv', 'put', stream, 'model', 'v7', ...to]);
    assert.equal(put['result'], 'Commit');
    const large = join(folder, 'large');
    const bytes = Uint8Array.from({ length: 700_001 }, (_, at) => (at * 7) % 253);
    await writeFile(large, bytes);
    await cairnJson(['kv', 'put', stream, 'large', '--file', large, ...to]);
    const lines =
      '{"put":"tab\\there","value":"x"}\n{"put":"b","base64":"AAE="}\n{"delete":"model"}\n';
    const batch = await cairn(['kv', 'batch', stream, ...to], { input: utf8Bytes(lines) });
    assert.equal(batch.status, 0, batch.stderr);
    const got = await cairn(['kv', 'get', stream, 'large', ...to]);
    assert.ok(got.stdout.equals(bytes), got.stderr);
    const proven = await cairn(['kv', 'get', stream, 'large', '--proof', ...to]);
    assert.ok(proven.stdout.equals(bytes), proven.stderr);
    const names = await cairn(['kv', 'scan', stream, '--keys-only', '--proof', ...to]);
    assert.equal(names.stdout.toString(), 'b\nlarge\n"tab\\there"\n');
    const nobody = await cairn(['kv', 'get', stream, 'large', '--attest-key', OWNER, ...to]);
    assert.equal(nobody.status, 1, nobody.stderr);
    const gone = await cairn(['kv', 'get', stream, 'model', ...to]);
    assert.equal(gone.status, 3, gone.stderr);
    const then = await cairn([
      'kv',
      'get',
      stream,
      'model',
      '--version',
      String(put['sequence']),
      ...to,
    ]);
    assert.equal(then.stdout.toString(), 'v7');
    const scan = await cairn(['kv', 'scan', stream, '--lt', 'l', ...to]);
    assert.equal(
      scan.stdout.toString(),
      'b\tbase64:AAE=\n'.replace('base64:AAE=', JSON.stringify('\u0000\u0001')),
    );
    const keys = await cairn(['kv', 'scan', stream, '--keys-only', '--reverse', ...to]);
    assert.equal(keys.stdout.toString(), '"tab\\there"\nlarge\nb\n');
    const after = ['--after', String(made['sequence']), '--limit', '3'];
    const watched = await cairn(['kv', 'watch', stream, ...after, '--values', ...to]);
    const [model, , ...rest] = watched.stdout.toString().trimEnd().split('\n');
    assert.equal(model, `${put['sequence']}\tput\tmodel\tv7`);
    assert.deepEqual(
      rest.map((line) => line.split('\t').slice(1, 3).join(' ')),
      ['put b', 'delete model', 'put "tab\\there"'],
    );
    await cairnJson(['kv', 'acl', stream, 'grant-writer', OWNER, ...to]);
    const usage = await cairn(['kv', 'acl', stream, 'special-key', ...to]);
    assert.equal(usage.status, 2, usage.stderr);
    const kept = await cairnJson(['kv', 'snapshot', ...to]);
    assert.match(String(kept['root']), /^0x[0-9a-f]{64}$/);
    assert.ok(Number(kept['version']) >= Number(put['sequence']));
    const { streams } = await cairnJson(['kv', 'stream', 'list', ...to]);
    assert.ok(Array.isArray(streams) && streams.includes(stream));
  });
});
