import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, constants } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { createDevDisperser, type DevDisperser, SWITCHES_OFF } from '@cairn/da-node/dev';
import { seededRng, silentLogger, systemClock } from '@cairn/primitives';
import * as grpc from '@grpc/grpc-js';
import {
  fromJSON,
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { contentOf } from '../support/content.ts';
import { runsOf, seedOf } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const PROTO = fileURLToPath(
  new URL('../../da-node/src/doors/zg-grpc/disperser.proto', import.meta.url),
);
const MAX_BYTES = 32_505_852;
const DISPERSE = '/disperser.Disperser/DisperseBlob';
const STATUS = '/disperser.Disperser/GetBlobStatus';

/** Replies as `@grpc/grpc-js` reads them with the text of the protocol. */
interface Replies {
  readonly DisperseBlob: { readonly result: string; readonly request_id: Buffer };
  readonly GetBlobStatus: {
    readonly status: string;
    readonly info: { readonly blob_header: BlobHeader } | null;
  };
  readonly RetrieveBlob: { readonly data: Buffer };
}

interface BlobHeader {
  readonly storage_root: Buffer;
  readonly epoch: string;
  readonly quorum_id: string;
}

type Call = (
  request: unknown,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, reply: unknown) => void,
) => grpc.ClientUnaryCall;

