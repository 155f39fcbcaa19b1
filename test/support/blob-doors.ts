import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { keccak256, toHex } from '@cairn/primitives';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { repositoryRoot } from '../architecture/house.ts';
import { until } from './wait.ts';

/** Where a disperser is reached. */
export interface DoorAddresses {
  readonly rest: string;
  readonly nitro: string;
  readonly grpc: string;
}

/** One protocol of a disperser, spoken as its clients speak it. */
export interface BlobDoor {
  readonly name: string;
  /** Longest payload that the protocol allows, in bytes. */
  readonly maxBytes: number;
  /** Puts a payload and gives the name that the protocol has for it, once its quorum has signed. */
  put(payload: Uint8Array<ArrayBuffer>): Promise<string>;
  /** Reads a payload back by that name. */
  get(name: string): Promise<Uint8Array>;
}

const MIB = 2 ** 20;
const MAX_BYTES = 128 * MIB - 8;
/** OP Stack derivation drops longer inputs of a keccak commitment. */
const MAX_KECCAK_BYTES = 130_672;
/** What 0G's clients send at most. */
const MAX_ZG_BYTES = 32_505_852;
const FINAL_STATUSES: readonly string[] = ['CONFIRMED', 'FINALIZED'];
/** A batch of Arbitrum: 40 bytes of the message's header come before its certificate. */
const NITRO_HEADER_BYTES = 40;
/** The longest blobs take minutes on a machine with much other work. */
const TAKEN_WITHIN_MS = 300_000;
/** How long a batch asks to be kept. */
const NITRO_KEPT_SECONDS = 300;

/** Every door of a disperser. `close` ends their connections. */
export function blobDoorsOf(at: DoorAddresses): {
  readonly doors: readonly BlobDoor[];
  close(): void;
} {
  const zg = zgDoor(at.grpc);
  const doors = [
    restDoor(at.rest),
    opGenericDoor(at.rest),
    opKeccakDoor(at.rest),
    eigendaDoor(at.rest),
    nitroDoor(at.nitro),
    zg.door,
  ];
  return { doors, close: zg.close };
}

async function sent(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const reply = await fetch(url, init);
  const bytes = new Uint8Array(await reply.arrayBuffer());
  assert.equal(reply.status, 200, `${url.slice(0, 80)}: ${Buffer.from(bytes).toString()}`);
  return bytes;
}

const BINARY = { 'content-type': 'application/octet-stream' };

function restDoor(url: string): BlobDoor {
  return {
    name: 'REST',
    maxBytes: MAX_BYTES,
    put: async (payload) => {
      const accepted = await fetch(`${url}/v1/blobs`, {
        method: 'POST',
        headers: BINARY,
        body: payload,
      });
      const { id } = (await accepted.json()) as { id: string };
      const isSigned = async (): Promise<boolean> =>
        (await fetch(`${url}/v1/blobs/${id}/certificate`)).ok;
      await until('the quorum to sign', isSigned, TAKEN_WITHIN_MS);
      return id;
    },
    get: (id) => sent(`${url}/v1/blobs/${id}/payload`),
  };
}

function opGenericDoor(url: string): BlobDoor {
  return {
    name: 'OP Stack, generic',
    maxBytes: MAX_BYTES,
    put: async (payload) =>
      toHex(await sent(`${url}/put`, { method: 'POST', headers: BINARY, body: payload })),
    get: (commitment) => sent(`${url}/get/${commitment}`),
  };
}

function opKeccakDoor(url: string): BlobDoor {
  return {
    name: 'OP Stack, keccak',
    maxBytes: MAX_KECCAK_BYTES,
    put: async (payload) => {
      const name = `0x00${toHex(keccak256(payload)).slice(2)}`;
      await sent(`${url}/put/${name}`, { method: 'POST', headers: BINARY, body: payload });
      return name;
    },
    get: (name) => sent(`${url}/get/${name}`),
  };
}

function eigendaDoor(url: string): BlobDoor {
  const mode = 'commitment_mode=standard';
  return {
    name: 'EigenDA proxy',
    maxBytes: 16 * MIB,
    put: async (payload) =>
      toHex(await sent(`${url}/put?${mode}`, { method: 'POST', headers: BINARY, body: payload })),
    get: (certificate) => sent(`${url}/get/${certificate}?${mode}`),
  };
}

function nitroDoor(url: string): BlobDoor {
  const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: `daprovider_${method}`, params }),
    });
    const body = (await reply.json()) as { result?: unknown; error?: { message: string } };
    assert.equal(body.error, undefined, `${method}: ${body.error?.message}`);
    return body.result;
  };
  return {
    name: 'Nitro',
    maxBytes: 16 * MIB,
    put: async (payload) => {
      const timeout = `0x${(Math.floor(Date.now() / 1000) + NITRO_KEPT_SECONDS).toString(16)}`;
      const stored = await call('store', [toHex(payload), timeout]);
      return (stored as { 'serialized-da-cert': string })['serialized-da-cert'];
    },
    get: async (certificate) => {
      const message = `0x${'00'.repeat(NITRO_HEADER_BYTES)}${certificate.slice(2)}`;
      const params = ['0x1', `0x${'00'.repeat(32)}`, message];
      const { Payload } = (await call('recoverPayload', params)) as { Payload: string };
      return new Uint8Array(Buffer.from(Payload, 'base64'));
    },
  };
}

interface ZgHeader {
  readonly storage_root: Buffer;
  readonly epoch: string;
  readonly quorum_id: string;
}

type ZgCall = (request: object, done: (error: Error | null, reply: never) => void) => void;

function zgDoor(address: string): { readonly door: BlobDoor; close(): void } {
  const path = join(repositoryRoot, 'da-node/src/doors/zg-grpc/disperser.proto');
  const definition = loadSync(path, { keepCase: true, longs: String, enums: String });
  const { disperser } = loadPackageDefinition(definition) as unknown as {
    readonly disperser: { readonly Disperser: ServiceClientConstructor };
  };
  const client = new disperser.Disperser(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 300 * MIB,
    'grpc.max_send_message_length': 300 * MIB,
  });
  const call = <Reply>(method: string, request: object): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const send = (client as unknown as Readonly<Record<string, ZgCall>>)[method];
      send?.call(client, request, (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
  const door: BlobDoor = {
    name: '0G gRPC',
    maxBytes: MAX_ZG_BYTES,
    put: async (data) => {
      const { request_id } = await call<{ request_id: Buffer }>('DisperseBlob', { data });
      let found: ZgHeader | undefined;
      const isTaken = async (): Promise<boolean> => {
        const reply = await call<{ status: string; info?: { blob_header: ZgHeader } }>(
          'GetBlobStatus',
          { request_id },
        );
        found = FINAL_STATUSES.includes(reply.status) ? reply.info?.blob_header : undefined;
        return found !== undefined;
      };
      await until('the chain to take it', isTaken, TAKEN_WITHIN_MS);
      const { storage_root, epoch, quorum_id } = found ?? assert.fail();
      return JSON.stringify([storage_root.toString('hex'), epoch, quorum_id]);
    },
    get: async (name) => {
      const [root, epoch, quorum_id] = JSON.parse(name) as [string, string, string];
      const storage_root = Buffer.from(root, 'hex');
      const { data } = await call<{ data: Buffer }>('RetrieveBlob', {
        storage_root,
        epoch,
        quorum_id,
      });
      return data;
    },
  };
  return { door, close: () => client.close() };
}
