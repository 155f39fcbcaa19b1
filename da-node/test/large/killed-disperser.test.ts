import { equal, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { equalBytes, fromHex, isRecord, type Root, seededRng } from '@cairn/primitives';
import { parseBlobReceipt } from '@cairn/wire-protocol/da';
import { type BundledProgram, bundleProgram } from '../../../test/support/bundle-program.ts';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { orderOf } from '../../src/disperser/blob-order.ts';
import { backend } from '../dispersal/committee.ts';
import { payloadOf, TestQuorum } from '../dispersal/harness.ts';

const KILLS = runsOf(100);
const SEED = seedOf(20_261_122);
/**
 * A kill comes after so many of the things that are seen from outside: answers to posts, requests to
 * signers and to the chain. Three blobs make some twenty of them, however busy the machine is.
 */
const EVENTS = 24;
const LATEST_KILL_MS = 20;
/** Of one payload. */
const MOST_READS = 5;
/** In which what the kills left is finished. */
const FINISH_MS = 180_000 + KILLS * 3000;
/** A life without as many. */
const QUIET_MS = 3000;
const CHILD = fileURLToPath(new URL('../dispersal/disperser-child.ts', import.meta.url));

describe('a killed disperser', () => {
  let quorum: TestQuorum;
  let chainServer: Server;
  let program: BundledProgram;
  let child: ChildProcess | undefined;

  before(async () => {
    program = await bundleProgram(CHILD);
    quorum = await TestQuorum.open();
    chainServer = await serveChain(quorum, () => noteEvent());
    for (const signer of quorum.signers) signer.onRequest = () => noteEvent();
  });
  after(async () => {
    child?.kill('SIGKILL');
    chainServer?.closeAllConnections();
    chainServer?.close();
    await quorum?.close();
    await program?.remove();
  });

  let noteEvent: () => void = () => undefined;
  /** Resolves with this many events from now on, or when nothing more happens. */
  const nextEvents = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      const timer = setTimeout(resolve, QUIET_MS);
      noteEvent = () => {
        left -= 1;
        if (left > 0) return;
        clearTimeout(timer);
        resolve();
      };
      if (count === 0) noteEvent();
    });

  async function start(): Promise<string> {
    const { port } = chainServer.address() as AddressInfo;
    const urls = JSON.stringify(quorum.signers.map(({ url }) => url));
    const args = [program.path, quorum.directory, `http://127.0.0.1:${port}`, urls];
    const started = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = started;
    const [line] = (await once(started.stdout, 'data')) as [Buffer];
    return line.toString().trim();
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  it(`loses no acknowledged blob and pays for each once, over ${KILLS} kills (seed ${SEED})`, async () => {
    const rng = seededRng(SEED);
    const acknowledged = new Map<Root, Uint8Array>();
    let posted = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const url = await start();
      const moment = nextEvents(rng.below(EVENTS));
      const post = async (): Promise<void> => {
        posted += 1;
        const payload = payloadOf(200 + rng.below(60_000), posted);
        const reply = await fetch(`${url}/v1/blobs`, {
          method: 'POST',
          body: Buffer.from(payload),
        });
        if (reply.status !== 202) return;
        acknowledged.set(parseBlobReceipt(await reply.json()).id, payload);
        noteEvent();
      };
      const posts = Promise.allSettled([post(), post(), post()]);
      await moment;
      await pause(rng.below(LATEST_KILL_MS));
      await kill();
      await posts;
    }
    ok(acknowledged.size >= KILLS / 2, `${acknowledged.size} of ${posted} were acknowledged`);
    const url = await start();
    // All of them first: what the kills left is sent to signers at once, and these are one process here.
    for (const id of acknowledged.keys()) equal(await lastStage(url, id), 'final', id);
    for (const [id, payload] of acknowledged) {
      ok(equalBytes(await readPayload(`${url}/v1/blobs/${id}/payload`), payload), id);
    }
    const leaves = [...quorum.chain.charged.values()];
    equal(new Set(leaves).size, leaves.length);
    const paid = new Set(quorum.chain.paidCommitments);
    equal(paid.size, leaves.length, 'no blob is paid for twice');
  });
});

/** How far a blob is once it is final, or after some minutes. */
async function lastStage(url: string, id: Root): Promise<string> {
  const deadline = Date.now() + FINISH_MS;
  for (;;) {
    const reply = await fetch(`${url}/v1/blobs/${id}?wait=final&timeout=20`);
    const { stage } = parseBlobReceipt(await reply.json());
    if (stage === 'final' || Date.now() > deadline) return stage;
  }
}

/** A payload, asked for again while the door is busy: signers and test share one process. */
async function readPayload(url: string): Promise<Uint8Array> {
  for (let tries = 1; ; tries += 1) {
    const reply = await fetch(url);
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (reply.status === 200) return bytes;
    const said = `${reply.status}: ${Buffer.from(bytes).toString()}`;
    if (reply.status !== 503 || tries === MOST_READS) throw new Error(said);
  }
}

/** The chain of the test for the child: what it confirms stays when the child is gone. */
async function serveChain({ chain }: TestQuorum, note: () => void): Promise<Server> {
  const server = createServer((request, reply) => {
    note();
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(parts).toString());
      if (!isRecord(body) || !Array.isArray(body['orders'])) throw new TypeError('not a batch');
      const { epoch, quorumId, absent, signature, root } = body;
      const batch = {
        root: fromHex(String(root)),
        epoch: Number(epoch),
        quorumId: Number(quorumId),
        orders: body['orders'].map(orderOf),
        committee: chain.committeeAt(Number(epoch)),
        absent: (absent as unknown[]).map(Number),
        signature: backend.parseSignature(fromHex(String(signature))),
      };
      chain.confirm(batch, { signal: new AbortController().signal }).then(
        (outcome) => {
          note(); // it is confirmed, and the disperser does not know yet
          reply.end(JSON.stringify(outcome));
        },
        () => reply.writeHead(500).end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
