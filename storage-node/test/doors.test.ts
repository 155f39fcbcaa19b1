import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { connect } from 'node:net';
import { loadHasher, verifySegment } from '@cairn/commitments';
import {
  isHeld,
  MAX_SEGMENT_MESSAGE_BYTES,
  parseFileStat,
  parseHeldBitmap,
  parseNodeStatus,
  parseProblem,
  parseSegmentMessage,
  SEGMENT_MESSAGE_TYPE,
} from '@cairn/wire-protocol';
import { segmentMessage, type TestFile, TestNode, testFile, until } from './harness.ts';
import { CHAIN_ID, FLOW } from './scripted-chain.ts';

const SEGMENT = 262_144;

describe('our own doors', () => {
  let node: TestNode;
  let file: TestFile;
  let sequence: number;
  before(async () => {
    node = await TestNode.start();
    file = await testFile(2 * SEGMENT + 300, 71);
    [sequence = -1] = await node.announce(file);
  });
  after(() => node.remove());

  const problemOf = async (reply: Response) => parseProblem(await reply.json());

  it('stores a segment: 204, then 200, and 200 once the file is final', async () => {
    equal((await node.put(file, 1)).status, 204);
    const again = await node.put(file, 1, sequence);
    equal(again.status, 200);
    equal(again.headers.get('x-cairn-outcome'), 'already');
    equal((await node.put(file, 0, sequence)).status, 204);
    equal((await node.put(file, 2, sequence)).status, 204);
    const final = await node.put(file, 2, sequence);
    equal(final.status, 200);
    equal(final.headers.get('x-cairn-outcome'), 'finalized');
  });

  it('keeps a segment for a later entry of a known file in memory, and says no more than that', async () => {
    const reply = await node.put(file, 0, sequence + 1);
    equal(reply.status, 202);
    equal(reply.headers.get('x-cairn-outcome'), 'cached');
  });

  it('serves a segment with a proof that holds', async () => {
    for (const path of [
      `/v1/segments/${file.root}/2`,
      `/v1/segments/${file.root}/2?seq=${sequence}`,
    ]) {
      const reply = await node.get(path);
      equal(reply.status, 200);
      equal(reply.headers.get('content-type'), SEGMENT_MESSAGE_TYPE);
      const message = parseSegmentMessage(new Uint8Array(await reply.arrayBuffer()));
      equal(message.chainId, CHAIN_ID);
      equal(message.sequence, sequence);
      verifySegment(message.segment, await loadHasher());
    }
  });

  it('answers 404 for what is not there, with the reason', async () => {
    const unknown = await node.get(`/v1/segments/0x${'ab'.repeat(32)}/0`);
    equal(unknown.status, 404);
    equal((await problemOf(unknown)).code, 'ENTRY_UNKNOWN');
    for (const path of [`${file.root}/3`, `${file.root}/0?seq=99`]) {
      equal((await node.get(`/v1/segments/${path}`)).status, 404);
    }
    const open = await testFile(400, 72);
    await node.announce(open);
    const missing = await problemOf(await node.get(`/v1/segments/${open.root}/0`));
    equal(missing.code, 'SEGMENT_NOT_HELD');
    equal(missing.retry, 'elsewhere');
  });

  it('refuses what is no segment message for this path and chain', async () => {
    const good = segmentMessage(file, 0, sequence);
    const spoilt = (at: number, value: number): Uint8Array => {
      const bytes = good.slice();
      bytes[at] = value;
      return bytes;
    };
    const cases: readonly (readonly [string, Uint8Array, number, string])[] = [
      ['magic', spoilt(0, 0), 400, 'WIRE_MAGIC'],
      ['version', spoilt(4, 9), 400, 'WIRE_VERSION'],
      ['chain', spoilt(15, 1), 409, 'CHAIN_MISMATCH'],
      ['root', spoilt(30, 1), 400, 'WIRE_REQUEST'],
      ['length', good.subarray(0, good.length - 1), 400, 'WIRE_LENGTH'],
      ['data', spoilt(good.length - 1, good.at(-1) === 0 ? 1 : 0), 422, 'PROOF_WRONG_ROOT'],
      ['nothing', new Uint8Array(0), 400, 'WIRE_LENGTH'],
    ];
    const open = await TestNode.start();
    try {
      await open.announce(file);
      for (const [what, body, status, code] of cases) {
        const reply = await open.put(file, 0, undefined, body);
        deepEqual([what, reply.status, (await reply.json()).code], [what, status, code]);
      }
      const other = await open.put(file, 1, undefined, good);
      equal((await other.json()).code, 'WIRE_REQUEST');
      const untyped = await fetch(`${open.url}/v1/segments/${file.root}/0`, {
        method: 'PUT',
        headers: { 'content-type': 'text/plain' },
        body: good as never,
      });
      equal(untyped.status, 415);
      equal((await untyped.json()).code, 'MEDIA_TYPE');
      equal((await open.get('/v1/segments/0x12/0')).status, 400);
    } finally {
      await open.remove();
    }
  });

  it('refuses an oversized body before reading it', async () => {
    const socket = connect(node.node.address.port, '127.0.0.1');
    socket.write(
      `PUT /v1/segments/${file.root}/0 HTTP/1.1\r\nHost: x\r\nContent-Type: ${SEGMENT_MESSAGE_TYPE}\r\nContent-Length: ${MAX_SEGMENT_MESSAGE_BYTES + 1}\r\n\r\nC`,
    );
    let text = '';
    for await (const piece of socket) {
      text += String(piece);
      if (text.includes('WIRE_TOO_LONG')) break;
    }
    socket.destroy();
    match(text, /^HTTP\/1\.1 413 /);
  });

  it('tells what is known and held of a file', async () => {
    const stat = parseFileStat(await node.json(`/v1/entries/${file.root}`));
    equal(stat.chainId, CHAIN_ID);
    const [entry] = stat.entries;
    equal(entry?.sequence, sequence);
    equal(entry?.finalized, true);
    deepEqual([entry?.ownedSegments, entry?.heldSegments], [3, 3]);
    const unknown = await node.get(`/v1/entries/0x${'ab'.repeat(32)}`);
    equal(unknown.status, 404);
  });

  it('gives a bitmap from which an upload goes on', async () => {
    const open = await testFile(10 * SEGMENT, 73);
    const [at = -1] = await node.announce(open);
    for (const index of [0, 3, 9]) await node.put(open, index, at);
    const reply = await node.get(`/v1/entries/${open.root}/held?seq=${at}`);
    equal(reply.headers.get('x-cairn-sequence'), String(at));
    const held = parseHeldBitmap(new Uint8Array(await reply.arrayBuffer()), 10);
    const found = Array.from({ length: 10 }, (_, index) => index).filter((it) => isHeld(held, it));
    deepEqual(found, [0, 3, 9]);
  });

  it('tells its status and that it is alive and ready', async () => {
    await node.synced();
    await until(async () => (await node.get('/health/ready')).status === 200);
    const status = parseNodeStatus(await node.json('/v1/status'));
    equal(status.flow, FLOW);
    equal(status.synced, true);
    equal(status.head, node.chain.head.number);
    deepEqual((await node.json('/health/live')).reasons, []);
    equal((await node.json('/version')).name, 'cairn-storage-node');
  });

  it('measures what it does', async () => {
    const text = await (await node.get('/metrics')).text();
    for (const name of [
      'cairn_build_info{version="',
      'cairn_chain_head_block',
      'cairn_chain_lag_blocks',
      'cairn_log_next_tx_seq',
      'cairn_upload_bytes_total',
      'cairn_download_bytes_total',
      'cairn_segment_verify_failures_total',
      'cairn_disk_free_bytes',
      'cairn_shard_info{id="0",count="1"} 1',
      'cairn_rpc_duration_seconds_bucket',
    ]) {
      ok(text.includes(name), name);
    }
  });

  it('says by name that it has no chain to ask about fees', async () => {
    const reply = await node.get(`/v1/entries/${file.root}/economics`);
    equal(reply.status, 404);
    equal((await reply.json()).code, 'FEES_UNKNOWN');
  });

  it('describes every route in OpenAPI', async () => {
    const { openapi, paths } = await node.json('/openapi.json');
    equal(openapi, '3.1.0');
    for (const path of [
      '/v1/segments/{root}/{index}',
      '/v1/entries/{root}',
      '/v1/entries/{root}/held',
      '/v1/status',
      '/health/ready',
    ]) {
      ok(path in paths, path);
    }
    ok('put' in paths['/v1/segments/{root}/{index}']);
  });

  it('serves whole files and ranges over plain HTTP', async () => {
    const reply = await fetch(`${node.url}/v1/files/${file.root}`, {
      headers: { range: `bytes=${SEGMENT - 10}-${SEGMENT + 9}` },
    });
    equal(reply.status, 206);
    const part = Buffer.from(await reply.arrayBuffer());
    deepEqual(part, Buffer.from(file.bytes.subarray(SEGMENT - 10, SEGMENT + 10)));
    const whole = await node.get(`/v1/tx/${sequence}`);
    deepEqual(Buffer.from(await whole.arrayBuffer()), Buffer.from(file.bytes));
  });

  it('has no admin routes', async () => {
    for (const path of ['/v1/admin/status', '/v1/admin/log-level']) {
      equal((await node.get(path)).status, 404);
    }
    equal((await node.rpc('admin_shutdown')).error.code, -32601);
  });
});
