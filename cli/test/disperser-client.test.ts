import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { isFault, rootOf } from '@cairn/primitives';
import { DisperserClient, idOf } from '../src/disperser-client.ts';
import { EXIT, reportOf } from '../src/exit-codes.ts';

const signal = new AbortController().signal;
const id = rootOf(new Uint8Array(32).fill(7));

describe('a disperser', () => {
  let server: Server;
  let client: DisperserClient;
  let answer: RequestListener = (_request, reply) => reply.end();

  before(async () => {
    server = createServer((request, reply) => answer(request, reply));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    client = new DisperserClient(`http://127.0.0.1:${address.port}/`);
  });

  after(async () => {
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is not believed: bytes that are not those of the id are refused', async () => {
    const payload = new Uint8Array([1, 2, 3]);
    answer = (_request, reply) => reply.end(payload);
    assert.deepEqual(new Uint8Array(await client.payload(idOf(payload), { signal })), payload);
    await assert.rejects(client.payload(id, { signal }), (error) => {
      assert.equal(reportOf(error).exit, EXIT.verification);
      return isFault(error, 'CLI_MISMATCH');
    });
  });

  it('that refuses is told with its own reason, which scripts can tell apart', async () => {
    const refuse = (status: number, code: string): RequestListener => {
      const facts = { type: `urn:cairn:fault:${code}`, title: 'no', detail: 'for a reason' };
      return (_request, reply) => {
        reply.writeHead(status, { 'content-type': 'application/problem+json' });
        reply.end(JSON.stringify({ ...facts, status, code, retry: 'never' }));
      };
    };
    const cases = [
      [404, 'BLOB_NOT_TAKEN', EXIT.notFound],
      [409, 'BLOB_NOT_DISPERSED', EXIT.timeout],
      [401, 'ACCOUNT_UNKNOWN', EXIT.auth],
      [500, 'INTERNAL', EXIT.failure],
    ] as const;
    for (const [status, code, exit] of cases) {
      answer = refuse(status, code);
      await assert.rejects(client.certificate(id, { signal }), (error) => {
        assert.equal(reportOf(error).exit, exit, code);
        assert.match(reportOf(error).message, /for a reason/);
        return isFault(error, 'CLI_REFUSED');
      });
    }
  });

  it('that answers something else altogether is told by its status', async () => {
    answer = (_request, reply) => {
      reply.writeHead(502);
      reply.end('<html>');
    };
    await assert.rejects(
      client.receipt(id, { signal }),
      (error) => isFault(error, 'CLI_REFUSED') && error.message.includes('502'),
    );
  });
});
