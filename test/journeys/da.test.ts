import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { sharedBrowser } from '../support/browser.ts';
import { cairn, cairnJson, cairnProcess, cairnProcessJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { type Network, rpc, startNetwork } from '../support/network.ts';
import { processesNaming } from '../support/processes.ts';
import { type PageVerdict, sampleByPage } from '../support/sampling-page.ts';
import { until } from '../support/wait.ts';

const KIB = 1024;
const SIZES = [1, 128 * KIB, KIB * KIB];

/** A blob that was put. */
interface Posted {
  readonly id: string;
  readonly content: Buffer;
  readonly certificate: string;
}

/** A signer as the devnet's status tells it. */
interface Signer {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
}

describe('blobs through the command', () => {
  let network: Network;
  let folder: string;
  let browser: Browser | undefined;
  const posted: Posted[] = [];
  /** A blob that was written to the log. */
  let archived = '';

  before(async () => {
    browser = await sharedBrowser();
    network = await startNetwork(['--storage', '0/1', '--da', '4', '--keep'], { isDetached: true });
    folder = await mkdtemp(join(tmpdir(), 'cairn-blobs-'));
  });

  after(async () => {
    await network?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const dir = (): string[] => ['--dir', network.directory];
  const put = async (seed: number, length: number, extra: readonly string[] = []) => {
    const content = Buffer.from(contentOf(seed, length));
    const path = join(folder, `blob-${seed}`);
    const certificate = `${path}.certificate`;
    await writeFile(path, content);
    const args = ['da', 'put', path, '--certificate', certificate, ...extra];
    const receipt = await cairnJson([...args, ...dir()]);
    const id = String(receipt['id']);
    assert.equal(id, `0x${createHash('sha256').update(content).digest('hex')}`);
    posted.push({ id, content, certificate });
    return receipt;
  };
  const readBack = async (
    blobs: readonly Posted[],
    extra: readonly string[] = [],
  ): Promise<void> => {
    for (const { id, content } of blobs) {
      const read = await cairn(['da', 'get', id, '--output', '-', ...extra, ...dir()]);
      assert.equal(read.status, 0, read.stderr);
      assert.ok(read.stdout.equals(content), `${content.length} bytes come back`);
    }
  };
  const signers = async (): Promise<readonly Signer[]> => {
    const status = await cairn(['devnet', 'status', '--json', ...dir()]); // 1 while one is missing
    const { processes } = JSON.parse(status.stdout.toString()) as { processes: Signer[] };
    return processes.filter(({ name }) => name.startsWith('signer-'));
  };

  it('are signed for by their quorum, and any process reads them back', async () => {
    for (const [seed, length] of SIZES.entries()) {
      const { stage, certificate, sizeBytes } = await put(seed, length);
      assert.ok(['dispersed', 'confirmed', 'final'].includes(String(stage)));
      assert.match(String(certificate), /^0x[0-9a-f]{400,}$/);
      assert.equal(sizeBytes, length);
    }
    await readBack(posted);
    const out = join(folder, 'copy');
    const [first] = posted;
    const got = await cairnProcess(['da', 'get', first?.id ?? '', '--output', out, ...dir()]);
    assert.equal(got.status, 0, got.stderr);
    assert.deepEqual(await readFile(out), first?.content);
  });

  it('are confirmed on the chain, with the transaction', async () => {
    const content = contentOf(40, 5000);
    const path = join(folder, 'confirmed');
    await writeFile(path, content);
    const args = ['da', 'put', path, '--wait', 'confirmed', ...dir()];
    const receipt = await cairnProcessJson(args);
    assert.match(String(receipt['transaction']), /^0x[0-9a-f]{64}$/);
    const status = await cairnProcessJson(['da', 'status', String(receipt['id']), ...dir()]);
    assert.equal(status['commitment'], receipt['commitment']);
  });

  it('have certificates that the chain, or an epoch file alone, verifies', async () => {
    const { epoch, members } = await cairnJson(['da', 'quorum', ...dir()]);
    assert.equal((members as unknown[]).length, 4);
    const [last] = posted.slice(-1);
    assert.ok(last !== undefined);
    const byChain = await cairnJson(['da', 'verify', last.certificate, ...dir()]);
    assert.equal(byChain['sizeBytes'], last.content.length);
    assert.ok(3 * Number(byChain['signedSeats']) > 2 * Number(byChain['totalSeats']));
    assert.ok(Number(byChain['epoch']) <= Number(epoch));

    const epochFile = join(folder, 'epoch.json');
    const wanted = ['--epoch', String(byChain['epoch']), '--out', epochFile];
    await cairnProcessJson(['da', 'quorum', ...wanted, ...dir()]);
    const offline = ['da', 'verify', last.certificate, '--epoch-file', epochFile];
    assert.deepEqual(await cairnProcessJson(offline, { cwd: folder }), byChain);

    const changed = await readFile(last.certificate);
    changed[changed.length - 100] = (changed[changed.length - 100] ?? 0) ^ 1;
    await writeFile(join(folder, 'changed'), changed);
    const refused = await cairn(['da', 'verify', join(folder, 'changed'), ...dir()]);
    assert.equal(refused.status, 4, refused.stderr);
  });

  it('are sampled from the signers themselves', async () => {
    for (const [at, { id }] of posted.entries()) {
      const sampled = at === 0 ? cairnProcessJson : cairnJson;
      const sample = await sampled(['da', 'sample', id, ...dir()]);
      assert.equal(sample['verdict'], 'available');
      assert.ok(Number(sample['confidence']) > 0.999_999);
      assert.ok(Number(sample['samples']) > 0 && Number(sample['holders']) > 0);
    }
  });

  it('are sampled by a page in a browser, to the same verdict as in Node', async function () {
    if (browser === undefined) this.skip();
    const page = network.endpoints.da?.page ?? assert.fail('the devnet serves no page');
    const big = await put(41, 1_500_000, ['--wait', 'confirmed']);
    const commitment = String(big['commitment']);
    let last: PageVerdict | undefined;
    for (const blob of [posted[1]?.id ?? '', '', commitment]) {
      const seen = await sampleByPage(browser, page, blob);
      assert.deepEqual(seen.errors, []);
      assert.equal(seen.kind, 'available', seen.text);
      assert.ok(seen.answered === seen.drawn && seen.tableCame === seen.answered, seen.text);
      assert.ok(seen.isDrawn && seen.picture.includes(`${seen.answered} came`), seen.picture);
      last = seen;
    }
    const sample = await cairnJson(['da', 'sample', String(big['id']), ...dir()]);
    assert.equal(sample['verdict'], last?.kind);
    assert.equal(sample['samples'], last?.drawn);
    const unknown = await sampleByPage(browser, page, `0x${'cd'.repeat(32)}`);
    assert.equal(unknown.kind, 'failed');
    assert.match(unknown.text, /knows a blob/);
  });

  it('that nobody posted are not found', async () => {
    const unknown = `0x${'ab'.repeat(32)}`;
    for (const command of ['get', 'status', 'sample']) {
      const result = await cairn(['da', command, unknown, ...dir()]);
      assert.equal(result.status, 3, result.stderr);
    }
  });

  it('stay available without one signer, and new ones are taken', async () => {
    const [victim] = await signers();
    assert.ok(victim !== undefined);
    process.kill(victim.pid, 'SIGKILL');
    const isEnded = async (): Promise<boolean> => (await signers())[0]?.state !== 'running';
    await until('the signer to end', isEnded);
    const newest = posted.slice(-1);
    await readBack(newest, ['--from', 'signers']);
    for (const { id } of newest) {
      const sample = await cairnJson(['da', 'sample', id, ...dir()]);
      assert.equal(sample['verdict'], 'available');
      assert.ok(Number(sample['holders']) <= 3);
    }
    await put(50, 3000);
  });

  it('are paid first where that is asked for, and written to the log', async () => {
    const { id, archive, stage } = await put(55, 70_000, ['--archive', '--order', 'chain']);
    assert.ok(stage !== 'accepted');
    assert.ok(archive !== undefined);
    let status: Record<string, unknown> = {};
    const isStored = async (): Promise<boolean> => {
      status = await cairnJson(['da', 'status', String(id), ...dir()]);
      return (status['archive'] as { stage?: string }).stage === 'stored';
    };
    await until('the file in the log', isStored);
    const { root } = status['archive'] as { root: string };
    const file = await cairn(['file', 'get', root, '--output', '-', ...dir()]);
    assert.equal(file.status, 0, file.stderr);
    assert.ok(file.stdout.equals(contentOf(55, 70_000)), 'the file has the bytes of the blob');
    archived = String(id);
  });

  it('are read and sampled once the disperser is gone too, by what chain and signers tell', async () => {
    const receipt = await put(51, 600_000, ['--wait', 'confirmed']);
    const { id, content, certificate } = posted.at(-1) ?? assert.fail();
    const commitment = String(receipt['commitment']);
    const epochFile = join(folder, 'last-epoch.json');
    const wanted = ['--epoch', String(receipt['epoch']), '--out', epochFile];
    await cairnJson(['da', 'quorum', ...wanted, ...dir()]);
    const status = await cairn(['devnet', 'status', '--json', ...dir()]);
    const { processes } = JSON.parse(status.stdout.toString()) as { processes: Signer[] };
    const disperser = processes.find(({ name }) => name === 'disperser') ?? assert.fail();
    process.kill(disperser.pid, 'SIGKILL');

    // Three of four signers are left, and whoever reads has the epoch and the certificate alone.
    const offline = ['--certificate', certificate, '--epoch-file', epochFile];
    const got = await cairnProcess(['da', 'get', ...offline, '--output', '-'], { cwd: folder });
    assert.equal(got.status, 0, got.stderr);
    assert.ok(got.stdout.equals(content));
    const sample = await cairnJson(['da', 'sample', ...offline], { cwd: folder });
    assert.equal(sample['verdict'], 'available');

    // Or the commitment and a chain, once the confirmation is final there.
    const byChain = () => cairn(['da', 'get', commitment, '--output', '-', ...dir()]);
    await until('the confirmation to be final', async () => (await byChain()).status === 0);
    assert.ok((await byChain()).stdout.equals(content));
    const final = (await rpc(network.chainRpc, 'eth_getBlockByNumber', ['finalized', false])) as {
      readonly hash: string;
    };
    const proven = ['--trusted-block', final.hash, '--witness', network.chainRpc];
    const trusting = await cairnJson(['da', 'sample', commitment, ...proven, ...dir()]);
    assert.equal(trusting['verdict'], 'available');
    const unknown = ['--trusted-block', `0x${'12'.repeat(32)}`];
    const refused = await cairn(['da', 'sample', commitment, ...unknown, ...dir()]);
    assert.equal(refused.status, 3, refused.stderr);
    const byId = await cairn(['da', 'get', id, '--output', '-', ...dir()]);
    assert.equal(byId.status, 3, 'nobody knows what has that SHA-256');
  });

  it('are judged by a light client one after the other, also by one that is killed on the way', async () => {
    const checkpoint = ['--checkpoint', join(folder, 'checkpoint.json')];
    const from = ['--epoch-file', join(folder, 'epoch.json'), '--from-block', '0'];
    const args = [
      'light',
      'run',
      '--once',
      '--json',
      '--parallel',
      '1',
      ...from,
      ...checkpoint,
      ...dir(),
    ];
    const linesOf = (output: Buffer) =>
      output
        .toString()
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const cutOff = () =>
      cairnProcess(args, {
        onStart: (child) => child.stdout?.once('data', () => child.kill('SIGKILL')),
      });
    let cut = await cutOff();
    for (let tries = 1; cut.signal !== 'SIGKILL' && tries < 5; tries += 1) {
      await rm(join(folder, 'checkpoint.json'), { force: true }); // it was done before the kill came
      cut = await cutOff();
    }
    assert.equal(cut.signal, 'SIGKILL', cut.stderr);
    const rest = await cairnProcess(args);
    assert.equal(rest.status, 0, rest.stderr);
    const lines = [...linesOf(cut.stdout), ...linesOf(rest.stdout)];
    const places = new Set(lines.map(({ daIndex, leafIndex }) => `${daIndex}.${leafIndex}`));
    const confirmed = lines.filter(({ verdict }) => verdict === 'available');
    const sizes = new Set(confirmed.map(({ sizeBytes }) => sizeBytes));
    for (const { content } of posted.slice(SIZES.length)) {
      assert.ok(sizes.has(content.length), `${content.length} bytes were judged`);
    }
    assert.ok(linesOf(cut.stdout).length + linesOf(rest.stdout).length <= places.size + 4);
    const again = await cairn(args);
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(linesOf(again.stdout), [], 'everything was judged');
  });

  it('that too few signers serve are unavailable, to Node and to a page alike', async () => {
    for (const { pid, state } of (await signers()).slice(1, 3)) {
      if (state === 'running') process.kill(pid, 'SIGKILL');
    }
    const left = async () => (await signers()).filter(({ state }) => state === 'running').length;
    await until('the signers to end', async () => (await left()) === 1);
    const { certificate } = posted.at(-1) ?? assert.fail();
    const args = ['da', 'sample', '--certificate', certificate, '--json', ...dir()];
    const sample = await cairn(args);
    assert.equal(sample.status, 5, sample.stderr);
    const verdict = JSON.parse(sample.stdout.toString()) as Readonly<Record<string, unknown>>;
    assert.equal(verdict['verdict'], 'unavailable');
    const get = await cairn(['da', 'get', '--certificate', certificate, '-o', '-', ...dir()]);
    assert.equal(get.status, 5, get.stderr);
    if (browser === undefined) return;
    const page = network.endpoints.da?.page ?? assert.fail();
    const seen = await sampleByPage(browser, page, ''); // the newest that the chain confirmed
    assert.deepEqual(seen.errors, []);
    assert.equal(seen.kind, 'unavailable', seen.text);
    assert.ok(seen.answered < seen.drawn && seen.picture.includes('did not'), seen.picture);
  });

  it('outlive a pause: what was kept is served, and epochs go on', async () => {
    // Blocks of ten minutes in which nobody posted a ticket.
    await rpc(network.chainRpc, 'anvil_mine', ['0x258', '0x0']);
    const { directory } = network;
    const down = await cairnProcess(['devnet', 'down', ...dir()]);
    assert.equal(down.status, 0, down.stderr);
    const again = ['--storage', '0/1', '--da', '4', '--keep', '--port', '0'];
    const up = await cairnProcess(['devnet', 'up', '--detach', ...again, ...dir()]);
    assert.equal(up.status, 0, up.stderr);
    assert.equal((await signers()).length, 4);
    await put(60, 2000);
    await readBack([...posted.slice(0, 1), ...posted.slice(-2)]);
    for (const { pid } of await signers()) process.kill(pid, 'SIGKILL');
    const outlived = await cairn(['da', 'get', archived, '--output', '-', ...dir()]);
    assert.equal(outlived.status, 0, outlived.stderr);
    assert.ok(
      outlived.stdout.equals(contentOf(55, 70_000)),
      'an archived blob outlives its signers',
    );
    const last = await cairn(['devnet', 'down', '--dir', directory]);
    assert.equal(last.status, 0, last.stderr);
    await until('the last process to end', () => processesNaming(directory).length === 0);
    assert.equal(existsSync(join(directory, 'endpoints.json')), false);
  });
});