describe('0G’s disperser over gRPC', () => {
  let dev: DevDisperser;
  let definition: PackageDefinition;
  let client: grpc.Client;

  before(async () => {
    const latencyMs = { accepted: 0, dispersed: 0, confirmed: 200, final: 200, read: 0 };
    dev = await createDevDisperser(
      {
        host: '127.0.0.1',
        port: 0,
        grpcPort: 0,
        nitroPort: 0,
        adminPort: 0,
        adminToken: 'token-of-an-interop-test',
        switches: { ...SWITCHES_OFF, latencyMs },
        memoryBytes: 2 ** 28,
        putTimeoutMs: 5000,
        putWait: 'dispersed',
      },
      { logger: silentLogger(), signal: new AbortController().signal },
    );
    definition = loadSync(PROTO, { keepCase: true, longs: String, enums: String, defaults: true });
    client = clientOf(definition, 'disperser.Disperser');
  });
  afterEach(() => dev.switches.reset());
  after(async () => {
    client?.close();
    await dev?.stop();
  });

  /** A client with the limits that 0G's have: any length. */
  function clientOf(from: PackageDefinition, service: string): grpc.Client {
    let found: unknown = grpc.loadPackageDefinition(from);
    for (const part of service.split('.')) found = (found as Record<string, unknown>)[part];
    const Service = found as grpc.ServiceClientConstructor;
    return new Service(dev.grpc, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
    });
  }

  function call<Method extends keyof Replies>(
    method: Method,
    request: unknown,
    options: grpc.CallOptions = {},
  ): Promise<Replies[Method]> {
    return new Promise((resolve, reject) => {
      const send = (client as unknown as Record<string, Call>)[method];
      send?.call(client, request, new grpc.Metadata(), options, (error, reply) => {
        if (error === null) resolve(reply as Replies[Method]);
        else reject(error);
      });
    });
  }

  /** The reply once a blob has a status, or is past it, and what came before it. */
  async function reached(
    request_id: Buffer,
    wanted: string,
  ): Promise<{ readonly seen: readonly string[]; readonly reply: Replies['GetBlobStatus'] }> {
    const seen: string[] = [];
    let last: Replies['GetBlobStatus'] | undefined;
    await until(wanted, async () => {
      last = await call('GetBlobStatus', { request_id });
      if (seen.at(-1) !== last.status) seen.push(last.status);
      return last.status === wanted || (wanted === 'CONFIRMED' && last.status === 'FINALIZED');
    });
    return { seen, reply: last ?? assert.fail() };
  }

  const refusal =
    (code: grpc.status, words: RegExp) =>
    (error: unknown): boolean => {
      const { code: actual, details } = error as grpc.ServiceError;
      assert.equal(actual, code, details);
      assert.match(details, words);
      return true;
    };

  it('disperses a blob, tells each status, and gives the blob back', async () => {
    const data = Buffer.from('hello world');
    // Each stage comes once the one before it was told.
    const open = new Set<string>();
    dev.switches.delay = async (what, signal) => {
      const isGated = what === 'confirmed' || what === 'final';
      while (isGated && !open.has(what)) await systemClock().sleep(10, signal);
    };
    const { result, request_id } = await call('DisperseBlob', { data });
    assert.equal(result, 'PROCESSING');
    const digest = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
    assert.match(request_id.toString('latin1'), new RegExp(`^${digest}-[0-9a-f]+$`));
    const seen = [];
    for (const [status, next] of [
      ['PROCESSING', 'confirmed'],
      ['CONFIRMED', 'final'],
    ] as const) {
      seen.push(...(await reached(request_id, status)).seen);
      open.add(next);
    }
    const { seen: last, reply } = await reached(request_id, 'FINALIZED');
    assert.deepEqual([...new Set([...seen, ...last])], ['PROCESSING', 'CONFIRMED', 'FINALIZED']);
    Reflect.deleteProperty(dev.switches, 'delay');
    const header = reply.info?.blob_header;
    assert.equal(header?.storage_root.length, 32);
    const receipt = await fetch(`${dev.rest}/v1/blobs/0x${digest}`);
    const { commitment } = (await receipt.json()) as { commitment: string };
    assert.equal(`0x${header?.storage_root.toString('hex')}`, commitment);
    assert.deepEqual((await call('RetrieveBlob', header)).data, data);
    const again = await call('DisperseBlob', { data });
    assert.deepEqual(again.request_id, request_id, 'the same payload is the same blob');
  });

  it('carries the largest blob both ways, and refuses one byte more', async () => {
    const data = Buffer.from(contentOf(7, MAX_BYTES));
    const { request_id } = await call('DisperseBlob', { data });
    const { reply } = await reached(request_id, 'CONFIRMED');
    const read = await call('RetrieveBlob', reply.info?.blob_header);
    assert.ok(read.data.equals(data));
    const words = /up to 32505852 bytes at this door, not 32505853/;
    const longer = { data: Buffer.alloc(MAX_BYTES + 1) };
    await assert.rejects(call('DisperseBlob', longer), refusal(grpc.status.UNKNOWN, words));
    const far = { data: Buffer.alloc(MAX_BYTES + 2 ** 20) };
    await assert.rejects(
      call('DisperseBlob', far),
      refusal(grpc.status.UNKNOWN, /up to \d+ bytes/),
    );
  });

  it('says no with a code and a sentence', async () => {
    const { INVALID_ARGUMENT, NOT_FOUND, UNKNOWN } = grpc.status;
    await assert.rejects(
      call('DisperseBlob', { data: Buffer.alloc(0) }),
      refusal(UNKNOWN, /one byte/),
    );
    const { request_id } = await call('DisperseBlob', { data: randomBytes(40) });
    const other = Buffer.from(request_id);
    other.fill('0', 70);
    for (const unknown of [Buffer.from('unknown'), Buffer.alloc(0), other]) {
      const asked = call('GetBlobStatus', { request_id: unknown });
      await assert.rejects(asked, refusal(NOT_FOUND, /no blob was taken/));
    }
    const short = { storage_root: Buffer.alloc(31), epoch: 1, quorum_id: 0 };
    await assert.rejects(
      call('RetrieveBlob', short),
      refusal(INVALID_ARGUMENT, /32 bytes, not 31/),
    );
    const absent = { storage_root: Buffer.alloc(32, 7), epoch: 1, quorum_id: 0 };
    await assert.rejects(call('RetrieveBlob', absent), refusal(NOT_FOUND, /no such blob/));
    const endless = { ...absent, epoch: '18446744073709551615' };
    await assert.rejects(call('RetrieveBlob', endless), refusal(INVALID_ARGUMENT, /2\^53/));
  });

  it('tells of too few signers, of limits, and of a disperser that takes nothing', async () => {
    dev.switches.turn({ silentSigners: 2 });
    const { request_id } = await call('DisperseBlob', { data: randomBytes(50) });
    await reached(request_id, 'INSUFFICIENT_SIGNATURES');
    dev.switches.turn({ silentSigners: 0 });
    await reached(request_id, 'FINALIZED');
    const { RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;
    dev.switches.turn({ puts: 'limited' });
    const data = randomBytes(51);
    const limited = refusal(RESOURCE_EXHAUSTED, /^request ratelimited/);
    await assert.rejects(call('DisperseBlob', { data }), limited);
    dev.switches.turn({ puts: 'unavailable' });
    await assert.rejects(call('DisperseBlob', { data }), refusal(UNAVAILABLE, /unavailable/));
  });

  it('ends with the deadline of a call, and when its client cancels', async () => {
    dev.switches.turn({ latencyMs: { read: 30_000 } });
    const wanted = { storage_root: Buffer.alloc(32, 9), epoch: 1, quorum_id: 0 };
    const late = call('RetrieveBlob', wanted, { deadline: Date.now() + 300 });
    await assert.rejects(late, refusal(grpc.status.DEADLINE_EXCEEDED, /./));
    const cancelled = new Promise((_, reject) => {
      const send = (client as unknown as Record<string, Call>)['RetrieveBlob'];
      const running = send?.call(client, wanted, new grpc.Metadata(), {}, (error) => reject(error));
      setTimeout(() => running?.cancel(), 50);
    });
    await assert.rejects(cancelled, refusal(grpc.status.CANCELLED, /./));
  });

  it('tells its health, and describes itself to tools as its text does', async () => {
    const [health, reflection] = [
      fromJSON(HEALTH, { keepCase: true, enums: String }),
      fromJSON(REFLECTION, { keepCase: true, oneofs: true }),
    ];
    const asking = clientOf(health, 'grpc.health.v1.Health');
    const check = (asking as unknown as Record<string, Call>)['Check'];
    const reply = await new Promise<unknown>((resolve, reject) => {
      check?.call(
        asking,
        { service: 'disperser.Disperser' },
        new grpc.Metadata(),
        {},
        (error, it) => (error === null ? resolve(it) : reject(error)),
      );
    });
    asking.close();
    assert.deepEqual(reply, { status: 'SERVING' });

    const told = await reflect(reflection, [
      { list_services: '' },
      { file_containing_symbol: 'disperser.Disperser.RetrieveBlob' },
      { file_by_filename: 'none.proto' },
    ]);
    const [services, file, none] = told as [
      { list_services_response: { service: { name: string }[] } },
      { file_descriptor_response: { file_descriptor_proto: Buffer[] } },
      { error_response: { error_code: number } },
    ];
    const names = services.list_services_response.service.map(({ name }) => name);
    assert.ok(names.includes('disperser.Disperser') && names.includes('grpc.health.v1.Health'));
    assert.equal(none.error_response.error_code, grpc.status.NOT_FOUND);
    const [served] = file.file_descriptor_response.file_descriptor_proto;
    assert.deepEqual(
      shapesOf(loadFileDescriptorSetFromBuffer(setOf(served ?? Buffer.alloc(0)))),
      shapesOf(definition),
    );
  });

  async function reflect(
    from: PackageDefinition,
    questions: readonly unknown[],
  ): Promise<unknown[]> {
    const asking = clientOf(from, 'grpc.reflection.v1.ServerReflection');
    const open = (
      asking as unknown as Record<string, () => grpc.ClientDuplexStream<unknown, unknown>>
    )['ServerReflectionInfo'];
    const stream = open?.call(asking);
    if (stream === undefined) throw new Error('the client has no such method');
    for (const question of questions) stream.write(question);
    stream.end();
    const replies: unknown[] = [];
    for await (const reply of stream) replies.push(reply);
    asking.close();
    return replies;
  }

  it('answers broken calls as gRPC does, and serves the next one', async () => {
    const frame = (message: Buffer, flag = 0, length = message.length): Buffer => {
      const prefix = Buffer.from([flag, 0, 0, 0, 0]);
      prefix.writeUInt32BE(length, 1);
      return Buffer.concat([prefix, message]);
    };
    const one = frame(Buffer.from([0x0a, 1, 65]));
    const cases: readonly (readonly [string, string, Buffer, grpc.status])[] = [
      ['no message', DISPERSE, Buffer.alloc(0), grpc.status.UNIMPLEMENTED],
      ['half a prefix', DISPERSE, Buffer.from([0, 0]), grpc.status.INVALID_ARGUMENT],
      ['half a message', DISPERSE, frame(Buffer.from('abc'), 0, 10), grpc.status.INVALID_ARGUMENT],
      ['two messages', DISPERSE, Buffer.concat([one, one]), grpc.status.UNIMPLEMENTED],
      ['a flag of compression', DISPERSE, frame(Buffer.from([1]), 1), grpc.status.UNIMPLEMENTED],
      ['4 GB announced', DISPERSE, frame(one, 0, 2 ** 32 - 1), grpc.status.UNKNOWN],
      ['64 KiB for an id', STATUS, frame(Buffer.alloc(65_536)), grpc.status.UNKNOWN],
      ['a number for bytes', STATUS, frame(Buffer.from([0x08, 1])), grpc.status.INTERNAL],
      ['a length past the end', STATUS, frame(Buffer.from([0x0a, 200, 1])), grpc.status.INTERNAL],
      ['no such method', '/disperser.Disperser/Nothing', one, grpc.status.UNIMPLEMENTED],
      ['no path', '//', one, grpc.status.UNIMPLEMENTED],
    ];
    await raw(async (send) => {
      for (const [what, path, body, status] of cases) {
        assert.equal((await send(path, body))['grpc-status'], String(status), what);
      }
    });
    const { result } = await call('DisperseBlob', { data: randomBytes(60) });
    assert.equal(result, 'PROCESSING');
  });

  it('takes any bytes for a message without falling over', async () => {
    const seed = seedOf(2_000);
    const rng = seededRng(seed);
    const inputs = runsOf(3_000);
    dev.switches.turn({ puts: 'unavailable' }); // taking each for a blob would take its time
    const paths = [
      DISPERSE,
      STATUS,
      '/disperser.Disperser/RetrieveBlob',
      '/grpc.health.v1.Health/Check',
    ];
    const bytesOf = (): Buffer => {
      const body = Buffer.from(rng.fill(new Uint8Array(1 + rng.below(60))));
      if (rng.below(2) === 0) return body;
      body[0] = 0; // a whole message, that begins as one of these does
      if (body.length > 5) body.writeUInt32BE(body.length - 5, 1);
      if (body.length > 6) body[5] = 0x0a;
      return body;
    };
    await raw(async (send) => {
      const worker = async (): Promise<void> => {
        for (let turn = 0; turn < inputs / 20; turn += 1) {
          const path = paths[rng.below(paths.length)] ?? DISPERSE;
          const body = bytesOf();
          const reply = await send(path, body);
          const told = `seed ${seed}, ${path}, ${body.toString('hex')}`;
          assert.equal(reply[':status'], 200, told);
          assert.ok(reply['grpc-status'] !== undefined, told);
        }
      };
      await Promise.all(Array.from({ length: 20 }, worker));
    });
    assert.equal((await fetch(`${dev.rest}/version`)).status, 200);
  });

  type Send = (path: string, body: Buffer) => Promise<Readonly<Record<string, unknown>>>;

  /** Calls over one connection, byte for byte as they are given. */
  async function raw(use: (send: Send) => Promise<void>): Promise<void> {
    const session = connect(`http://${dev.grpc}`);
    const send: Send = (path, body) =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: path,
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        const heads: Record<string, unknown> = {};
        stream.on('response', (headers) => Object.assign(heads, headers));
        stream.on('trailers', (headers) => Object.assign(heads, headers));
        stream.on('error', reject);
        stream.on('close', () => resolve(heads));
        stream.resume();
        stream.end(body);
      });
    try {
      await use(send);
    } finally {
      session.close();
    }
  }
});

