import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Batcher, getFlowContract, KvClient, StorageNode } from '@0gfoundation/0g-ts-sdk';
import { ethers } from 'ethers';
import { restoreConsole, silenceConsole } from '../support/console.ts';
import { contentOf } from '../support/content.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { until } from '../support/wait.ts';

const KIB = 1024;
/** Around the bounds of one read, where the client's own paging goes wrong, and larger. */
const VALUE_BYTES = [262_144, 262_145, 300 * KIB, 349_528, 5_000_000];
/** As near as the client comes to a write without a condition. */
const BLIND = Number.MAX_SAFE_INTEGER;

type SdkSigner = Parameters<typeof getFlowContract>[1];
type Control = Batcher['streamDataBuilder']['controls'][number];

/** A wallet that writes batches with the official client. */
interface Writer {
  readonly account: string;
  exec(version: number, fill: (batch: Batcher) => void): Promise<number>;
}

/** Reads and writes by the official client, unmodified: `Batcher`, `KvClient`, `KvIterator`. */
describe('the official key-value client', () => {
  let network: Network;
  let provider: ethers.JsonRpcProvider;
  let client: KvClient;
  let [alice, bob, carol]: (Writer | undefined)[] = [];
  const stream = ethers.hexlify(randomBytes(32));
  const values = ethers.hexlify(randomBytes(32));
  /** The first batch; filled by the first test, which the others stand on. */
  let first = 0;

  before(async () => {
    network = await sharedNetwork();
    provider = new ethers.JsonRpcProvider(network.chainRpc);
    client = new KvClient(network.endpoints.kv[0] ?? '');
    [alice, bob, carol] = await Promise.all([0, 1, 2].map(writerOf));
  });

  after(() => provider?.destroy());
  beforeEach(silenceConsole);
  afterEach(restoreConsole);

  const writerOf = async (index: number): Promise<Writer> => {
    const path = join(network.directory, network.endpoints.keys[index] ?? '');
    const wallet = new ethers.Wallet((await readFile(path, 'utf8')).trim(), provider);
    // The SDK's types name the CommonJS twin of the same classes.
    const signer = wallet as unknown as SdkSigner;
    const flow = getFlowContract(network.endpoints.chains[0]?.contracts['flow'] ?? '', signer);
    const nodes = [new StorageNode(network.fullNode)];
    return {
      account: wallet.address,
      exec: async (version, fill) => {
        const batch = new Batcher(version, nodes, flow, network.chainRpc);
        fill(batch);
        const [result, error] = await batch.exec({});
        if (error !== null) throw error;
        assert.ok('txSeq' in result && typeof result.txSeq === 'number');
        return result.txSeq;
      },
    };
  };

  const requireWriter = (writer: Writer | undefined): Writer => {
    assert.ok(writer !== undefined);
    return writer;
  };

  /** What became of a batch, once it is known. */
  const resultOf = async (sequence: number): Promise<string> => {
    let result: string | null = null;
    await until(`the result of ${sequence}`, async () => {
      result = await client.getTransactionResult(sequence);
      return result !== null;
    });
    return String(result);
  };

  const text = (value: { data: unknown } | null | undefined): string =>
    Buffer.from(String(value?.data), 'base64').toString();

  const control = (
    batch: Batcher,
    type: number,
    { account, key }: { account?: string; key?: string } = {},
  ): void => {
    batch.streamDataBuilder.addStreamId(stream);
    batch.streamDataBuilder.controls.push({
      Type: type,
      StreamId: stream,
      ...(account === undefined ? {} : { Account: account }),
      ...(key === undefined ? {} : { Key: Buffer.from(key) }),
    } as Control);
  };

  const set = (batch: Batcher, key: string, value: string, id = stream): void =>
    batch.streamDataBuilder.set(id, Buffer.from(key), Buffer.from(value));

  it('writes two streams at once, roles among them, and reads what it wrote', async () => {
    const owner = requireWriter(alice);
    const sequence = await owner.exec(BLIND, (batch) => {
      for (const key of ['a', 'b', 'c', 'd', 'special']) set(batch, key, `first ${key}`);
      batch.streamDataBuilder.set(stream, Uint8Array.of(0, 255, 0), Buffer.from('binary'));
      for (const bytes of VALUE_BYTES) {
        batch.streamDataBuilder.set(values, Buffer.from(String(bytes)), contentOf(bytes, bytes));
      }
      control(batch, 0x20, { account: requireWriter(bob).account });
      control(batch, 0x10, { key: 'special' });
      control(batch, 0x30, { account: requireWriter(carol).account, key: 'special' });
    });
    assert.equal(await resultOf(sequence), 'Commit');
    first = sequence;
    assert.equal(text(await client.getValue(stream, Buffer.from('a'))), 'first a');
    assert.equal(text(await client.getValue(stream, Uint8Array.of(0, 255, 0))), 'binary');
    const unknown = await client.getValue(stream, Buffer.from('nobody'));
    assert.deepEqual(unknown, { version: 0, data: '', size: 0 });
    const held = await client.getHoldingStreamIds();
    assert.ok(held.includes(stream) && held.includes(values));
  });

  for (const bytes of VALUE_BYTES) {
    it(`reads a value of ${bytes} bytes whole, and the next one after a key`, async () => {
      const key = Buffer.from(String(bytes));
      const value = await client.getValue(values, key);
      assert.ok(Buffer.from(String(value?.data), 'base64').equals(contentOf(bytes, bytes)));
      const next = await client.getNextWithValue(values, key, true);
      assert.equal(next?.size, bytes);
      assert.ok(Buffer.from(String(next.data), 'base64').equals(contentOf(bytes, bytes)));
    });
  }

  it('asks for roles and keys as they are now and as they were', async () => {
    const [owner, writer, guest] = [alice, bob, carol].map((one) => requireWriter(one).account);
    assert.ok(owner !== undefined && writer !== undefined && guest !== undefined);
    const special = Buffer.from('special');
    assert.equal(await client.isAdmin(owner, stream), true);
    assert.equal(await client.isAdmin(writer, stream), false);
    assert.equal(await client.isWriterOfStream(writer, stream), true);
    assert.equal(await client.isSpecialKey(stream, special), true);
    assert.equal(await client.isWriterOfKey(guest, stream, special), true);
    assert.equal(await client.hasWritePermission(writer, stream, special), false);
    assert.equal(await client.hasWritePermission(guest, stream, special), true);
    assert.equal(await client.hasWritePermission(guest, stream, Buffer.from('a')), false);
    // Before the first batch the stream was new: everybody might write, nobody had a role.
    if (first > 0) assert.equal(await client.isAdmin(owner, stream, first - 1), false);
  });

  it('lets each account write what it may, and says of the others why not', async () => {
    const [owner, writer, guest] = [alice, bob, carol].map(requireWriter);
    assert.ok(owner !== undefined && writer !== undefined && guest !== undefined);
    // One at a time: the official client waits for ever where its transaction fails because another's,
    // sent at the same moment, came first.
    const run = async (by: Writer, version: number, fill: (batch: Batcher) => void) =>
      resultOf(await by.exec(version, fill));
    const byWriter = await run(writer, BLIND, (batch) => {
      set(batch, 'b', '');
      set(batch, 'd', '');
      set(batch, 'e', 'by a writer');
    });
    const byGuest = await run(guest, BLIND, (batch) => set(batch, 'special', 'by its writer'));
    const conflict = await run(owner, 0, (batch) => set(batch, 'a', 'too late'));
    assert.deepEqual([byWriter, byGuest], ['Commit', 'Commit']);
    assert.equal(conflict, first > 0 ? 'VersionConfliction' : 'Commit');
    const denied = await run(writer, BLIND, (batch) => set(batch, 'special', 'by another'));
    const stranger = await run(guest, BLIND, (batch) => set(batch, 'a', 'not mine'));
    // What it read has not changed since, so it commits.
    const read = await run(owner, first, (batch) => {
      const keys = new Map([[Buffer.from('c').toString('hex'), true]]);
      batch.streamDataBuilder.reads.set(stream, keys);
      set(batch, 'f', 'read c before');
    });
    const what = (key: string): string => `WritePermissionDenied: stream: ${stream}, key: ${key}`;
    assert.deepEqual([denied, stranger, read], [what('special'), what('a'), 'Commit']);
    assert.equal(text(await client.getValue(stream, Buffer.from('special'))), 'by its writer');
  });

  it('walks in all four directions, at a version and now', async () => {
    const keysOf = async (version: number | undefined, forwards: boolean): Promise<string[]> => {
      const iterator = client.newIterator(stream, version);
      assert.equal(await (forwards ? iterator.seekToFirst() : iterator.seekToLast()), null);
      const keys: string[] = [];
      while (iterator.valid()) {
        keys.push(Buffer.from(iterator.getCurrentPair()?.key ?? []).toString('latin1'));
        assert.equal(await (forwards ? iterator.next() : iterator.prev()), null);
      }
      return keys;
    };
    const before = ['\0\xff\0', 'a', 'b', 'c', 'd', 'special'];
    const now = ['\0\xff\0', 'a', 'c', 'e', 'f', 'special'];
    assert.deepEqual(await keysOf(first, true), before);
    assert.deepEqual(await keysOf(first, false), before.toReversed());
    assert.deepEqual(await keysOf(undefined, true), now);
    assert.deepEqual(await keysOf(undefined, false), now.toReversed());
    const iterator = client.newIterator(stream);
    await iterator.seekAfter(Buffer.from('b')); // deleted: the official node never answers this
    assert.equal(Buffer.from(iterator.getCurrentPair()?.key ?? []).toString(), 'c');
    await iterator.seekBefore(Buffer.from('d'));
    assert.equal(Buffer.from(iterator.getCurrentPair()?.key ?? []).toString(), 'c');
    assert.equal(text(await client.getValue(stream, Buffer.from('b'), first)), 'first b');
    assert.equal((await client.getValue(stream, Buffer.from('b')))?.size, 0);
  });

  it('sees how far the replay is: a batch is decided once the count is above it', async () => {
    const url = network.endpoints.kv[0] ?? '';
    const progress = (await rpc(url, 'kv_getReplayProgress')) as Record<string, unknown>;
    assert.ok(Number(progress['appliedSeq']) > first);
    assert.equal(progress['firstTxSeq'], null);
    assert.equal(await rpc(url, 'kv_getStatus'), true);
  });
});
