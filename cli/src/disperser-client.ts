import { createHash } from 'node:crypto';
import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type HttpReply,
  type HttpTransport,
  parseJson,
  type Root,
  rootOf,
  utf8Text,
} from '@cairn/primitives';
import { parseProblem } from '@cairn/wire-protocol';
import {
  BLOBS_PATH,
  type BlobReceipt,
  certificatePath,
  parseBlobReceipt,
  payloadPath,
  type ReceiptStage,
  receiptPath,
} from '@cairn/wire-protocol/da';
import { CliError } from './errors.ts';

/** A certificate of the largest quorum has far less. */
export const MAX_CERTIFICATE_BYTES = 1_048_576;
const MAX_JSON_BYTES = 65_536;
/** Time for the disperser to take a payload that it has received. */
const ACCEPT_MS = 60_000;
/** Time to gather the rows of a large blob. */
const READ_MS = 120_000;
/** Beyond what a disperser was told to wait. */
const SLACK_MS = 10_000;

/** How a payload is posted; what the disperser does unless told. */
export interface PostOptions {
  /** Whether it is paid for when it is confirmed, or first. */
  readonly order?: 'promise' | 'chain';
  /** Whether it is written to the log. */
  readonly archive?: boolean;
}

interface Waiting {
  readonly signal: AbortSignal;
}

/** A disperser as its callers see it. Everything it answers with is checked by them. */
export class DisperserClient {
  readonly #transport: HttpTransport = createNodeTransport();
  readonly #url: string;

  /** @param url - http or https */
  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  /** Posts a payload; it is on the disperser's disk then. @throws as `receipt` */
  async post(
    payload: Uint8Array,
    { order, archive, signal }: PostOptions & Waiting,
  ): Promise<BlobReceipt> {
    const query = new URLSearchParams({
      ...(order === undefined ? {} : { order }),
      ...(archive === undefined ? {} : { archive: String(archive) }),
    });
    const reply = await this.#transport.send({
      method: 'POST',
      url: `${this.#url}${BLOBS_PATH}${query.size === 0 ? '' : `?${query}`}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: payload,
      timeoutMs: ACCEPT_MS,
      signal,
    });
    return this.#receipt(reply);
  }

  /**
   * How far a blob is, at once or when it reached a stage or the time is over.
   *
   * @throws {CliError} CLI_REFUSED with the disperser's own code; {TransportError}; {WireError}
   */
  async receipt(
    id: Root,
    { signal, wait }: Waiting & { readonly wait?: { stage: ReceiptStage; timeoutSeconds: number } },
  ): Promise<BlobReceipt> {
    const timeoutMs = (wait?.timeoutSeconds ?? 0) * 1000 + SLACK_MS;
    return this.#receipt(await this.#get(receiptPath(id, wait), timeoutMs, signal));
  }

  /** What a blob's quorum signed. @throws as `receipt` */
  async certificate(id: Root, { signal }: Waiting): Promise<Uint8Array> {
    const reply = await this.#get(certificatePath(id), SLACK_MS, signal);
    await this.#requireGood(reply);
    return reply.bytes(MAX_CERTIFICATE_BYTES);
  }

  /** A blob's bytes, which are those of its id. @throws {CliError} CLI_MISMATCH; as `receipt` */
  async payload(id: Root, { signal }: Waiting): Promise<Uint8Array> {
    const reply = await this.#get(payloadPath(id), READ_MS, signal);
    await this.#requireGood(reply);
    const payload = await reply.bytes(MAX_PAYLOAD_BYTES);
    const actual = idOf(payload);
    if (actual === id) return payload;
    throw new CliError(
      { code: 'CLI_MISMATCH', expected: id, actual },
      `${this.#url} answers with another blob: SHA-256 ${actual}, not ${id}`,
    );
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #get(path: string, timeoutMs: number, signal: AbortSignal): Promise<HttpReply> {
    return this.#transport.send({ method: 'GET', url: `${this.#url}${path}`, timeoutMs, signal });
  }

  async #receipt(reply: HttpReply): Promise<BlobReceipt> {
    await this.#requireGood(reply);
    return parseBlobReceipt(parseJson(utf8Text(await reply.bytes(MAX_JSON_BYTES))));
  }

  async #requireGood(reply: HttpReply): Promise<void> {
    const { status } = reply;
    if (status === 200 || status === 202) return;
    const { code, detail } = await problemOf(reply);
    throw new CliError(
      { code: 'CLI_REFUSED', url: this.#url, status, fault: code },
      `${this.#url} refuses: ${detail}`,
    );
  }
}

/** The id of a blob: the SHA-256 of its bytes. */
export function idOf(payload: Uint8Array): Root {
  return rootOf(createHash('sha256').update(payload).digest());
}

async function problemOf(
  reply: HttpReply,
): Promise<{ readonly code: string; readonly detail: string }> {
  try {
    return parseProblem(parseJson(utf8Text(await reply.bytes(MAX_JSON_BYTES))));
  } catch {
    return { code: `HTTP_${reply.status}`, detail: `status ${reply.status}` }; // no door of ours
  }
}
