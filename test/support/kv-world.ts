import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { type SignedRoot, type StreamId, signRoot } from '@cairn/kv-layer';
import { type Address, type Hex, utf8Bytes } from '@cairn/primitives';
import {
  LogWorld,
  type NodeSettings,
  type WorldNode,
} from '../../kv-layer/node/test/support/log-world.ts';
import { until } from './wait.ts';

/** Names of keys and their values; an empty one deletes. */
export type Written = Readonly<Record<string, string | Uint8Array>>;

/** Key-value nodes with keys of their own over one simulated log: real daemons, in this process. */
export class KvWorld {
  readonly world: LogWorld;
  readonly nodes: WorldNode[] = [];
  readonly signers: ReturnType<typeof signerFromKey>[] = [];
  readonly #folder: string;
  readonly #servers: Server[] = [];
  readonly #streams: readonly StreamId[];

  private constructor(world: LogWorld, folder: string, streams: readonly StreamId[]) {
    this.world = world;
    this.#folder = folder;
    this.#streams = streams;
  }

  static async make(seed: number, streams: readonly StreamId[]): Promise<KvWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-kv-world-'));
    return new KvWorld(await LogWorld.make(seed), folder, streams);
  }

  /** Starts a node that vouches with a key of its own. */
  async start(settings: NodeSettings = {}): Promise<WorldNode> {
    const hex = (this.signers.length + 11).toString(16).padStart(64, '0');
    const key = await this.keyFile(hex);
    this.signers.push(signerFromKey(hex));
    const node = await this.world.start({
      streams: { ids: this.#streams },
      attest: { key },
      ...settings,
    });
    this.nodes.push(node);
    return node;
  }

  /** A file with a key. @param hex - filled with zeros from the left */
  async keyFile(hex: string): Promise<string> {
    const text = hex.padStart(64, '0');
    const path = join(this.#folder, `key-${text}`);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ node }) => node.url);
  }

  get keys(): readonly Address[] {
    return this.signers.map(({ address }) => address);
  }

  /** Writes by one log entry. @returns its sequence */
  async write(stream: StreamId, written: Written): Promise<number> {
    await this.world.batch([stream], (batch) => {
      for (const [key, value] of Object.entries(written)) {
        const bytes = typeof value === 'string' ? utf8Bytes(value) : value;
        if (bytes.length === 0) batch.delete(stream, utf8Bytes(key));
        else batch.put(stream, utf8Bytes(key), bytes);
      }
    });
    this.world.chain.mine();
    return this.world.chain.entries().length - 1;
  }

  /** Until every node has decided everything. */
  async settled(): Promise<void> {
    const count = this.world.chain.entries().length;
    await until('every entry is decided', () =>
      this.nodes.every(({ node }) => node.status.nextSequence >= count),
    );
  }

  /** A statement signed by one of the nodes' keys with another root. */
  lieOf(index: number, { statement }: Pick<SignedRoot, 'statement'>, root: Hex): SignedRoot {
    const signer = this.signers[index];
    if (signer === undefined) throw new Error(`there is no node ${index}`);
    return signRoot({ ...statement, root }, signer);
  }

  /** A node seen through something that changes what it answers. @returns its address */
  async behind(
    target: string,
    change: (method: string, result: unknown) => unknown,
  ): Promise<string> {
    const server = createServer((request, response) => {
      const pass = async (): Promise<void> => {
        const sent = Buffer.concat(await request.toArray());
        const { method = 'GET', url = '/' } = request;
        const headers = ['content-type', 'origin', 'access-control-request-method']
          .concat('access-control-request-headers')
          .flatMap((name): [string, string][] => {
            const value = request.headers[name];
            return value === undefined ? [] : [[name, String(value)]];
          });
        const body = method === 'POST' ? { body: sent } : {};
        const reply = await fetch(`${target}${url}`, { method, headers, ...body });
        response.statusCode = reply.status;
        for (const [name, value] of reply.headers) {
          if (name === 'content-type' || name.startsWith('access-control-')) {
            response.setHeader(name, value);
          }
        }
        const text = await reply.text();
        if (method !== 'POST') {
          response.end(text);
          return;
        }
        const { method: called } = JSON.parse(sent.toString()) as { method: string };
        const answer = JSON.parse(text) as { result?: unknown };
        if (answer.result !== undefined) answer.result = change(called, answer.result);
        response.end(JSON.stringify(answer));
      };
      pass().catch(() => response.destroy());
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await this.world.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
