import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@cairn/client-sdk';
import { seededRng } from '@cairn/primitives';
import { chainCall, submissionCount } from '../support/chain.ts';
import { contentOf } from '../support/content.ts';
import { freePort } from '../support/free-port.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak, seedOf } from '../support/soak.ts';
import { StorageProcess } from '../support/storage-process.ts';
import { until } from '../support/wait.ts';

const SEED = seedOf(2_718);
const DEPTHS = isSoak ? Array.from({ length: 32 }, (_, index) => index + 1) : [1, 5, 32];
const OUTAGE_MS = isSoak ? 30_000 : 3_000;
const SEGMENT = 262_144;
/** keccak of the Submit event's signature. */
const SUBMIT_TOPIC = '0x167ce04d2aa1981994d3a31695da0d785373335b1078cec239a1a3a2c7675555';

/** A wire to the chain that can be cut. */
class CuttableWire {
  readonly port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  async join(): Promise<void> {
    const server = createServer((socket) => {
      const far = connect(this.#target, '127.0.0.1');
      for (const end of [socket, far]) {
        this.#sockets.add(end);
        end.on('error', () => end.destroy());
        end.on('close', () => this.#sockets.delete(end));
      }
      socket.pipe(far).pipe(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
  }

  cut(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('a chain that misbehaves', () => {
  let network: Network;
  let folder: string;
  let flow: string;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-chain-'));
    flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const clientOf = (node: string): Client =>
    createClient({ nodes: [node], rpc: network.chainRpc, flow, signer: network.key, threads: 0 });

  /** Roots in the log, by sequence, as the chain tells them now. */
  const chainHead = async (): Promise<{ count: number; root: string }> => ({
    count: await submissionCount(network.chainRpc, flow),
    root: String(
      await chainCall(network.chainRpc, 'eth_call', [{ to: flow, data: '0x1deb0fca' }, 'latest']),
    ),
  });

  /** Whether a node stands on the chain's own newest block, with the chain's log. */
  const agrees = async (url: string): Promise<boolean> => {
    const { count, root } = await chainHead();
    const status = (await rpc(url, 'zgs_getStatus')) as {
      nextTxSeq: number;
      logSyncHeight: number;
      logSyncBlock: string;
    };
    const height = `0x${status.logSyncHeight.toString(16)}`;
    const block = (await chainCall(network.chainRpc, 'eth_getBlockByNumber', [height, false])) as {
      hash: string;
    } | null;
    if (block?.hash !== status.logSyncBlock) return false; // it has not seen the reorg yet
    const [ours] = (await rpc(url, 'zgs_getFlowContext')) as [string, number];
    return status.nextTxSeq === count && (count === 0 || ours === root);
  };

  it(`takes back what the chain takes back, at depths ${DEPTHS.join(', ')}`, async () => {
    const rng = seededRng(SEED);
    const node = await StorageProcess.start(network, { folder });
    const client = clientOf(node.url);
    try {
      let fileNumber = 40_000;
      for (const depth of DEPTHS) {
        const where = `seed ${SEED}, depth ${depth}`;
        await chainCall(network.chainRpc, 'anvil_mine', [`0x${depth.toString(16)}`]);
        const stored: { root: string; content: Uint8Array; transaction: string }[] = [];
        for (let file = 0; file < 3; file += 1) {
          fileNumber += 1;
          const content = contentOf(fileNumber, 1 + rng.below(3 * SEGMENT));
          const receipt = await client.files.put(content);
          stored.push({
            root: receipt.root,
            content,
            transaction: String(receipt.transactionHash),
          });
        }
        const logs = (await chainCall(network.chainRpc, 'eth_getLogs', [
          { address: flow, topics: [SUBMIT_TOPIC], fromBlock: '0x0', toBlock: 'latest' },
        ])) as { transactionHash: string; blockNumber: string }[];
        const head = Number(await chainCall(network.chainRpc, 'eth_blockNumber'));
        // Some of the transactions that the reorg drops come back, in another block of the new branch.
        const kept: [string, number][] = [];
        for (const { transactionHash, blockNumber } of logs) {
          if (Number(blockNumber) <= head - depth || rng.below(3) === 0) continue;
          const raw = await chainCall(network.chainRpc, 'eth_getRawTransactionByHash', [
            transactionHash,
          ]);
          kept.push([String(raw), rng.below(depth)]);
        }
        kept.sort(([, left], [, right]) => left - right);
        await chainCall(network.chainRpc, 'anvil_reorg', [
          depth,
          kept.map(([raw, block]) => [raw, block]),
        ]).catch(
          // A nonce that comes before its predecessor cannot be mined: then nothing comes back.
          () => chainCall(network.chainRpc, 'anvil_reorg', [depth, []]),
        );
        await chainCall(network.chainRpc, 'anvil_mine', ['0x1']);
        await until(`${where}: the node to agree with the chain`, () => agrees(node.url));

        for (const { root, content } of stored) {
          // Whatever happened to its entry, the file can be stored (again), and reads back.
          const receipt = await client.files.put(content);
          assert.equal(receipt.root, root, where);
          const read = await client.files.getBytes(root);
          assert.ok(Buffer.from(read).equals(content), where);
        }
        await until(`${where}: the node to agree with the chain`, () => agrees(node.url));
      }
      // A node that never saw the old branches knows exactly the same.
      const fresh = await mkdtemp(join(tmpdir(), 'cairn-fresh-'));
      const second = await StorageProcess.start(network, { folder: fresh });
      try {
        await until('the fresh node to agree with the chain', () => agrees(second.url));
        const { count } = await chainHead();
        for (let sequence = 0; sequence < count; sequence += 1) {
          const [ours, theirs] = await Promise.all(
            [node.url, second.url].map(
              async (url) =>
                (await rpc(url, 'zgs_getFileInfoByTxSeq', [sequence])) as { tx: unknown },
            ),
          );
          assert.deepEqual(ours?.tx, theirs?.tx, `sequence ${sequence}`);
        }
      } finally {
        await second.kill();
        await rm(fresh, { recursive: true, force: true });
      }
    } finally {
      await client.close();
      await node.kill();
    }
  });

  it(`serves reads while the chain is away for ${OUTAGE_MS / 1000} s, and catches up when it is back`, async () => {
    const home = await mkdtemp(join(tmpdir(), 'cairn-outage-'));
    const wire = new CuttableWire(await freePort(), Number(new URL(network.chainRpc).port));
    await wire.join();
    const node = await StorageProcess.start(network, {
      folder: home,
      chainRpc: `http://127.0.0.1:${wire.port}`,
    });
    const client = clientOf(node.url);
    const pid = node.pid;
    try {
      const before = contentOf(50_000, SEGMENT + 1);
      const { root } = await client.files.put(before);
      wire.cut();
      // The log grows while the node cannot see it.
      const during = contentOf(50_001, SEGMENT + 2);
      const late = client.files.put(during, { timeoutMs: OUTAGE_MS + 180_000 });
      late.catch(() => undefined); // awaited below
      const end = performance.now() + OUTAGE_MS;
      while (performance.now() < end) {
        assert.ok(Buffer.from(await client.files.getBytes(root)).equals(before));
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await wire.join();
      const receipt = await late;
      assert.ok(Buffer.from(await client.files.getBytes(receipt.root)).equals(during));
      assert.equal(node.pid, pid, 'the same process lived through it');
    } finally {
      wire.cut();
      await client.close();
      await node.kill();
      await rm(home, { recursive: true, force: true });
    }
  });

  it('refuses to start on another chain or another contract, and says which', async () => {
    const home = await mkdtemp(join(tmpdir(), 'cairn-wrong-'));
    try {
      const wrongContract: Network = {
        ...network,
        endpoints: {
          ...network.endpoints,
          chains: network.endpoints.chains.map((chain) => ({
            ...chain,
            contracts: { flow: chain.contracts['market'] ?? '' },
          })),
        },
      };
      await assert.rejects(StorageProcess.start(wrongContract, { folder: home }), /0x[0-9a-f]{40}/);
      const wrongChain: Network = {
        ...network,
        endpoints: {
          ...network.endpoints,
          chains: network.endpoints.chains.map((chain) => ({ ...chain, chainId: 16_661 })),
        },
      };
      await assert.rejects(
        StorageProcess.start(wrongChain, { folder: home }),
        /16661[\s\S]*31337|31337[\s\S]*16661/,
      );
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
