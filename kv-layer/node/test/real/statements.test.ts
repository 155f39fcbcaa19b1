import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeystore, signerFromKey } from '@cairn/chain-access';
import { judgeRoots, NO_ROOT, parseSignedRoot, verifySignedRoot } from '@cairn/kv-layer';
import { fromHex, isFault, seededRng, utf8Bytes } from '@cairn/primitives';
import { until } from '../../../../test/support/wait.ts';
import { loadKvNodeConfig } from '../../src/config.ts';
import { LogWorld, type WorldNode } from '../support/log-world.ts';
import { streamNumber } from '../support/replayed.ts';

const [ONE, TWO, NEVER] = [streamNumber(1), streamNumber(2), streamNumber(3)];
const [ANNA, BERT] = ['0a', '0b'].map((byte) => byte.repeat(32)) as [string, string];

describe('roots that key-value nodes vouch for', () => {
  let world: LogWorld;
  let folder: string;

  beforeEach(async () => {
    world = await LogWorld.make(71);
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-keys-'));
  });
  afterEach(async () => {
    await world.end();
    await rm(folder, { recursive: true, force: true });
  });

  const keyFile = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const start = async (key: string, more: object = {}): Promise<WorldNode> =>
    world.start({
      streams: { ids: [ONE, TWO, NEVER] },
      attest: { key: await keyFile(key.slice(0, 2), key) },
      ...more,
    });
  const write = async (text: string): Promise<number> => {
    await world.batch([ONE], (batch) => batch.put(ONE, utf8Bytes('k'), utf8Bytes(text)));
    world.chain.mine();
    return world.chain.entries().length;
  };
  const decided = (node: WorldNode, count: number): Promise<void> =>
    until('entries are decided', async () => node.node.status.nextSequence >= count);
  const ask = async (node: WorldNode, fields: object = {}, stream = ONE) =>
    verifySignedRoot(parseSignedRoot(await node.rpc('kvx_getStatement', { stream, ...fields })));

  it('are the same of every node at every entry, over JSON-RPC and HTTP', async () => {
    const nodes = [await start(ANNA), await start(BERT)];
    const [anna, bert] = nodes as [WorldNode, WorldNode];
    for (let index = 0; index < 5; index += 1) await write(`text ${index}`);
    for (const node of nodes) await decided(node, 5);
    for (let version = 0; version < 5; version += 1) {
      const said = [await ask(anna, { version }), await ask(bert, { version })];
      const keys = [ANNA, BERT].map((key) => signerFromKey(key).address);
      assert.equal(judgeRoots(said, keys).agreeing.length, 2);
      const [first] = said;
      assert.equal(first?.statement.sequence, version);
      const { stateRoot } = (await anna.rpc('kvx_getRoot', { stream: ONE, version })) as {
        stateRoot: string;
      };
      assert.equal(first?.statement.root, stateRoot);
    }
    const byHttp = parseSignedRoot(await anna.get(`/v1/streams/${ONE}/statement?version=3`));
    assert.deepEqual(byHttp, await ask(anna, { version: 3 }));
    assert.equal((await anna.get('/v1/status'))['signer'], signerFromKey(ANNA).address);
    const never = await ask(anna, {}, NEVER);
    assert.deepEqual([never.statement.root, never.statement.sequence], [NO_ROOT, 4]);
    await assert.rejects(ask(anna, { version: 5 }), /entry 5 is applied next/);
    const waited = ask(anna, { minSequence: 5 });
    await write('awaited');
    assert.equal((await waited).statement.sequence, 5);
  });

  it('name the block, so that a branch that is gone contradicts nobody', async () => {
    const node = await start(ANNA);
    await write('kept');
    await decided(node, await write('gone'));
    const before = await ask(node);
    world.chain.reorg(1, false);
    await decided(node, await write('instead'));
    await until('another branch', async () => {
      const now = await ask(node).catch(() => before); // the chain takes the entry back just now
      const { root, sequence } = now.statement;
      return sequence === before.statement.sequence && root !== before.statement.root;
    });
    const after = await ask(node, { version: 1 });
    assert.equal(after.statement.sequence, before.statement.sequence);
    assert.notEqual(after.statement.block, before.statement.block);
    const { contradictions } = judgeRoots([before, after], [signerFromKey(ANNA).address]);
    assert.deepEqual(contradictions, []);
  });

  it('are none behind a file that was given up, until it is there', async () => {
    const node = await start(ANNA, {
      replay: { missing: 'skip', skip_after_s: 1, heal_every_s: 1 },
    });
    await decided(node, await write('before'));
    const hidden = await world.batch([ONE], (batch) =>
      batch.put(ONE, utf8Bytes('k'), utf8Bytes('hidden')),
    );
    world.hidden.add(hidden);
    world.chain.mine();
    await decided(node, await write('after'));
    await assert.rejects(ask(node), /file of entry 1 was given up/);
    assert.equal((await ask(node, { version: 0 })).statement.sequence, 0);
    world.hidden.clear();
    await until('the hole is healed', async () => (await node.get('/v1/holes'))['total'] === 0);
    await decided(node, 3);
    assert.equal((await ask(node)).statement.sequence, 2);
  });

  it('are signed by a keystore too, and by no node without a key', async () => {
    const { signal } = new AbortController();
    const rng = seededRng(5);
    const text = await createKeystore(fromHex(`0x${ANNA}`), 'a word', {
      rng,
      signal,
      scryptN: 1024,
    });
    const node = await world.start({
      streams: { ids: [ONE] },
      attest: {
        key: await keyFile('store.json', text),
        key_password: await keyFile('word', 'a word'),
      },
    });
    await decided(node, await write('x'));
    assert.equal((await ask(node)).signer, signerFromKey(ANNA).address);
    const bare = await world.start({ streams: { ids: [ONE] } });
    await decided(bare, 1);
    await assert.rejects(ask(bare), /attest\.key/);
    assert.equal((await bare.get('/v1/status'))['signer'], null);
  });

  it('need a key that is nobody else’s to read, and is one', async () => {
    const open = await keyFile('open', ANNA);
    await chmod(open, 0o644);
    const settings = (attest: Record<string, unknown>) => ({
      streams: { ids: [ONE] },
      attest,
    });
    await assert.rejects(world.start(settings({ key: open })), (error) =>
      isFault(error, 'KEY_FILE_PERMISSIONS'),
    );
    await assert.rejects(
      world.start(settings({ key: await keyFile('text', 'no key') })),
      (error) => isFault(error, 'KV_CONFIG') && !error.message.includes('no key at all'),
    );
    const overrides = {
      node: { data_dir: folder },
      chain: { rpc: 'http://127.0.0.1:1', flow: world.chain.flow },
      storage: { nodes: ['http://127.0.0.1:1'] },
      attest: { key_password: open },
    };
    await assert.rejects(loadKvNodeConfig({ overrides }), (error) => isFault(error, 'KV_CONFIG'));
  });
});
