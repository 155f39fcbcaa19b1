import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { encodeBlobHeader, leafHash, signStatement, treeRoot } from '@cairn/attestation';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { type Clock, MIB, silentLogger } from '@cairn/primitives';
import {
  encodeBatchVote,
  encodeRowReply,
  parseRowReply,
  parseVoteRequest,
  ROW_REPLY_TYPE,
  VOTE_TYPE,
  VOTES_PATH,
} from '@cairn/wire-protocol/da';
import type { DispersalNetwork } from '../../src/disperser/ports.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { openSigner, type Signer } from '../../src/signer/open-signer.ts';
import { backend, NETWORK, signerAddress, signerKey } from './committee.ts';
import type { MemoryChain } from './memory-chain.ts';

/**
 * How a signer behaves, as seen from outside. `corrupt` sends wrong rows and votes, `forging` votes that
 * another key signed, `loris` a byte now and then, and `unstoring` signs for everything and stores nothing.
 */
export const MANNERS = [
  'honest',
  'silent',
  'corrupt',
  'slow',
  'refusing',
  'forging',
  'loris',
  'unstoring',
] as const;

/** One of `MANNERS`. */
export type Manner = (typeof MANNERS)[number];

/** Between two bytes of a `loris`. */
const LORIS_MS = 100;

/** What a signer stands on. */
export interface SignerDoorDeps {
  readonly index: number;
  readonly chain: MemoryChain;
  readonly clock: Clock;
  readonly network: DispersalNetwork;
  /** Of all signers. */
  readonly directory: string;
}

/**
 * A real signer on real files, behind a door of its own that counts bytes and can misbehave: say
 * nothing, answer late, refuse to sign, or send wrong votes and rows.
 */
export class SignerDoor {
  readonly index: number;
  manner: Manner = 'honest';
  /** What an `unstoring` one answers to those who ask for rows; nothing unless told. */
  rowsOf: (path: string) => Promise<Uint8Array | undefined> = async () => undefined;
  /** Told of each request. */
  onRequest: () => void = () => undefined;
  url = '';
  /** Bytes of bodies that came in. */
  receivedBytes = 0;
  readonly #signer: Signer;
  readonly #host: HttpHost;
  readonly #server: Server;

  private constructor(index: number, signer: Signer, host: HttpHost) {
    this.index = index;
    this.#signer = signer;
    this.#host = host;
    this.#server = createServer((request, reply) => {
      this.#answer(request, reply).catch(() => reply.destroy());
    });
  }

  static async open(deps: SignerDoorDeps): Promise<SignerDoor> {
    const { index, chain, clock, directory } = deps;
    const metrics = createMetrics({ processMetrics: false });
    const logger = silentLogger();
    const identity = { address: signerAddress(index), key: signerKey(index), backend };
    const network = { ...deps.network, maxRetentionEpochs: 60 };
    const signer = await openSigner(
      {
        chain: chain.forSigners(),
        network,
        identity,
        clock,
        logger,
        metrics: metrics.metrics,
        version: '0.1.0',
      },
      {
        directory: join(directory, `signer-${index}`),
        capacityBytes: 512 * MIB,
        mayCreateProtection: true,
        reserveBytes: 0,
        freeBytes: async () => 2 ** 40,
      },
      { signal: new AbortController().signal },
    );
    const host = createHttpHost({
      name: 'signer',
      version: '0.1.0',
      logger,
      metrics,
      describeProblem,
      limits: { drainMs: 100 },
      routes: [signer.routes],
    });
    await host.start();
    const door = new SignerDoor(index, signer, host);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    door.url = `http://127.0.0.1:${(door.#server.address() as AddressInfo).port}`;
    return door;
  }

  /** Past the door that counts and misbehaves. */
  get ownUrl(): string {
    return this.#host.address.url;
  }

  get heldBlobs(): number {
    return this.#signer.status().heldBlobs;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#host.stop();
    await this.#signer.close();
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    this.receivedBytes += body.length;
    this.onRequest();
    const { manner } = this;
    if (manner === 'silent') return;
    if (manner === 'slow') await new Promise((resolve) => setTimeout(resolve, 1500));
    if (manner === 'loris') return drip(reply);
    const path = request.url ?? '/';
    const isVote = request.method === 'POST' && path === VOTES_PATH;
    if (isVote && manner === 'refusing') {
      const problem = { type: 'urn:x', title: 'No', status: 422, detail: 'no', code: 'NO' };
      send(reply, 422, Buffer.from(JSON.stringify(problem)), 'application/problem+json');
      return;
    }
    if (manner === 'unstoring') return this.#pretend(request, path, body, reply);
    const answer = await fetch(`${this.#host.address.url}${path}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': request.headers['content-type'] ?? 'text/plain' },
      ...(body.length === 0 ? {} : { body: Buffer.from(body) }),
    });
    let bytes: Uint8Array = new Uint8Array(await answer.arrayBuffer());
    if (isVote && manner === 'forging') {
      bytes = this.#vote(body, { keyOf: (this.index + 1) % 1000 });
    }
    if (manner === 'corrupt' && answer.status === 200) {
      if (isVote) bytes = this.#vote(body, { epochsLater: 1 });
      else if (path.includes('/rows?')) bytes = encodeRowReply(parseRowReply(bytes).map(spoiled));
    }
    send(reply, answer.status, bytes, answer.headers.get('content-type') ?? 'text/plain');
  }

  /** Says that it has what it is sent, signs for all, and has nothing. */
  async #pretend(
    { method }: IncomingMessage,
    path: string,
    body: Uint8Array,
    reply: ServerResponse,
  ): Promise<void> {
    if (method === 'PUT') return send(reply, 200, Buffer.from('{}'), 'application/json');
    if (method === 'POST') return send(reply, 200, this.#vote(body), VOTE_TYPE);
    const rows = path.includes('/rows?') ? await this.rowsOf(path) : undefined;
    if (rows !== undefined) return send(reply, 200, rows, ROW_REPLY_TYPE);
    const problem = { type: 'urn:x', title: 'Gone', status: 404, detail: 'no', code: 'NO' };
    send(reply, 404, Buffer.from(JSON.stringify(problem)), 'application/problem+json');
  }

  /** A vote for what it is asked for, or one that is signed for another epoch or by another key. */
  #vote(
    body: Uint8Array,
    { epochsLater = 0, keyOf = this.index }: { epochsLater?: number; keyOf?: number } = {},
  ): Uint8Array {
    const { kind, epoch, quorumId, headers } = parseVoteRequest(body);
    const root = treeRoot(headers.map((header) => leafHash(encodeBlobHeader(header))));
    const place = { kind, quorumId, count: headers.length, root };
    const statement = { ...place, epoch: epoch + epochsLater, domain: NETWORK.entrance };
    const signature = signStatement(signerKey(keyOf), NETWORK.network, statement);
    return encodeBatchVote({ ...place, epoch, signer: signerAddress(this.index), signature });
  }
}

/** A row message whose row differs in its last byte. */
function spoiled(message: Uint8Array): Uint8Array {
  const bytes = message.slice();
  const log2K = bytes[11] ?? 0;
  const at = bytes.length - 32 * log2K - 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** Half of an answer, byte by byte, until whoever asked goes away. */
function drip(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1e6 });
  const timer = setInterval(() => reply.write('.'), LORIS_MS);
  reply.on('close', () => clearInterval(timer));
}

function send(reply: ServerResponse, status: number, body: Uint8Array, type: string): void {
  reply.writeHead(status, { 'content-type': type, 'content-length': body.length });
  reply.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return new Uint8Array(Buffer.concat(parts));
}
