import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@cairn/client-sdk';
import { loadHasher, verifySegment } from '@cairn/commitments';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type HttpTransport, seededRng } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { submissionCount } from '../support/chain.ts';
import { contentOf } from '../support/content.ts';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak, runsOf, seedOf } from '../support/soak.ts';
import { StorageProcess } from '../support/storage-process.ts';

const SEED = seedOf(4_711);
const KILLS = runsOf(200);
const SEGMENT = 262_144;
const SEGMENTS = isSoak ? 64 : 8;
const FILE_BYTES = SEGMENTS * SEGMENT - 700;
/** The kill comes so long after its segment was sent: from before it is read to after it is stored. */
const LATEST_KILL_MS = 12;

/**
 * A transport that tells how many segments were sent, and remembers which of them a node said it
 * stored: the promises it must keep.
 */
function rememberingTransport(
  inner: HttpTransport,
  acknowledged: Set<string>,
  onSent: (count: number) => void = () => undefined,
): HttpTransport {
  let sent = 0;
  return {
    close: () => inner.close(),
    send: async (request) => {
      const isSegment = request.method === 'PUT';
      if (isSegment) {
        sent += 1;
        onSent(sent);
      }
      const reply = await inner.send(request);
      if (isSegment && reply.status === 204) acknowledged.add(new URL(request.url).pathname);
      return reply;
    },
  };
}

describe('a storage node killed during uploads', () => {
  let network: Network;
  let node: StorageProcess;
  let folder: string;

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-kill-'));
    node = await StorageProcess.start(network, { folder });
  });

  after(async () => {
    await node?.kill();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it(`keeps what it acknowledged over ${KILLS} kills, asks for the rest again, and one payment is enough`, async () => {
    const rng = seededRng(SEED);
    const hasher = await loadHasher();
    const transport = createNodeTransport();
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    let inTime = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const content = contentOf(10_000 + kill, FILE_BYTES);
      const acknowledged = new Set<string>();
      const paidBefore = await submissionCount(network.chainRpc, flow);
      const journalDirectory = join(folder, `journal-${kill}`);
      const upload = async (
        timeoutMs: number,
        onSent?: (count: number) => void,
      ): Promise<string> => {
        const client = createClient({
          nodes: [node.url],
          rpc: network.chainRpc,
          flow,
          signer: network.key,
          journalDirectory,
          threads: 0,
          transport: rememberingTransport(transport, acknowledged, onSent),
        });
        try {
          return (await client.files.put(content, { timeoutMs })).root;
        } finally {
          await client.close();
        }
      };
      const where = `seed ${SEED}, kill ${kill}`;

      const atSegment = rng.below(SEGMENTS + 1); // 0: before the payment
      let reach: () => void = () => undefined;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const first = upload(4_000, (count) => count === atSegment && reach()).catch(() => undefined);
      if (atSegment > 0) await Promise.race([reached, first]);
      await new Promise((resolve) => setTimeout(resolve, rng.below(LATEST_KILL_MS)));
      await node.kill();
      const promised = [...acknowledged];
      await node.restart();
      for (const path of promised) {
        const reply = await fetch(`${node.url}${path}`);
        assert.equal(reply.status, 200, `${where}: ${path} was acknowledged and is gone`);
        const { segment } = parseSegmentMessage(new Uint8Array(await reply.arrayBuffer()));
        const { data, index } = verifySegment(segment, hasher);
        const expected = content.subarray(index * SEGMENT, index * SEGMENT + SEGMENT);
        assert.ok(
          Buffer.from(data).subarray(0, expected.length).equals(expected),
          `${where}: ${path}`,
        );
      }
      if (promised.length < SEGMENTS) inTime += 1;
      await first; // it may wait for the node and finish, or give up
      const root = await upload(120_000);
      const held = await fetch(`${node.url}/v1/files/${root}`);
      assert.ok(
        Buffer.from(await held.arrayBuffer()).equals(content),
        `${where}: the file reads back`,
      );
      assert.equal(
        await submissionCount(network.chainRpc, flow),
        paidBefore + 1,
        `${where}: paid once`,
      );
    }
    await transport.close();
    assert.ok(inTime > KILLS / 3, `only ${inTime} of ${KILLS} kills came before the last segment`);
  });
});
