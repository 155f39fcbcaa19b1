import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@cairn/client-sdk';
import { BatchBuilder, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { checkLevelFiles } from '@cairn/node-runtime/level';
import { seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import { submissionCount } from '../support/chain.ts';
import { FrontNode } from '../support/front-node.ts';
import { KvProcess } from '../support/kv-process.ts';
import { LyingRpc, type RpcManner } from '../support/lying-rpc.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak, seedOf } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(51_515);
/** What is done to which file of which index while the node is down. */
const WAYS = ['flip', 'cut', 'remove'] as const;
const FILES = { log: /\.log$/, table: /\.ldb$/, manifest: /^MANIFEST/, current: /^CURRENT$/ };
type Damage = readonly ['index' | 'state', keyof typeof FILES, (typeof WAYS)[number]];
const FEW: readonly Damage[] = [
  ['index', 'log', 'cut'], // opened again what was in the log lies in a table
  ['state', 'table', 'flip'],
  ['index', 'manifest', 'cut'],
];
const DAMAGES = isSoak ? 60 : FEW.length;
/** Changes of what the endpoint does while entries are written. */
const CHANGES = isSoak ? 200 : 7;
const { signal } = new AbortController();

interface Wait {
  readonly sequence: number;
  readonly for: string;
  readonly waitedMs: number;
  readonly tries: number;
  readonly sentence: string;
}

interface Status {
  readonly replay: {
    readonly next: number;
    readonly logNext: number;
    readonly waits: Wait | null;
    readonly rebuilt: string | null;
  };
}

describe(`a key-value node as a process, whose disk and endpoints misbehave, seed ${SEED}`, () => {
  let network: Network;
  let folder: string;
  let flow: string;
  let writer: Client;
  let chain: LyingRpc;
  let storage: FrontNode;
  let node: KvProcess;
  const rng = seededRng(SEED);
  const stream: StreamId = parseStreamId(toHex(crypto.getRandomValues(new Uint8Array(32))));
  const pick = <Item>(items: readonly Item[]): Item =>
    items[rng.below(items.length)] ?? assert.fail();
  let written = 0;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-damaged-'));
    flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const options = { nodes: [network.fullNode], rpc: network.chainRpc, flow, threads: 0 };
    writer = createClient({ ...options, signer: network.key });
    chain = await LyingRpc.start(network.chainRpc);
    storage = new FrontNode(network.fullNode);
    await storage.start();
    const behind = { chainRpc: chain.url, storage: storage.url };
    node = await KvProcess.start(network, { folder, streams: [stream], ...behind });
  });

  after(async () => {
    await node?.kill();
    await chain?.stop();
    storage?.stop();
    await writer?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** Writes one entry: a key of its own, its number, and a long value. */
  const write = async (): Promise<{ sequence: number; transaction: string }> => {
    const number = written + 1;
    const batch = new BatchBuilder()
      .put(stream, utf8Bytes('number'), utf8Bytes(String(number)))
      .put(stream, utf8Bytes(`key ${number}`), rng.fill(new Uint8Array(1 + rng.below(5000))));
    const { bytes, tags } = batch.build();
    const { sequence, transactionHash } = await writer.files.put(bytes, { tags });
    written = number;
    return { sequence, transaction: String(transactionHash) };
  };

  const statusOf = async (of = node): Promise<Status['replay']> =>
    ((await (await fetch(`${of.url}/v1/status`)).json()) as Status).replay;

  /** The stream's root once every entry of the log is decided, and nothing is waited for. */
  const settledRoot = async (of = node): Promise<unknown> => {
    const count = await submissionCount(network.chainRpc, flow);
    await until('the log to be decided', async () => {
      // A state may be ahead of a log that lost its newest entries, and goes back to it then.
      const { next, logNext } = await statusOf(of);
      return next === count && logNext === count;
    });
    const text = await rpc(of.url, 'kv_getValue', [stream, btoa('number'), 0, 10]);
    const { data } = text as { data: string };
    assert.equal(atob(data), String(written));
    return rpc(of.url, 'kvx_getRoot', [{ stream }]);
  };

  const waitFor = async (kind: string, sequence?: number): Promise<Wait> => {
    let found: Wait | null = null;
    await until(`the node to wait for ${kind} ${sequence ?? ''}`, async () => {
      const { waits } = await statusOf();
      const isIt = waits?.for === kind && (sequence ?? waits.sequence) === waits.sequence;
      found = isIt && waits.tries > 1 ? waits : null;
      return found !== null;
    });
    return found ?? assert.fail();
  };

  /** @returns whether the index is damaged, and not only without its newest writes */
  const spoil = async ([name, kind, way]: Damage): Promise<boolean> => {
    const directory = join(folder, 'data', name);
    const names = (await readdir(directory)).filter((file) => FILES[kind].test(file)).sort();
    if (names.length === 0) return false; // no table yet
    const path = join(directory, pick(names));
    const { size } = await stat(path);
    if (way === 'remove') await rm(path);
    else if (size === 0)
      return false; // a log that was begun
    else if (way === 'cut') await truncate(path, rng.below(size));
    else {
      const bytes = await readFile(path);
      const at = rng.below(size);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
      await writeFile(path, bytes);
    }
    return (await checkLevelFiles(directory, { signal }))?.kind === 'damaged';
  };

  it('says which file it waits for while its storage node answers nothing or wrong bytes', async () => {
    await write();
    await settledRoot();
    for (const manner of ['empty', 'lying'] as const) {
      storage.manner = manner;
      const { sequence } = await write();
      const { sentence } = await waitFor('file', sequence);
      assert.match(
        sentence,
        new RegExp(`file of entry ${sequence} .* for \\d+\\.\\d s, \\d+ tries`),
      );
      assert.match(sentence, /goes on once any of the storage nodes serves it/);
      assert.equal((await statusOf()).next, sequence);
      storage.manner = 'honest';
      await settledRoot();
    }
    assert.equal((await statusOf()).waits, null);
  });

  for (const manner of ['hole', 'skip', 'away', 'older'] as const) {
    it(`waits for the entry that an endpoint does not give, manner ${manner}`, async () => {
      const before = await settledRoot();
      chain.spoilt = 0;
      chain.manner = manner === 'hole' ? 'skip' : manner;
      const { sequence, transaction } = await write();
      if (manner === 'hole') {
        chain.hidden = transaction;
        chain.manner = 'hole';
        await write(); // what comes after the hole is not taken
      }
      const { sentence } = await waitFor('log', sequence);
      assert.match(
        sentence,
        new RegExp(`entry ${sequence}, in block \\d+ or later, for \\d+\\.\\d s`),
      );
      assert.match(sentence, /goes on once the endpoint/);
      assert.deepEqual(await rpc(node.url, 'kvx_getRoot', [{ stream }]), before);
      assert.ok(chain.spoilt > 0);
      chain.manner = 'honest';
      assert.notDeepEqual(await settledRoot(), before);
      await until('no wait', async () => (await statusOf()).waits === null);
    });
  }

  it(`has the state of a fresh node after ${CHANGES} changes of the endpoint’s manner and ${DAMAGES} damages`, async () => {
    const manners: readonly RpcManner[] = [
      'hole',
      'honest',
      'twice',
      'blind',
      'older',
      'skip',
      'away',
    ];
    for (let change = 0; change < CHANGES; change += 1) {
      chain.manner = manners[change % manners.length] ?? 'honest';
      chain.hidden = (await write()).transaction;
    }
    chain.manner = 'honest';
    let root = await settledRoot();
    let damaged = 0;
    for (let damage = 0; damage < DAMAGES; damage += 1) {
      await node.kill();
      const what: Damage = isSoak
        ? [
            pick(['index', 'state'] as const),
            pick(['log', 'table', 'manifest', 'current'] as const),
            pick(WAYS),
          ]
        : (FEW[damage] ?? assert.fail());
      const isDamaged = await spoil(what);
      const where = `seed ${SEED}, damage ${damage}: ${what.join(' ')}`;
      await node.restart();
      assert.deepEqual(await settledRoot(), root, where);
      const { rebuilt } = await statusOf();
      assert.equal(rebuilt !== null, isDamaged, `${where}: ${rebuilt}`);
      if (isDamaged) {
        damaged += 1;
        assert.match(rebuilt ?? '', new RegExp(`^${what[0]}/.* anew from the first entry`));
        assert.match(
          await (await fetch(`${node.url}/health/ready`)).text(),
          /replayed anew|read anew/,
        );
      }
      await write();
      root = await settledRoot();
    }
    assert.ok(damaged > 0);
    const other = await KvProcess.start(network, {
      folder: await mkdtemp(join(folder, 'fresh-')),
      streams: [stream],
    });
    try {
      assert.deepEqual(await settledRoot(other), root);
    } finally {
      await other.kill();
    }
  });
});
