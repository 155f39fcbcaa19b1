import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
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
    const reads = await readRates(network.endpoints.kv[0] ?? '', stream.id, pid);
    return [
      versusPeer(
        `writes through the client, ${TOGETHER} at once`,
        'keys/s',
        together,
        'a transaction each',
        alone,
        20,
      ),
      versusFloor('values read over HTTP (kv_getValue)', 'reads/server CPU-s', reads, 10_000),
    ];
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

async function readRates(url: string, stream: string, pid: number): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const { signal } = new AbortController();
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const before = processUsage(pid).cpuSeconds;
    const numbers = Array.from({ length: READS }, (_, at) => at % TOGETHER);
    const read = async (at: number): Promise<void> => {
      const key = Buffer.from(`key ${at}`).toString('base64');
      const text = await post(url, agent, {
        jsonrpc: '2.0',
        id: 1,
        method: 'kv_getValue',
        params: [stream, key, 0, 262_144],
      });
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

function post(url: string, agent: Agent, body: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(url, { method: 'POST', agent, headers }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.once('error', reject);
      reply.once('end', () => resolve(Buffer.concat(parts).toString()));
    });
    call.once('error', reject);
    call.end(JSON.stringify(body));
  });
}
