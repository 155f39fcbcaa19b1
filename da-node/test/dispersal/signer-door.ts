import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  encodeBlobHeader,
  leafHash,
  STATEMENT_KINDS,
  signStatement,
  treeRoot,
} from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import {
  arcRows,
  assignRows,
  encodeRow,
  layoutOf,
  parseSlice,
  type RowCombiner,
  type VerifiedSlice,
  verifySlice,
} from '@cairn/erasure-codec';
import { stringifyJson, toHex } from '@cairn/primitives';
import {
  encodeBatchVote,
  encodeRowReply,
  heldBlobJson,
  parseDelivery,
  parseRowQuery,
  parseVoteRequest,
} from '@cairn/wire-protocol/da';
import { NETWORK, signerAddress, signerKey } from './committee.ts';
import type { MemoryChain } from './memory-chain.ts';

/** How a signer misbehaves. */
export type Manner = 'honest' | 'silent' | 'corrupt' | 'slow' | 'refusing';

interface Kept {
  readonly slice: VerifiedSlice;
  readonly epoch: number;
  readonly expirySeconds: number;
}

/**
 * A signer's door on a real socket: verifies slices as signers do, keeps them in memory, signs for
 * batches of which it holds everything. It can misbehave.
 */
export class SignerDoor {
  readonly index: number;
  manner: Manner = 'honest';
  url = '';
  /** Bytes of bodies that came in. */
  receivedBytes = 0;
  /** Statements signed, by root, and leaf signed for each slot. */
  readonly signed = new Map<string, string>();
  readonly #kept = new Map<string, Kept>();
  readonly #chain: MemoryChain;
  readonly #suite: RowSuite;
  readonly #combiner: RowCombiner;
  readonly #server: Server;

  private constructor(index: number, chain: MemoryChain, suite: RowSuite, combiner: RowCombiner) {
    this.index = index;
    this.#chain = chain;
    this.#suite = suite;
    this.#combiner = combiner;
    this.#server = createServer((request, reply) => {
      this.#answer(request, reply).catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        send(reply, 422, problem(422, 'REFUSED', detail), 'application/problem+json');
      });
    });
  }

  static async open(
    index: number,
    chain: MemoryChain,
    suite: RowSuite,
    combiner: RowCombiner,
  ): Promise<SignerDoor> {
    const door = new SignerDoor(index, chain, suite, combiner);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    door.url = `http://127.0.0.1:${(door.#server.address() as AddressInfo).port}`;
    return door;
  }

  get heldBlobs(): number {
    return this.#kept.size;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    this.receivedBytes += body.length;
    if (this.manner === 'silent') return;
    const url = new URL(request.url ?? '/', 'http://signer');
    if (this.manner === 'slow') await new Promise((resolve) => setTimeout(resolve, 1500));
    if (request.method === 'PUT') this.#put(body, reply);
    else if (request.method === 'POST') this.#vote(body, reply);
    else this.#read(url, reply);
  }

  #put(body: Uint8Array, reply: ServerResponse): void {
    const { epoch, header, slice } = parseDelivery(body);
    const { snapshot, members } = this.#chain.committeeAt(epoch);
    const layout = layoutOf(header.sizeBytes, NETWORK.layout);
    const { commitment } = header;
    const place = { suite: this.#suite, commitment, seed: snapshot.office.seed };
    const seated = members.map(({ index, seats }) => ({ id: index, seats }));
    const arc = assignRows(seated, layout, place).find(({ id }) => id === this.index);
    const rows = arc === undefined ? [] : arcRows(arc, layout);
    const expected = { commitment, layout, rows };
    const options = { suite: this.#suite, combiner: this.#combiner };
    const verified = verifySlice(parseSlice(slice, this.#suite), expected, options);
    const { expirySeconds } = header;
    this.#kept.set(toHex(commitment), { slice: verified, epoch, expirySeconds });
    send(reply, 200, new Uint8Array(0), 'text/plain');
  }

  #vote(body: Uint8Array, reply: ServerResponse): void {
    const request = parseVoteRequest(body);
    if (this.manner === 'refusing') throw new Error('it does not want to');
    for (const header of request.headers) {
      const kept = this.#kept.get(toHex(header.commitment));
      if (kept?.epoch !== request.epoch) throw new Error('rows of a blob are missing');
    }
    const { kind, epoch, quorumId, headers } = request;
    const leaves = headers.map((header) => leafHash(encodeBlobHeader(header)));
    for (const [at, { submitter, submissionIndex }] of headers.entries()) {
      const slot = `${submitter}/${submissionIndex}`;
      const leaf = toHex(leaves[at] ?? new Uint8Array(0));
      if ((this.signed.get(slot) ?? leaf) !== leaf) throw new Error('slot signed before');
      this.signed.set(slot, leaf);
    }
    const count = headers.length;
    const statement = {
      kind: STATEMENT_KINDS.promisedBatch,
      domain: NETWORK.entrance,
      epoch: this.manner === 'corrupt' ? epoch + 1 : epoch,
      quorumId,
      count,
      root: treeRoot(leaves),
    };
    const signature = signStatement(signerKey(this.index), NETWORK.network, statement);
    const signer = signerAddress(this.index);
    const { root } = statement;
    const vote = encodeBatchVote({ kind, epoch, quorumId, count, root, signer, signature });
    send(reply, 200, vote, 'application/octet-stream');
  }

  #read({ pathname, searchParams }: URL, reply: ServerResponse): void {
    const [, , , , commitment = '', rows] = pathname.split('/');
    const kept = this.#kept.get(commitment);
    if (kept === undefined) {
      send(reply, 404, problem(404, 'BLOB_NOT_HELD', 'not held'), 'application/problem+json');
      return;
    }
    const { header, rows: held } = kept.slice;
    const [first] = held;
    if (rows === undefined) {
      const text = stringifyJson(
        heldBlobJson({
          commitment: commitment as never,
          sizeBytes: header.layout.payloadBytes,
          suite: header.suite,
          slices: [
            {
              epoch: kept.epoch,
              quorumId: 0,
              firstRow: first?.index ?? 0,
              rows: held.length,
              expirySeconds: kept.expirySeconds,
            },
          ],
        }),
      );
      send(reply, 200, Buffer.from(text), 'application/json');
      return;
    }
    const query = parseRowQuery(searchParams.get('index'), searchParams.get('form') ?? undefined);
    const wanted = held.filter(({ index }) => query.indexes.includes(index));
    const messages = wanted.map((row) => {
      const sent = this.manner === 'corrupt' ? spoiled(row) : row;
      return query.form === 'full'
        ? encodeRow({ kind: 'full', header, row: sent })
        : encodeRow({ kind: 'bare', suite: header.suite, layout: header.layout, row: sent });
    });
    send(reply, 200, encodeRowReply(messages), 'application/octet-stream');
  }
}

function spoiled<Row extends { readonly bytes: Uint8Array }>(row: Row): Row {
  const bytes = row.bytes.slice();
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return { ...row, bytes };
}

function problem(status: number, code: string, detail: string): Uint8Array {
  const fields = { type: `urn:cairn:fault:${code}`, title: code, status, detail, code };
  return Buffer.from(JSON.stringify({ ...fields, retry: 'never' }));
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