/** A namespace within namespaces. */
function within(path: string, nested: Record<string, object>): { nested: Record<string, object> } {
  return path.split('.').reduceRight((inner, name) => ({ nested: { [name]: inner } }), { nested });
}

const HEALTH = within('grpc.health.v1', {
  Health: {
    methods: { Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse' } },
  },
  HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
  HealthCheckResponse: {
    fields: { status: { type: 'ServingStatus', id: 1 } },
    nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2 } } },
  },
});

/** What a tool asks of `grpc.reflection.v1.ServerReflection`, and the answers read here. */
const REFLECTION = within('grpc.reflection.v1', {
  ServerReflection: {
    methods: {
      ServerReflectionInfo: {
        requestType: 'Request',
        requestStream: true,
        responseType: 'Reply',
        responseStream: true,
      },
    },
  },
  Request: {
    oneofs: {
      question: { oneof: ['file_by_filename', 'file_containing_symbol', 'list_services'] },
    },
    fields: {
      file_by_filename: { type: 'string', id: 3 },
      file_containing_symbol: { type: 'string', id: 4 },
      list_services: { type: 'string', id: 7 },
    },
  },
  Reply: {
    fields: {
      file_descriptor_response: { type: 'Files', id: 4 },
      list_services_response: { type: 'Services', id: 6 },
      error_response: { type: 'Refusal', id: 7 },
    },
  },
  Files: { fields: { file_descriptor_proto: { rule: 'repeated', type: 'bytes', id: 1 } } },
  Services: { fields: { service: { rule: 'repeated', type: 'Service', id: 1 } } },
  Service: { fields: { name: { type: 'string', id: 1 } } },
  Refusal: { fields: { error_code: { type: 'int32', id: 1 } } },
});

/** A set with one file, as a protobuf message. */
function setOf(file: Uint8Array): Buffer {
  const length = [(file.length & 0x7f) | 0x80, file.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), file]);
}

/** Fields of messages, values of enums and paths of methods, by name. */
function shapesOf(definition: PackageDefinition): unknown {
  return Object.fromEntries(
    Object.entries(definition).map(([name, entry]) => {
      if (!('type' in entry)) {
        const methods = Object.values(entry as Record<string, { path: string }>);
        return [name, methods.map(({ path }) => path)];
      }
      const { field = [], value = [] } = entry.type as {
        readonly field?: readonly Record<string, unknown>[];
        readonly value?: readonly Record<string, unknown>[];
      };
      return [
        name,
        [...field, ...value].map(({ name: called, number, type, label, typeName = '' }) => {
          return { called, number, type, label, of: String(typeName).split('.').at(-1) };
        }),
      ];
    }),
  );
}
