import { deepEqual, equal } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { MIB, memoryKeyValueStore } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { keyAccounts } from '../../src/disperser/accounts.ts';
import { OP_LAYER_BYTE } from '../../src/doors/op-stack/commitment.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';

const budget = (maxBytes = 512 * MIB) => new ByteBudget({ maxBytes, maxWaiting: 4 });

/** A request whose body has begun and does not go on. */
function begun(url: string): [ClientRequest, Promise<number>] {
  const sending = request(url, { method: 'POST', headers: { 'content-length': 1000 } });
  const status = new Promise<number>((resolve, reject) => {
    sending.once('response', (reply: IncomingMessage) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    sending.once('error', reject);
  });
  status.catch(() => undefined);
  sending.write(payloadOf(10));
  return [sending, status];
}

describe('doors of a disperser', () => {
  let quorum: TestQuorum;
  let running: RunningDisperser;
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    quorum = await TestQuorum.open();
    const keyHash = createHash('sha256').update('secret').digest();
    const accounts = [{ name: 'one', keyHash, budgetBytes: MIB }];
    const clock = { now: () => 0 };
    running = await quorum.disperser({
      accounts: keyAccounts({ index: memoryKeyValueStore(), clock }, accounts, 1000),
    });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await running.stop();
    await quorum.close();
  });

  const open = async (...options: Parameters<typeof openDoors>): Promise<string> => {
    const host = await openDoors(...options);
    closing.push(() => host.stop());
    return host.address.url;
  };

  it('refuse who is not known before its payload is read', async () => {
    const arriving = budget();
    const url = await open(quorum, running, 3000, { arriving });
    for (const path of ['/v1/blobs', '/put']) {
      const [sending, status] = begun(`${url}${path}`);
      equal(await status, 401);
      equal(arriving.usedBytes, 0);
      sending.destroy();
    }
  });

  it('send a payload only once there is memory for it, and give that back', async () => {
    const replies = budget(1000);
    const url = await open(quorum, running, 20_000, { replies });
    const payload = payloadOf(700);
    const { id } = await running.disperser.accept(
      payload,
      { apiKey: 'secret' },
      { signal: new AbortController().signal },
    );
    const release = await replies.take(500, new AbortController().signal);
    let isAnswered = false;
    const reading = fetch(`${url}/v1/blobs/${id}/payload`).then(async (reply) => {
      isAnswered = true;
      return Buffer.from(await reply.arrayBuffer());
    });
    await pause(150);
    equal(isAnswered, false);
    release();
    deepEqual(await reading, Buffer.from(payload));
    while (replies.usedBytes > 0) await pause(5);
  });

  it('tell an OP Stack client to fail over when its put or its get takes too long', async () => {
    const reader = () => new Promise<never>(() => undefined);
    const slow = {
      accept: () => new Promise<never>(() => undefined),
      requireAccount: () => undefined,
    };
    const disperser = { ...slow, findByCommitment: async () => undefined };
    const stuck = { disperser } as unknown as RunningDisperser;
    const url = await open(quorum, stuck, 200, { reader });
    const generic = `0x01${OP_LAYER_BYTE.toString(16)}${'ee'.repeat(32)}${'00'.repeat(16)}`;
    const got = await fetch(`${url}/get/${generic}`);
    equal(got.status, 503);
    equal(((await got.json()) as { code: string }).code, 'OP_FAIL_OVER');
    equal((await fetch(`${url}/put`, { method: 'POST', body: 'whole' })).status, 503);
    const [sending, status] = begun(`${url}/put`);
    equal(await status, 503, 'the body never ends');
    sending.destroy();
  });

  it('hold the memory of a payload for as long as it is being accepted', async () => {
    const arriving = budget();
    let accepted: () => void = () => undefined;
    let isAccepting = false;
    const disperser = {
      requireAccount: () => undefined,
      accept: (_: unknown, __: unknown, { signal }: { readonly signal: AbortSignal }) =>
        new Promise((resolve, reject) => {
          isAccepting = true;
          accepted = () => resolve({});
          signal.addEventListener('abort', () => reject(signal.reason)); // as a caller of a flight
        }),
    };
    const stuck = { disperser } as unknown as RunningDisperser;
    const url = await open(quorum, stuck, 3000, { arriving });
    const leaving = new AbortController();
    const posting = fetch(`${url}/v1/blobs`, {
      method: 'POST',
      body: Buffer.from(payloadOf(500)),
      signal: leaving.signal,
    }).catch(() => 'gone');
    while (!isAccepting) await pause(5);
    leaving.abort();
    equal(await posting, 'gone');
    await pause(100);
    equal(arriving.usedBytes, 1000);
    accepted();
    while (arriving.usedBytes > 0) await pause(5);
  });
});
