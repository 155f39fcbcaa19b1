import { equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import { memoryKeyValueStore, rootOf, silentLogger, systemClock } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { keyAccounts } from '../../src/disperser/accounts.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { statusOf } from '../../src/doors/zg-grpc/disperser-calls.ts';
import { BLOB_STATUS } from '../../src/doors/zg-grpc/disperser-messages.ts';
import type { GrpcHost } from '../../src/doors/zg-grpc/grpc-host.ts';
import { createZgGrpcDoor } from '../../src/doors/zg-grpc/zg-grpc-door.ts';

const KEY = 'the-key-of-a-rollup';
const DISPERSE = '/disperser.Disperser/DisperseBlob';
const [OK, RESOURCE_EXHAUSTED, UNAUTHENTICATED] = ['0', '8', '16'];

const RECORD: BlobRecord = {
  id: rootOf(new Uint8Array(32)),
  sizeBytes: 1,
  account: 'rollup',
  arrival: 0,
  acceptedMs: 1_000_000,
  path: 'promise',
  stage: 'accepted',
  voidOrders: 0,
  holders: [],
};

describe('the door for 0G’s clients', () => {
  const clock = systemClock();
  let door: GrpcHost;
  let session: ClientHttp2Session;
  let arriving: ByteBudget;
  /** Ends what `accept` waits for. */
  let letGo: () => void;
  let held: Promise<void>;

  beforeEach(async () => {
    held = new Promise((resolve) => {
      letGo = resolve;
    });
    arriving = new ByteBudget({ maxBytes: 1000, maxWaiting: 1000 });
    const keyHash = new Uint8Array(createHash('sha256').update(KEY).digest());
    const accounts = keyAccounts(
      { index: memoryKeyValueStore(), clock },
      [{ name: 'rollup', keyHash, budgetBytes: 40 }],
      86_400_000,
    );
    const disperser = {
      requireAccount: accounts.requireAccount,
      accept: async (payload: Uint8Array, caller: { readonly apiKey: string | undefined }) => {
        await accounts.charge(caller, payload.length);
        if (payload[0] === 0xff) await held;
        return RECORD;
      },
      find: async () => undefined,
      payload: async () => undefined,
      findByCommitment: async () => undefined,
    };
    door = createZgGrpcDoor(
      {
        disperser,
        reader: () => Promise.reject(new Error('nothing is read here')),
        replies: new ByteBudget({ maxBytes: 1000, maxWaiting: 10 }),
        arriving,
        clock,
        logger: silentLogger(),
        ready: () => ({ ok: true, reasons: [] }),
        stopping: new AbortController().signal,
      },
      { host: '127.0.0.1', port: 0, maxConnections: 10, drainMs: 200 },
    );
    await door.start();
    session = connect(`http://${door.address}`);
    session.on('error', () => undefined); // a connection that is cut is what a test is about
  });
  afterEach(async () => {
    letGo();
    session.destroy();
    await door.stop();
  });

  const requestOf = (payload: Uint8Array): Buffer => {
    const message = Buffer.concat([Buffer.from([0x0a, payload.length]), payload]);
    return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  };

  function call(
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    { isEnded = true } = {},
  ): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': DISPERSE,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      const heads: Record<string, unknown> = {};
      stream.on('response', (told) => Object.assign(heads, told));
      stream.on('trailers', (told) => Object.assign(heads, told));
      stream.on('error', () => undefined);
      stream.on('close', () => resolve(heads));
      stream.resume();
      if (isEnded) stream.end(body);
      else stream.write(body);
    });
  }

  it('knows its callers by either header, before it reads what they send', async () => {
    const body = requestOf(Buffer.from('abc'));
    equal((await call(body, { 'x-api-key': KEY }))['grpc-status'], OK);
    equal((await call(body, { authorization: `Bearer ${KEY}` }))['grpc-status'], OK);
    for (const headers of [{}, { 'x-api-key': 'another' }]) {
      const begun = await call(body.subarray(0, 3), headers, { isEnded: false });
      equal(begun['grpc-status'], UNAUTHENTICATED);
    }
    equal(arriving.usedBytes, 0);
  });

  it('says that a budget is used up as 0G’s clients look for it', async () => {
    const reply = await call(requestOf(Buffer.alloc(41)), { 'x-api-key': KEY });
    equal(reply['grpc-status'], RESOURCE_EXHAUSTED);
    ok(String(reply['grpc-message']).startsWith('request ratelimited: '));
  });

  it('holds memory as long as a payload is used, and lets calls end when it stops', async () => {
    const waiting = call(requestOf(Buffer.from([0xff, 1])), { 'x-api-key': KEY });
    while (arriving.usedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = door.stop();
    letGo();
    equal((await waiting)['grpc-status'], OK);
    await stopped;
    equal(arriving.usedBytes, 0);
  });

  it('cuts calls that do not end in time when it stops', async () => {
    const waiting = call(requestOf(Buffer.from([0xff, 1])), { 'x-api-key': KEY });
    while (arriving.usedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
    await door.stop();
    equal((await waiting)['grpc-status'], undefined);
  });

  it('calls a blob failed when a step has kept failing for ten minutes', () => {
    const trouble = { code: 'STEP_FAILED', reason: 'the disk' } as const;
    const { FAILED, PROCESSING, INSUFFICIENT_SIGNATURES, CONFIRMED, FINALIZED } = BLOB_STATUS;
    const later = RECORD.acceptedMs + 600_000;
    equal(statusOf(RECORD, later), PROCESSING);
    equal(statusOf({ ...RECORD, trouble }, later - 1), PROCESSING);
    equal(statusOf({ ...RECORD, trouble }, later), FAILED);
    const short = { code: 'INSUFFICIENT_SIGNATURES', haveSeats: 1, totalSeats: 4 } as const;
    equal(statusOf({ ...RECORD, trouble: short }, later), INSUFFICIENT_SIGNATURES);
    equal(statusOf({ ...RECORD, stage: 'confirmed', trouble }, later), CONFIRMED);
    equal(statusOf({ ...RECORD, stage: 'final' }, later), FINALIZED);
    const stalled = { code: 'STALLED', epoch: 3 } as const;
    equal(statusOf({ ...RECORD, stage: 'confirmed', trouble: stalled }, later), PROCESSING);
  });
});
