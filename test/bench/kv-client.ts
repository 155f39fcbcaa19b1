import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createClient, type KvStream } from '@cairn/client-sdk';
import { deriveStreamId } from '@cairn/kv-layer';
import { mapConcurrent, parseAddress, systemClock } from '@cairn/primitives';
import { cairnJson } from '../support/cli.ts';
import { startNetwork } from '../support/network.ts';
import { processUsage } from './measured-run.ts';
import { type Row, versusFloor, versusPeer } from './report.ts';

/** Writes that are asked for at once. */
const TOGETHER = 2000;
/** Writes by one transaction each, one after the other. */
const ALONE = 10;
const ROUNDS = 3;
const READS = 20_000;
const CONNECTIONS = 16;
/** Calls in a list. */
const LIST = 20;

/**
 * What a client on a devnet gets: keys written per second when asked for at once, beside a transaction for
 * each; and values read over HTTP for each second of the node's CPU.
 */
export async function clientRows(): Promise<Row[]> {
  const network = await startNetwork(['--storage', '0/1', '--kv', '1']);
  const client = createClient({
    nodes: network.endpoints.storage.map(({ rpc }) => rpc),
    rpc: network.chainRpc,
    flow: network.endpoints.chains[0]?.contracts['flow'] ?? '',
    signer: network.key,
    kv: network.endpoints.kv,
    threads: 0,
  });
  try {
    const owner = parseAddress(`0x${'c1'.repeat(20)}`);
    const stream = client.kv.stream(deriveStreamId(owner, new Uint8Array(randomBytes(32))));
    await stream.put('first', 'x'); // the node meets the stream
    const together: number[] = [];
    const alone: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      together.push(await rate(TOGETHER, () => putTogether(stream, round)));
      alone.push(await rate(ALONE, () => putAlone(stream, round)));
    }
    const pid = await kvPid(network.directory);
    const url = network.endpoints.kv[0] ?? '';
    const bare = await bareServer();
    try {
      const shapes = readShapes(url, stream.id);
      const rates = (shape: ReadShape): Promise<readonly number[]> => readRates(shape, pid);
      const byAddress = await rates(shapes.byAddress);
      const byAddressBare = await readRates({ ...shapes.byAddress, url: bare.url }, bare.pid);
      const byMethod = await rates(shapes.byMethod);
      const byMethodBare = await readRates({ ...shapes.byMethod, url: bare.url }, bare.pid);
      const inLists = await rates(shapes.inLists);
      const unit = 'reads/server CPU-s';
      const peer = 'a bare server of Node that always answers the same';
      return [
        versusPeer(
          `writes through the client, ${TOGETHER} at once`,
          'keys/s',
          together,
          'a transaction each',
          alone,
          20,
        ),
        versusFloor('values read over HTTP (GET …/value?key=)', unit, byAddress, 10_000),
        versusPeer('the same', unit, byAddress, peer, byAddressBare, undefined),
        versusPeer('POST kv_getValue, one a call', unit, byMethod, peer, byMethodBare, undefined),
        versusFloor(`POST kv_getValue, ${LIST} a call`, unit, inLists),
      ];
    } finally {
      bare.stop();
    }
  } finally {
    await client.close();
    await network.stop();
  }
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return count / ((performance.now() - began) / 1000);
}

async function putTogether(stream: KvStream, round: number): Promise<void> {
  const keys = Array.from({ length: TOGETHER }, (_, at) => `key ${at}`);
  await Promise.all(keys.map((key) => stream.put(key, `value ${round} of ${key}`)));
}

async function putAlone(stream: KvStream, round: number): Promise<void> {
  for (let at = 0; at < ALONE; at += 1) await stream.put(`alone ${at}`, `value ${round}`);
}

async function kvPid(directory: string): Promise<number> {
  const status = await cairnJson(['devnet', 'status', '--dir', directory]);
  const services = status['processes'] as readonly { name: string; pid: number }[];
  const pid = services.find(({ name }) => name.startsWith('kv'))?.pid;
  if (pid === undefined) throw new Error('the devnet runs no key-value node');
  return pid;
}

/** One way to ask for values. */
interface ReadShape {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Values that a call asks for. */
  readonly values: number;
  /** Path and body that ask for the values from a number on. */
  readonly ask: (at: number) => { readonly path: string; readonly body?: string };
}

function readShapes(
  url: string,
  stream: string,
): Readonly<Record<'byAddress' | 'byMethod' | 'inLists', ReadShape>> {
  const call = (at: number): unknown => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'kv_getValue',
    params: [stream, keyOf(at).toString('base64'), 0, 262_144],
  });
  return {
    byAddress: {
      url,
      method: 'GET',
      values: 1,
      ask: (at) => ({
        path: `/v1/streams/${stream}/value?key=${keyOf(at).toString('base64url')}`,
      }),
    },
    byMethod: {
      url,
      method: 'POST',
      values: 1,
      ask: (at) => ({ path: '/', body: JSON.stringify(call(at)) }),
    },
    inLists: {
      url,
      method: 'POST',
      values: LIST,
      ask: (at) => {
        const calls = Array.from({ length: LIST }, (_, index) => call((at + index) % TOGETHER));
        return { path: '/', body: JSON.stringify(calls) };
      },
    },
  };
}

function keyOf(at: number): Buffer {
  return Buffer.from(`key ${at}`);
}

interface BareServer {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => void;
}

/** A server of Node that reads what it is sent and answers with one value, always the same. */
async function bareServer(): Promise<BareServer> {
  const script = fileURLToPath(new URL('peers/bare-http.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), pid: child.pid ?? 0, stop: () => void child.kill() };
}

/** Values for each second of the server's CPU. */
async function readRates(
  { url, method, values, ask }: ReadShape,
  pid: number,
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const { signal } = new AbortController();
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const before = processUsage(pid).cpuSeconds;
    const numbers = Array.from({ length: READS / values }, (_, at) => (at * values) % TOGETHER);
    const read = async (at: number): Promise<void> => {
      const { path, body } = ask(at);
      const text = await send(new URL(path, url), { method, agent, body });
      if (!text.includes('"version"')) throw new Error(text.slice(0, 200));
    };
    for await (const _ of mapConcurrent(numbers, read, { parallel: CONNECTIONS, signal })) {
      // the answers are looked at above
    }
    await systemClock().sleep(50, signal);
    // The first round warms the node up.
    if (round >= 0) rates.push(READS / (processUsage(pid).cpuSeconds - before));
  }
  agent.destroy();
  return rates;
}

function send(
  url: URL,
  options: {
    readonly method: string;
    readonly agent: Agent;
    readonly body: string | undefined;
  },
): Promise<string> {
  const { method, agent, body } = options;
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = request(url, { method, agent, headers }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.once('error', reject);
      reply.once('end', () => resolve(Buffer.concat(parts).toString()));
    });
    call.once('error', reject);
    call.end(body);
  });
}
