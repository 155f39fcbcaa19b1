import assert from 'node:assert/strict';
import { type Client, createClient, type KvStream, SdkError } from '@cairn/client-sdk';
import { loadHasher } from '@cairn/commitments';
import {
  parseStreamId,
  type RootContradiction,
  type SignedRoot,
  verifyContradiction,
  verifyKeyEvidence,
} from '@cairn/kv-layer';
import { isFault, type Rng, seededRng, toHex, utf8Text } from '@cairn/primitives';
import { KvWorld } from '../support/kv-world.ts';
import { isSoak, seedOf } from '../support/soak.ts';

const STREAM = parseStreamId(`0x${'5a'.repeat(32)}`);
const NEVER = parseStreamId(`0x${'5b'.repeat(32)}`);
const SEED = seedOf(77_003);
const LONG = Uint8Array.from({ length: 300_001 }, (_, at) => (at * 11) % 251);
/** Answers changed at random. */
const CHANGES = isSoak ? 4000 : 60;

/** Three key-value nodes with keys, and clients that believe two of three keys and no node. */
describe('reads that are proven under roots which nodes vouch for', () => {
  let world: KvWorld;
  let whole: Map<string, string>;
  const clients: Client[] = [];

  before(async () => {
    world = await KvWorld.make(SEED, [STREAM, NEVER]);
    for (let index = 0; index < 3; index += 1) await world.start();
    const pairs = Array.from({ length: 700 }, (_, at): [string, string] => [
      `key ${String(at).padStart(3, '0')}`,
      `value ${at}`,
    ]);
    await world.write(STREAM, Object.fromEntries(pairs));
    await world.write(STREAM, { 'key 007': '', 'key 100': 'another', long: LONG });
    await world.settled();
    whole = new Map(pairs);
    whole.delete('key 007');
    whole.set('key 100', 'another');
    whole.set('long', utf8Text(LONG.subarray(0, 0)));
  });
  after(async () => {
    for (const client of clients) await client.close();
    await world?.end();
  });

  const clientOf = (
    kv: readonly string[],
    { threshold = 2, onContradiction }: Attest = {},
  ): Client => {
    const keys = world.keys;
    const kvAttest = { keys, threshold, ...(onContradiction && { onContradiction }) };
    const client = createClient({
      nodes: ['http://127.0.0.1:1'],
      kv,
      kvAttest,
      nodeTimeoutMs: 60_000,
    });
    clients.push(client);
    return client;
  };
  const streamOf = (kv: readonly string[], attest?: Attest, id: string = STREAM): KvStream =>
    clientOf(kv, attest).kv.stream(id);
  const textOf = async (stream: KvStream, key: string): Promise<string | undefined> => {
    const found = await stream.get(key);
    return found === undefined ? undefined : utf8Text(found.value);
  };

  it('give values, absence, older versions and whole ranges both ways', async () => {
    const stream = streamOf(world.urls);
    assert.equal(await textOf(stream, 'key 100'), 'another');
    assert.equal(
      utf8Text((await stream.get('key 100', { version: 0 }))?.value ?? LONG),
      'value 100',
    );
    assert.equal(await textOf(stream, 'key 007'), undefined);
    assert.equal(await textOf(stream, 'no such key'), undefined);
    assert.deepEqual((await stream.get('long'))?.value, LONG);
    assert.equal(await streamOf(world.urls, {}, NEVER).get('a'), undefined);
    for (const reverse of [false, true]) {
      const read: string[] = [];
      for await (const { key, value } of stream.scan({ reverse })) {
        const name = utf8Text(key);
        if (name === 'long') assert.deepEqual(value, LONG);
        else assert.equal(utf8Text(value), whole.get(name));
        read.push(name);
      }
      const expected = [...whole.keys()].sort();
      assert.deepEqual(read, reverse ? expected.reverse() : expected);
    }
    const some: string[] = [];
    const range = { prefix: 'key ', gte: 'key 005', lt: 'key 60', limit: 4, keysOnly: true };
    for await (const { key } of stream.scan(range)) some.push(utf8Text(key));
    assert.deepEqual(some, ['key 005', 'key 006', 'key 008', 'key 009']);
  });

  it('read what was just written, from every node', async () => {
    const stream = streamOf(world.urls);
    const before = await textOf(stream, 'fresh');
    assert.equal(before, undefined);
    const sequence = await world.write(STREAM, { fresh: 'new' });
    const found = await stream.get('fresh', { minSequence: sequence });
    assert.equal(utf8Text(found?.value ?? LONG), 'new');
    await world.write(STREAM, { fresh: '' });
    await world.settled();
  });

  it('are evidence that can be kept, and checked with nobody’s help', async () => {
    const hasher = await loadHasher();
    const trust = { keys: world.keys, threshold: 2 };
    const evidence = await streamOf(world.urls).prove('key 100');
    assert.equal(verifyKeyEvidence(evidence, trust, hasher)?.version, 1);
    assert.equal(utf8Text(evidence.value ?? LONG), 'another');
    const absent = await streamOf(world.urls).prove('key 007');
    assert.equal(verifyKeyEvidence(absent, trust, hasher), undefined);
    const older = await streamOf(world.urls).prove('key 100', { version: 0 });
    const stale = { ...evidence, statements: older.statements };
    assert.throws(
      () => verifyKeyEvidence(stale, trust, hasher),
      (error) => isFault(error, 'KV_STATEMENT_OTHER'),
    );
    const few = { ...evidence, statements: evidence.statements.slice(0, 1) };
    assert.throws(
      () => verifyKeyEvidence(few, trust, hasher),
      (error) => isFault(error, 'KV_STATEMENT_FEW'),
    );
  });

  it('pass over nodes that are silent, as long as enough others answer', async () => {
    const [first = '', second = ''] = world.urls;
    assert.equal(
      await textOf(streamOf(['http://127.0.0.1:9', first, second]), 'key 001'),
      'value 1',
    );
    await assert.rejects(streamOf(['http://127.0.0.1:9', first]).get('key 001'), (error) => {
      assert.ok(error instanceof SdkError && error.facts.code === 'SDK_KV_UNATTESTED');
      assert.deepEqual([error.facts.agreeing, error.facts.threshold], [1, 2]);
      return error.facts.failures.some(({ url }) => url === 'http://127.0.0.1:9');
    });
  });

  it('turn contradicting statements into evidence for anybody', async () => {
    const [first = '', second = '', third = ''] = world.urls;
    const liar = await world.behind(third, (method, result) =>
      method === 'kvx_getStatement' ? flatLie(world, result) : result,
    );
    const seen: RootContradiction[] = [];
    const onContradiction = (evidence: RootContradiction) => seen.push(evidence);
    const stream = streamOf([first, second, liar], { onContradiction });
    assert.equal(await textOf(stream, 'key 001'), 'value 1');
    assert.equal(seen.length, 1);
    const [, caught] = verifyContradiction(seen[0] ?? assert.fail());
    assert.equal(caught, world.keys[2]);
    // Where all three must agree, nothing is read, and the fault brings both statements.
    await assert.rejects(
      streamOf([first, second, liar], { threshold: 3 }).get('key 001'),
      (error) => {
        assert.ok(error instanceof SdkError && error.facts.code === 'SDK_KV_CONTRADICTION');
        const { evidence } = JSON.parse(JSON.stringify(error.facts)) as typeof error.facts;
        return verifyContradiction(evidence).includes(world.keys[2] ?? assert.fail());
      },
    );
  });

  it('ask for an entry that enough nodes have where some are behind', async () => {
    const [first = '', second = '', third = ''] = world.urls;
    const { statement } =
      (await streamOf(world.urls).prove('key 001')).statements[0] ?? assert.fail();
    // One that says it is at the first entry, unless it is asked for another.
    const slow = await world.behind(third, (_, result) => result);
    const node = world.nodes[2] ?? assert.fail();
    const old = await node.rpc('kvx_getStatement', { stream: STREAM, version: 0 });
    const behind = await world.behind(slow, (method, result) =>
      method === 'kvx_getStatement' ? old : result,
    );
    const evidence = await streamOf([behind, first, second]).prove('key 001');
    assert.equal(evidence.sequence, statement.sequence);
    const two = await streamOf([behind, first]).prove('key 001');
    assert.equal(two.sequence, 0);
  });

  it('never give anything but the truth, whatever a node between changes in any answer', async () => {
    const rng = seededRng(SEED);
    let change: ((method: string, result: unknown) => unknown) | undefined;
    const urls: string[] = [];
    for (const url of world.urls) {
      urls.push(await world.behind(url, (method, result) => change?.(method, result) ?? result));
    }
    const keys = ['key 007', 'key 100', 'nothing', 'key 350'];
    let [told, refused] = [0, 0];
    for (let round = 0; round < CHANGES; round += 1) {
      const stream = streamOf(urls);
      const key = keys[rng.below(keys.length)] ?? '';
      const method = ['kvx_getProof', 'kv_getValue', 'kvx_getStatement', 'kvx_multiGet'][
        rng.below(4)
      ];
      change = (called, result) => (called === method ? changed(result, rng) : result);
      const where = `seed ${SEED}, round ${round}, ${method}, ${key}`;
      try {
        if (rng.below(2) === 0) {
          assert.equal(await textOf(stream, key), whole.get(key), where);
        } else {
          const read: [string, string][] = [];
          for await (const { key: name, value } of stream.scan({ gte: key, limit: 5 })) {
            read.push([utf8Text(name), utf8Text(value)]);
          }
          const expected = [...whole].sort().filter(([name]) => name >= key && name !== 'long');
          assert.deepEqual(
            read.filter(([name]) => name !== 'long'),
            expected.slice(0, 5),
            where,
          );
        }
        told += 1;
      } catch (error) {
        assert.ok(error instanceof SdkError, `${where}: ${String(error)}`);
        refused += 1;
      }
      await clients.pop()?.close();
    }
    assert.ok(refused > CHANGES / 20 && told > CHANGES / 20, `${refused} refused, ${told} told`);
  });

  it('refuse a proof with any one byte changed', async () => {
    const [first = '', second = ''] = world.urls;
    const truth = await streamOf(world.urls).prove('key 350');
    let at = 0;
    const flips = async (url: string) =>
      world.behind(url, (method, result) => {
        if (method !== 'kvx_getProof') return result;
        const bytes = Buffer.from((result as { proof: string }).proof, 'base64');
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << (at % 8));
        return { ...(result as object), proof: bytes.toString('base64') };
      });
    const stream = streamOf([await flips(first), await flips(second)]);
    const step = isSoak ? 1 : 23;
    for (; at < truth.proof.length; at += step) {
      await assert.rejects(
        stream.get('key 350', { version: truth.sequence }),
        (error) => isFault(error, 'SDK_KV_UNPROVEN'),
        `byte ${at} of ${truth.proof.length}`,
      );
    }
  });

  it('are asked for with accounts whose word counts', async () => {
    const client = createClient({ nodes: ['http://127.0.0.1:1'], kv: world.urls });
    clients.push(client);
    const stream = client.kv.stream(STREAM);
    await assert.rejects(stream.get('a', { proof: true }), (error) => isFault(error, 'SDK_OPTION'));
    await assert.rejects(stream.prove('a'), (error) => isFault(error, 'SDK_OPTION'));
    assert.equal(await textOf(stream, 'key 001'), 'value 1'); // believed
    for (const attest of [
      { keys: [], threshold: 0 },
      { keys: world.keys, threshold: 4 },
      { keys: ['0x12'], threshold: 1 },
    ]) {
      assert.throws(
        () => createClient({ nodes: ['http://127.0.0.1:1'], kvAttest: attest }),
        (error) => isFault(error, 'SDK_OPTION'),
      );
    }
  });
});

interface Attest {
  readonly threshold?: number;
  readonly onContradiction?: (evidence: RootContradiction) => void;
}

/** What the third node says, with a root of its own making. */
function flatLie(world: KvWorld, result: unknown): unknown {
  const { signer: _, signature: __, ...statement } = result as SignedRoot & SignedRoot['statement'];
  const lie = world.lieOf(2, { statement }, toHex(new Uint8Array(32).fill(7)));
  return { ...lie.statement, signer: lie.signer, signature: lie.signature };
}

/** An answer with one thing changed, somewhere. */
function changed(result: unknown, rng: Rng): unknown {
  const text = JSON.stringify(result);
  for (;;) {
    const at = rng.below(text.length);
    const code = text.charCodeAt(at) ^ (1 << rng.below(6));
    const other = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
    try {
      return JSON.parse(other);
    } catch {
      // not JSON: another place
    }
  }
}
