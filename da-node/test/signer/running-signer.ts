import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { type Root, rootOf, silentLogger } from '@cairn/primitives';
import { type Problem, parseProblem } from '@cairn/wire-protocol';
import {
  type BatchKind,
  type BatchVote,
  DELIVERY_TYPE,
  encodeVoteRequest,
  parseBatchVote,
  parseRowReply,
  type RowForm,
  rowsPath,
  SLICES_PATH,
  VOTE_REQUEST_TYPE,
  VOTES_PATH,
  votePath,
} from '@cairn/wire-protocol/da';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { openSigner, type Signer, type SignerOptions } from '../../src/signer/open-signer.ts';
import { NO_OTHER_PLACES, type OtherPlaces } from '../../src/signer/places.ts';
import { backend, EPOCH, SIGNER_NETWORK, type TestBlob, type World } from './world.ts';

const OPTIONS = {
  capacityBytes: 256 * 1024 ** 2,
  reserveBytes: 0,
  freeBytes: async () => 10 ** 12,
  marginSeconds: 0,
} as const;

/** What a request came to: a status, and why not. */
export interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
}

/** A signer on a real socket over real files. */
export class RunningSigner {
  readonly world: World;
  readonly index: number;
  readonly directory: string;
  /** Entrances of other shards, as it finds them when it is opened. */
  others: OtherPlaces = NO_OTHER_PLACES;
  #signer: Signer | undefined;
  #host: HttpHost | undefined;

  private constructor(world: World, index: number, directory: string) {
    this.world = world;
    this.index = index;
    this.directory = directory;
  }

  static async start(
    world: World,
    index = 0,
    options: Partial<SignerOptions> = {},
    others: OtherPlaces = NO_OTHER_PLACES,
  ): Promise<RunningSigner> {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-signer-'));
    const signer = new RunningSigner(world, index, directory);
    signer.others = others;
    await signer.open({ mayCreateProtection: true, ...options });
    return signer;
  }

  get signer(): Signer {
    if (this.#signer === undefined) throw new Error('the signer does not run');
    return this.#signer;
  }

  get url(): string {
    if (this.#host === undefined) throw new Error('the signer does not run');
    return this.#host.address.url;
  }

  async open(options: Partial<SignerOptions> = {}): Promise<void> {
    const { chain, clock, keys } = this.world;
    const key = keys[this.index];
    if (key === undefined) throw new Error('there is no such key');
    const metrics = createMetrics({ processMetrics: false });
    this.#signer = await openSigner(
      {
        chain,
        network: SIGNER_NETWORK,
        others: this.others,
        identity: { address: this.world.addressOf(this.index), key, backend },
        clock,
        logger: silentLogger(),
        metrics: metrics.metrics,
        version: '0.1.0',
      },
      { directory: this.directory, mayCreateProtection: false, ...OPTIONS, ...options },
      { signal: new AbortController().signal },
    );
    this.#host = createHttpHost({
      name: 'signer',
      version: '0.1.0',
      logger: silentLogger(),
      metrics,
      describeProblem,
      limits: { drainMs: 100 },
      routes: [this.#signer.routes],
    });
    await this.#host.start();
  }

  async stop(): Promise<void> {
    await this.#host?.stop();
    await this.#signer?.close();
  }

  async restart(options: Partial<SignerOptions> = {}): Promise<void> {
    await this.stop();
    await this.open(options);
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Sends a delivery. */
  put(bytes: Uint8Array, type = DELIVERY_TYPE): Promise<Outcome> {
    return this.#outcome(SLICES_PATH, { method: 'PUT', body: bytes, type });
  }

  /** Delivers this signer's rows of blobs. */
  async deliver(...blobs: readonly TestBlob[]): Promise<void> {
    for (const blob of blobs) {
      const { status, code } = await this.put(await this.world.delivery(this.index, blob));
      if (status !== 200) throw new Error(`a delivery was refused: ${status} ${code}`);
    }
  }

  /** Asks for a vote. */
  async vote(
    blobs: readonly TestBlob[],
    { kind = 1, epoch = EPOCH, quorumId = 0 }: Partial<VotePlace> = {},
  ): Promise<Outcome & { readonly vote: BatchVote | undefined }> {
    const headers = blobs.map(({ header }) => header);
    const body = encodeVoteRequest({ kind, epoch, quorumId, headers });
    const reply = await this.#send(VOTES_PATH, { method: 'POST', body, type: VOTE_REQUEST_TYPE });
    if (reply.status !== 200) return { ...(await refusalOf(reply)), vote: undefined };
    return { status: 200, code: undefined, vote: parseBatchVote(await bytesOf(reply)) };
  }

  /** The vote that is served for a root. */
  async servedVote(root: Root): Promise<BatchVote | undefined> {
    const reply = await fetch(`${this.url}${votePath(root)}`);
    const bytes = await bytesOf(reply);
    return reply.status === 200 ? parseBatchVote(bytes) : undefined;
  }

  /** Rows of a blob as row messages; none if the answer is 404. */
  async rows(blob: TestBlob, indexes: readonly number[], form?: RowForm): Promise<Uint8Array[]> {
    const path = rowsPath(rootOf(blob.header.commitment), indexes, form);
    const reply = await fetch(`${this.url}${path}`);
    const bytes = await bytesOf(reply);
    return reply.status === 200 ? parseRowReply(bytes) : [];
  }

  async #outcome(path: string, request: Request): Promise<Outcome> {
    const reply = await this.#send(path, request);
    if (reply.status !== 200) return refusalOf(reply);
    await reply.arrayBuffer();
    return { status: 200, code: undefined };
  }

  #send(path: string, { method, body, type }: Request): Promise<Response> {
    const headers = { 'content-type': type };
    return fetch(`${this.url}${path}`, { method, body: body as Uint8Array<ArrayBuffer>, headers });
  }
}

export interface VotePlace {
  readonly kind: BatchKind;
  readonly epoch: number;
  readonly quorumId: number;
}

interface Request {
  readonly method: 'PUT' | 'POST';
  readonly body: Uint8Array;
  readonly type: string;
}

async function refusalOf(reply: Response): Promise<Outcome> {
  const problem: Problem = parseProblem(await reply.json());
  return { status: reply.status, code: problem.code };
}

async function bytesOf(reply: Response): Promise<Uint8Array> {
  return new Uint8Array(await reply.arrayBuffer());
}
