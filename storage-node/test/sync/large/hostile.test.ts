import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPeerNetwork, randomP2pKey } from '@cairn/node-runtime/p2p';
import {
  chainIdOf,
  type PeerNetwork,
  seededRng,
  sequenceOf,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import {
  encodeFileAnnouncement,
  encodePeerRecord,
  encodeRecords,
  encodeSignedRecord,
  filesTopic,
  type PeerRecord,
  RECORDS_PROTOCOL,
  SEGMENTS_PROTOCOL,
} from '@cairn/wire-protocol/peers';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import { TestNode, type TestNodeOptions, testFile, until } from '../../harness.ts';
import { CHAIN_ID, FLOW, ScriptedChain } from '../../scripted-chain.ts';

const signal = new AbortController().signal;
const log = { chainId: CHAIN_ID, flow: FLOW };
const SEED = seedOf(40_511);
const RECORDS = runsOf(10_000);

describe('a storage node among hostile peers', () => {
  const nodes: TestNode[] = [];
  const networks: PeerNetwork[] = [];
  const servers: Server[] = [];
  const start = async (
    options: TestNodeOptions,
    boot: readonly TestNode[] = [],
  ): Promise<TestNode> => {
    const addresses = boot.flatMap(({ node }) => node.address.peerAddresses.slice(0, 1));
    const node = await TestNode.start({ ...options, p2p: { boot: addresses, ...options.p2p } });
    nodes.push(node);
    return node;
  };
  /** A peer that says and does what a test wants. */
  const rogue = async (): Promise<PeerNetwork> => {
    const network = await createPeerNetwork({
      key: randomP2pKey(),
      listen: [],
      topics: [filesTopic(log)],
      clock: systemClock(),
      logger: silentLogger(),
      limits: { drainMs: 200 },
    });
    networks.push(network);
    return network;
  };
  const recordOf = async (
    network: PeerNetwork,
    facts: Partial<PeerRecord> = {},
  ): Promise<Uint8Array> => {
    const body = encodePeerRecord({
      ...log,
      peer: network.self,
      shard: { id: 0, count: 1 },
      signedAtMs: Date.now(),
      url: undefined,
      addresses: [],
      ...facts,
    });
    return encodeSignedRecord(body, await network.sign(body));
  };
  const addressOf = ({ node }: TestNode): string => node.address.peerAddresses[0] ?? '';
  const metricOf = async (node: TestNode, name: string): Promise<number> => {
    const text = await (await node.get('/metrics')).text();
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const isFinal = async (node: TestNode, sequence: number): Promise<boolean> =>
    (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result?.finalized === true;

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.remove()));
    await Promise.all(networks.splice(0).map((network) => network.stop()));
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  it('takes nothing from a holder that sends other bytes, keeps it out, and goes on with the others', async () => {
    const chain = new ScriptedChain();
    const honest = await start({ chain });
    const file = await testFile(262_144 * 6, 3);
    const [sequence = 0] = await honest.announce(file);
    await honest.upload(file, sequence);
    // It holds the file too, and what it says of itself leads to a server that spoils what it serves.
    const url = await lyingServer(honest.url, servers);
    const liar = await start({ chain, p2p: { publicUrl: url } });
    await liar.synced();
    await liar.upload(file, sequence);
    const alone = await start({ chain }, [liar]);
    await until(async () => (await metricOf(alone, 'cairn_sync_bans_total')) === 1);
    assert.equal(await isFinal(alone, sequence), false);
    const { entries } = await alone.json(`/v1/entries/${file.root}`);
    assert.equal(entries[0].heldSegments, 0);
    const both = await start({ chain }, [liar, honest]);
    await until(() => isFinal(both, sequence));
    for (let index = 0; index < 6; index += 1) {
      assert.equal((await both.get(`/v1/segments/${file.root}/${index}`)).status, 200);
    }
  });

  it(`holds ${RECORDS} forged and ${RECORDS} true but useless records without harm to honest peers`, async () => {
    const chain = new ScriptedChain();
    const honest = await start({ chain });
    const target = await start({ chain }, [honest]);
    await until(async () => (await metricOf(target, 'cairn_sync_peers_known')) >= 1);
    const rng = seededRng(SEED);
    const keys = await Promise.all(Array.from({ length: 8 }, () => rogue()));
    const before = process.memoryUsage.rss();
    // Records of nobody: each is signed by a key, and the key is another's.
    const forger = await rogue();
    await forger.connect(addressOf(target), { signal });
    const own = await recordOf(forger);
    const forged: Uint8Array[] = [];
    for (let at = 0; at < RECORDS; at += 1) {
      const bytes = (
        await recordOf(keys[at % keys.length] ?? forger, { signedAtMs: Date.now() + at })
      ).slice();
      const place = bytes.length - 1 - rng.below(64);
      bytes[place] = (bytes[place] ?? 0) ^ (1 + rng.below(255));
      forged.push(bytes);
    }
    let refused = 0;
    for (let at = 0; at < forged.length; at += 31) {
      const message = encodeRecords([own, ...forged.slice(at, at + 31)]);
      await forger
        .request(
          target.node.address.peerAddresses[0]?.split('/').at(-1) ?? '',
          RECORDS_PROTOCOL,
          message,
          { signal, timeoutMs: 2000 },
        )
        .catch(() => {
          refused += 1;
        });
    }
    assert.equal(refused, Math.ceil(forged.length / 31));
    await until(async () => !forger.peers().includes(peerOf(target)));
    // Records of keys made for it: true, and good for nothing.
    const useless = await rogue();
    await useless.connect(addressOf(target), { signal });
    const makers = await Promise.all(Array.from({ length: 16 }, () => rogue()));
    let sent = 0;
    while (sent < RECORDS) {
      const records = await Promise.all(
        makers.map((maker, at) =>
          recordOf(maker, { signedAtMs: Date.now() + at, url: `http://127.0.0.1:9/${sent}/${at}` }),
        ),
      );
      sent += records.length;
      const message = encodeRecords([await recordOf(useless), ...records]);
      await useless
        .request(peerOf(target), RECORDS_PROTOCOL, message, { signal, timeoutMs: 5000 })
        .catch(() => undefined);
    }
    const file = await testFile(262_144 * 2, 5);
    const [sequence = 0] = await honest.announce(file);
    await honest.upload(file, sequence);
    await until(() => isFinal(target, sequence));
    assert.ok(process.memoryUsage.rss() - before < 512 * 2 ** 20);
  });

  it('drops announcements that are replayed, stale, of the future or of another log', async () => {
    const chain = new ScriptedChain();
    const target = await start({ chain });
    const liar = await rogue();
    liar.subscribe(filesTopic(log), () => 'accept');
    await liar.connect(addressOf(target), { signal });
    const heard = (): Promise<number> =>
      metricOf(target, 'cairn_sync_announcements_total{direction="in"}');
    const news = {
      ...log,
      shard: { id: 0, count: 1 },
      sequence: sequenceOf(0),
      root: (await testFile(1)).root,
      saidAtMs: Date.now(),
    };
    await until(async () => {
      await liar.publish(
        filesTopic(log),
        encodeFileAnnouncement({ ...news, saidAtMs: Date.now() }),
      );
      return (await heard()) >= 1;
    });
    const before = await heard();
    const bad = [
      news, // said before what was heard
      { ...news, saidAtMs: Date.now() - 400_000, sequence: sequenceOf(1) },
      { ...news, saidAtMs: Date.now() + 60_000, sequence: sequenceOf(2) },
      { ...news, sequence: sequenceOf(1_000_000) },
      { ...news, chainId: chainIdOf(7), sequence: sequenceOf(3) },
    ];
    for (const one of bad) await liar.publish(filesTopic(log), encodeFileAnnouncement(one));
    await until(async () => {
      await liar.publish(
        filesTopic(log),
        encodeFileAnnouncement({ ...news, sequence: sequenceOf(9), saidAtMs: Date.now() }),
      );
      return (await heard()) > before;
    });
    assert.equal(await heard(), before + 1);
  });

  it('leaves a peer of another chain, and answers it nothing', async () => {
    const chain = new ScriptedChain();
    const target = await start({ chain });
    const foreign = await rogue();
    await foreign.connect(addressOf(target), { signal });
    const message = encodeRecords([await recordOf(foreign, { chainId: chainIdOf(7) })]);
    await assert.rejects(
      foreign.request(peerOf(target), RECORDS_PROTOCOL, message, { signal }),
      /another log/,
    );
    await foreign.handle(
      RECORDS_PROTOCOL,
      { quota: { burstItems: 9, itemsPerSecond: 9 } },
      async () => message,
    );
    await until(async () => foreign.peers().length === 0);
    assert.equal(await metricOf(target, 'cairn_sync_peers_known'), 0);
  });

  it('refuses frames beyond their bound and questions that are none, and serves on', async () => {
    const chain = new ScriptedChain();
    const target = await start({ chain });
    const liar = await rogue();
    await liar.connect(addressOf(target), { signal });
    const wide = { ...SEGMENTS_PROTOCOL, maxRequestBytes: 2 ** 20 };
    await assert.rejects(
      liar.request(peerOf(target), wide, new Uint8Array(2 ** 20), { signal, timeoutMs: 5000 }),
    );
    await liar.connect(addressOf(target), { signal });
    await assert.rejects(
      liar.request(peerOf(target), SEGMENTS_PROTOCOL, Uint8Array.of(1, 2, 3), { signal }),
      { code: 'P2P_REFUSED' },
    );
    assert.equal((await target.get('/health/live')).status, 200);
    const reply = await liar.request(
      peerOf(target),
      RECORDS_PROTOCOL,
      encodeRecords([await recordOf(liar)]),
      { signal },
    );
    assert.ok(reply.length > 0);
  });

  function peerOf({ node }: TestNode): string {
    return node.address.peerAddresses[0]?.split('/').at(-1) ?? '';
  }
});

/** A server that answers as the node at `url` does, with one bit of each segment flipped. */
async function lyingServer(url: string, servers: Server[]): Promise<string> {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const reply = await fetch(`${url}${path}`);
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const last = bytes.length - 1;
    if (reply.status === 200 && last >= 0) bytes[last] = (bytes[last] ?? 0) ^ 4;
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' });
    response.end(bytes);
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
