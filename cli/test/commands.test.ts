import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, parseRoot } from '@cairn/primitives';
import { checkClock, checkKeyFile, checkNodeVersion } from '../src/commands/node-doctor.ts';
import { settingsOf } from '../src/commands/node-run.ts';
import { chooseDecryption, chooseEncryption } from '../src/encryption-options.ts';
import { Progress } from '../src/progress.ts';
import { PutProgress } from '../src/put-progress.ts';
import { contextOf, fakeIo } from './fake-io.ts';

describe('doctor', () => {
  it('knows the Node.js versions that are tested', () => {
    for (const version of ['20.19.0', '20.20.2', '24.1.0'])
      assert.equal(checkNodeVersion(version).result, 'ok', version);
    for (const version of ['18.20.0', '20.18.9'])
      assert.match(checkNodeVersion(version).advice ?? '', /20\.19/, version);
  });

  it('takes the middle of the clocks, so that one wrong node is not this machine’s fault', () => {
    assert.equal(checkClock([]).result, 'skipped');
    assert.equal(checkClock([400, 900, 86_400_000]).result, 'ok');
    assert.equal(checkClock([-60_000, -61_000, 500]).result, 'failed');
  });

  it('says how to close a key file to others', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-doctor-'));
    const path = join(directory, 'key');
    await writeFile(path, 'x', { mode: 0o600 });
    assert.equal((await checkKeyFile(path)).result, 'ok');
    await chmod(path, 0o640);
    assert.equal((await checkKeyFile(path)).advice, `chmod 600 ${path}`);
    await rm(directory, { recursive: true });
    assert.equal((await checkKeyFile(path)).result, 'failed');
  });
});

describe('settings of a node', () => {
  it('become the environment variables that the node reads', () => {
    assert.deepEqual(settingsOf(['storage.shard=0/2', 'http.port=1', 'log.level=a=b']), {
      CAIRN_STORAGE__SHARD: '0/2',
      CAIRN_HTTP__PORT: '1',
      CAIRN_LOG__LEVEL: 'a=b',
    });
    for (const text of ['', 'shard=1', 'storage.=1', '.x=1', 'storage.shard'])
      assert.throws(
        () => settingsOf([text]),
        (error) => isFault(error, 'CLI_USAGE'),
        text,
      );
  });
});

describe('encryption options', () => {
  let directory: string;
  let keyFile: string;
  const context = () => contextOf(fakeIo({ cwd: directory }));

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-encryption-'));
    keyFile = join(directory, 'key.hex');
    await writeFile(keyFile, '07'.repeat(32), { mode: 0o600 });
  });

  after(() => rm(directory, { recursive: true }));

  it('choose the format by version and by whom it is for', async () => {
    const recipient = `0x02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`;
    const kindOf = async (options: object) =>
      (await chooseEncryption(options, [keyFile], context()))?.kind;
    assert.equal(await kindOf({}), undefined);
    assert.equal(await kindOf({ encrypt: 'v1', encryptionKey: keyFile }), 'zg-ctr');
    assert.equal(await kindOf({ encrypt: 'v2', recipient }), 'zg-ecies');
    assert.equal(await kindOf({ encrypt: 'v3', encryptionKey: keyFile }), 'sealed');
    assert.equal(await kindOf({ encrypt: 'v3', recipient: 'self' }), 'sealed-to');
  });

  it('refuse what does not go together', async () => {
    for (const options of [
      { encryptionKey: keyFile },
      { encrypt: 'v1' },
      { encrypt: 'v1', recipient: 'self' },
      { encrypt: 'v2', encryptionKey: keyFile },
      { encrypt: 'v3' },
      { encrypt: 'v3', encryptionKey: keyFile, recipient: 'self' },
      { encrypt: 'v3', recipient: '0x1234' },
    ] as const) {
      await assert.rejects(
        chooseEncryption(options, [keyFile], context()),
        (error) => isFault(error, 'CLI_USAGE'),
        JSON.stringify(options),
      );
    }
  });

  it('decrypt with the key named, else with the payer’s, and say so where there is none', async () => {
    const seven = new Uint8Array(32).fill(7);
    const named = await chooseDecryption({ decrypt: keyFile }, [], context());
    assert.deepEqual(named?.key, seven);
    const own = await chooseDecryption({ decrypt: true }, [keyFile], context());
    assert.deepEqual(own?.privateKey, seven);
    assert.equal(await chooseDecryption({}, [keyFile], context()), undefined);
    await assert.rejects(chooseDecryption({ decrypt: true }, [], context()), (error) =>
      isFault(error, 'CLI_NO_KEY'),
    );
  });
});

describe('progress of an upload', () => {
  it('sums what every holder has', () => {
    let now = 0;
    const io = fakeIo();
    const progress = new Progress({ io, clock: { monotonic: () => now } });
    const shown = new PutProgress(progress, { isQuiet: true });
    const root = parseRoot(`0x${'11'.repeat(32)}`);
    shown.show({ step: 'prepared', root, sizeBytes: 1 });
    for (const holder of ['a', 'b']) {
      now += 5000;
      shown.show({ step: 'sending', root, holder, doneSegments: 5, totalSegments: 10 });
    }
    assert.match(io.err().trimEnd().split('\n').at(-1) ?? '', /10 segments of 20 segments/);
    assert.ok(!io.err().includes(root), 'a quiet one shows no steps');
  });
});
