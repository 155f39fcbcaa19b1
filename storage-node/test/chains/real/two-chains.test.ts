import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '@cairn/chain-access/deploy';
import { type Client, createClient } from '@cairn/client-sdk';
import { isFault } from '@cairn/primitives';
import { ANVIL_KEYS, Anvil, hasAnvil } from '../../../../foundation/chain-access/test/anvil.ts';
import { patternBytes, until } from '../../harness.ts';
import { Daemon, type ReadyLine } from '../daemon.ts';

interface Place {
  readonly anvil: Anvil;
  readonly deployment: Deployment;
}

/** A file that the process keeps. */
interface Stored {
  readonly root: string;
  readonly bytes: Uint8Array;
}

const SEGMENT = 262_144;

describe('one process that keeps two chains', function () {
  this.timeout(300_000);
  let directory: string;
  let daemon: Daemon;
  let ready: ReadyLine;
  const places: Place[] = [];
  const stored: Stored[][] = [[], []];
  const clients: Client[] = [];

  const placeOf = (index: number): Place => {
    const place = places[index];
    ok(place !== undefined);
    return place;
  };
  /** What the process is configured with. */
  const toml = ({ shardChainId = 31_338 } = {}): string => {
    const [first, second] = [placeOf(0), placeOf(1)];
    return `[node]
data_dir = ${JSON.stringify(join(directory, 'data'))}
[log]
level = "info"
[chain]
rpc = "${first.anvil.url}"
chain_id = 31337
flow = "${first.deployment.contracts.flow}"
confirmations = 0
poll_ms = 50
[[shards]]
name = "second"
rpc = "${second.anvil.url}"
chain_id = ${shardChainId}
flow = "${second.deployment.contracts.flow}"
confirmations = 0
poll_ms = 50
[storage]
reserve_bytes = 0
[http]
port = 0
`;
  };
  /** A client of one chain: of the first at the root, as 0G clients are. */
  const clientOf = (index: number): Client => {
    const { anvil, deployment } = placeOf(index);
    const node = `${ready.http}${index === 0 ? '' : `/chains/${deployment.chainId}`}`;
    const client = createClient({ nodes: [node], rpc: anvil.url, signer: ANVIL_KEYS[0] });
    clients.push(client);
    return client;
  };
  const put = async (index: number, seed: number, length: number): Promise<Stored> => {
    const bytes = patternBytes(length, seed);
    const { root } = await clientOf(index).files.put(bytes);
    const file = { root, bytes };
    stored[index]?.push(file);
    return file;
  };
  const readAll = async (index: number): Promise<void> => {
    const reader = clientOf(index);
    for (const { root, bytes } of stored[index] ?? []) {
      deepEqual(await reader.files.getBytes(root), bytes);
    }
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  const json = async (path: string): Promise<any> => (await fetch(`${ready.http}${path}`)).json();
  const rpc = async (path: string, method: string, params: unknown[] = []) => {
    const reply = await fetch(`${ready.http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  const admin = (path: string): Promise<any> =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath: ready.admin, path }, (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        reply.on('end', () => resolve(JSON.parse(text)));
      });
      asked.on('error', reject);
      asked.end();
    });

  before(async function () {
    if (!hasAnvil) this.skip();
    directory = await mkdtemp(join(tmpdir(), 'cairn-chains-'));
    daemon = new Daemon(join(directory, 'cairn.toml'));
    for (const chainId of ['31337', '31338']) {
      const anvil = await Anvil.start('--chain-id', chainId);
      places.push({ anvil, deployment: await anvil.deploy() });
    }
    ready = await daemon.start(toml());
  });

  after(async () => {
    for (const client of clients) await client.close();
    for (const { anvil } of places) anvil.resume();
    await daemon?.end('SIGKILL');
    for (const { anvil } of places) await anvil.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it('takes a file of each from the same client program, and gives it back', async () => {
    for (const index of [0, 1]) await put(index, 7 + index, SEGMENT + 1000);
    for (const index of [0, 1]) await readAll(index);
  });

  it('keeps their files, sequences and doors apart', async () => {
    const [[first], [second]] = stored as [Stored[], Stored[]];
    equal((await json('/v1/status')).chainId, 31_337);
    equal((await json('/chains/31337/v1/status')).chainId, 31_337);
    equal((await json('/chains/31338/v1/status')).chainId, 31_338);
    for (const path of ['', '/chains/31337', '/chains/31338']) {
      equal((await json(`${path}/v1/status`)).nextSequence, 1, path);
    }
    equal((await fetch(`${ready.http}/v1/entries/${second?.root}`)).status, 404);
    equal((await fetch(`${ready.http}/chains/31338/v1/entries/${first?.root}`)).status, 404);
    const info = await rpc('/chains/31338', 'zgs_getFileInfo', [second?.root, false]);
    equal((info.body['result'] as { readonly finalized: boolean }).finalized, true);
    equal((await rpc('/', 'zgs_getFileInfo', [second?.root, false])).body['result'], null);
    const page = await fetch(`${ready.http}/chains/31338/v1/files/${second?.root}`);
    deepEqual(new Uint8Array(await page.arrayBuffer()), second?.bytes);
  });

  it('refuses a chain that it does not keep by name, whatever is asked', async () => {
    for (const path of ['/chains/31339', '/chains/31339/', '/chains/31339/v1/status']) {
      const { status, body } = await rpc(path, 'zgs_getStatus');
      equal(status, 404, path);
      equal(body['code'], 'CHAIN_NOT_KEPT');
      equal(body['detail'], 'this node does not keep chain 31339; it keeps 31337, 31338');
    }
    equal((await fetch(`${ready.http}/chains/31338/chains/31338/v1/status`)).status, 404);
    const cross = createClient({
      nodes: [`${ready.http}/chains/31338`],
      rpc: placeOf(0).anvil.url,
      signer: ANVIL_KEYS[0],
    });
    clients.push(cross);
    await rejects(cross.files.put(patternBytes(100, 99)), (error) => isFault(error));
  });

  it('tells of each in health, list, measures and to admins', async () => {
    const { ready: isReady, facts, reasons } = await json('/health/ready');
    deepEqual([isReady, reasons], [true, []]);
    match(facts['chain 31337'], /^ready, keeps 0\/1 of 1 files in \d+ bytes, block \d+$/);
    match(facts['chain 31338 (second)'], /^ready, keeps 0\/1 of 1 files/);
    equal((await json('/chains/31338/health/ready')).ready, true);
    const { chains } = await json('/chains');
    deepEqual(
      // biome-ignore lint/suspicious/noExplicitAny: replies of many shapes
      chains.map(({ path, ready: fit, status }: any) => [path, fit, status.nextSequence]),
      [
        ['/chains/31337', true, 1],
        ['/chains/31338', true, 1],
      ],
    );
    const measures = (await (await fetch(`${ready.http}/metrics`)).text()).split('\n');
    const measure = (name: string): string[] => measures.filter((line) => line.startsWith(name));
    for (const chain of ['31337', '31338']) {
      deepEqual(measure(`cairn_upload_bytes_total{chain="${chain}"}`), [
        `cairn_upload_bytes_total{chain="${chain}"} 263168`,
      ]);
      equal(measure(`cairn_log_next_tx_seq{chain="${chain}"}`).length, 1);
      const requests = measure('cairn_http_duration_seconds_count');
      ok(requests.some((line) => line.includes(`chain="${chain}"`)));
    }
    equal(measure('cairn_disk_free_bytes').length, 1);
    const told = await admin('/v1/admin/status');
    equal(told.status.chainId, 31_337);
    deepEqual(
      (told.chains as { readonly name: string }[]).map(({ name }) => name),
      ['chain 31337', 'chain 31338 (second)'],
    );
    const own = await admin('/chains/31338/v1/admin/status');
    equal(own.status.chainId, 31_338);
    equal(own.dataDirectory, join(directory, 'data', 'chains', '31338'));
    equal((await admin('/chains/31338/v1/admin/shard')).shard, '0/1');
  });

  it('has all files after kill -9, and serves one chain while the endpoint of the other is away', async () => {
    for (const index of [0, 1]) await put(index, 17 + index, 3000);
    await daemon.end('SIGKILL');
    placeOf(1).anvil.pause();
    ready = await daemon.restart();
    await put(0, 27, 5000);
    await readAll(0);
    const { ready: isReady, reasons } = await json('/health/ready');
    equal(isReady, true, 'one of them works');
    deepEqual(reasons, ['chain 31338 (second): the chain has not told its newest block yet']);
    equal((await fetch(`${ready.http}/chains/31337/health/ready`)).status, 200);
    equal((await fetch(`${ready.http}/chains/31338/health/ready`)).status, 503);
    for (const { root, bytes } of stored[1] ?? []) {
      const page = await fetch(`${ready.http}/chains/31338/v1/files/${root}`);
      deepEqual(new Uint8Array(await page.arrayBuffer()), bytes, 'reads go on');
    }
    placeOf(1).anvil.resume();
    await until(async () => (await fetch(`${ready.http}/chains/31338/health/ready`)).ok);
    await put(1, 28, 5000);
    for (const index of [0, 1]) await readAll(index);
  });

  it('refuses to start on an endpoint of another chain, by name', async () => {
    equal(await daemon.end('SIGTERM'), 0);
    equal(await daemon.runToEnd(toml({ shardChainId: 31_340 })), 1);
    match(daemon.err, /CHAIN_WRONG_ID: .*31340/);
  });
});
