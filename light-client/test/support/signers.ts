import type { Committee } from '@cairn/attestation';
import {
  arcRows,
  assignRows,
  type CommittedBlob,
  encodeRow,
  headerOf,
  type ProvenRow,
  rowsOf,
} from '@cairn/erasure-codec';
import {
  type Address,
  type Clock,
  type HttpReply,
  type HttpRequest,
  type HttpTransport,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { encodeRowReply, parseRowQuery, ROW_REPLY_TYPE } from '@cairn/wire-protocol/da';
import { suiteOf } from './blobs.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How a signer treats those who ask. */
export interface Manner {
  /** Rows it keeps from everyone. */
  readonly withholds?: (row: number) => boolean;
  /** Never answers. */
  readonly isSilent?: boolean;
  /** Milliseconds before it answers. */
  readonly delayMs?: number;
  /** Answers with this status. */
  readonly status?: number;
  /** Sends this instead of rows. */
  readonly body?: Uint8Array;
  /** Changes a reply's bytes. */
  readonly garble?: (body: Uint8Array) => Uint8Array;
  /** Changes a row before it is sent. */
  readonly lie?: (row: ProvenRow) => ProvenRow;
}

/** A request as a signer saw it. */
export interface SeenRequest {
  readonly signer: Address;
  readonly indexes: readonly number[];
  readonly form: string;
}

/** The signers of one blob, as a transport: each holds its own rows, and answers in its manner. */
export class MemorySigners implements HttpTransport {
  readonly seen: SeenRequest[] = [];
  /** Requests being answered at once, at most. */
  mostAtOnce = 0;
  readonly sockets: ReadonlyMap<Address, string>;
  readonly #blob: CommittedBlob;
  readonly #clock: VirtualClock | Clock;
  readonly #rows = new Map<Address, ReadonlySet<number>>();
  readonly #manners: (signer: number) => Manner;
  readonly #members: readonly Address[];
  #open = 0;

  constructor(
    blob: CommittedBlob,
    { members, snapshot }: Committee,
    clock: VirtualClock,
    manners: (signer: number) => Manner = () => ({}),
  ) {
    this.#blob = blob;
    this.#clock = clock;
    this.#manners = manners;
    this.#members = members.map(({ signer }) => signer);
    const suite = suiteOf(blob.suite);
    const seated = members.map(({ signer, seats }) => ({ id: signer, seats }));
    const place = { suite, commitment: blob.commitment, seed: snapshot.office.seed };
    for (const arc of assignRows(seated, blob.layout, place)) {
      this.#rows.set(arc.id, new Set(arcRows(arc, blob.layout)));
    }
    this.sockets = new Map(this.#members.map((signer) => [signer, `http://${signer}.test:31/`]));
  }

  /** Rows of a signer. */
  rowsOf(signer: Address): ReadonlySet<number> {
    return this.#rows.get(signer) ?? new Set();
  }

  async send(request: HttpRequest): Promise<HttpReply> {
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    try {
      return await this.#answer(request);
    } finally {
      this.#open -= 1;
    }
  }

  async close(): Promise<void> {
    this.seen.length = 0;
  }

  async #answer({ url, signal }: HttpRequest): Promise<HttpReply> {
    const { host, pathname, searchParams } = new URL(url);
    const signer = this.#members.find((member) => host === `${member}.test:31`) as Address;
    const { indexes, form } = parseRowQuery(searchParams.get('index'), searchParams.get('form'));
    this.seen.push({ signer, indexes, form });
    const manner = this.#manners(this.#members.indexOf(signer));
    if (manner.isSilent === true) {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    if (manner.delayMs !== undefined) await this.#clock.sleep(manner.delayMs, signal);
    signal.throwIfAborted();
    if (manner.status !== undefined) return replyOf(manner.status, utf8Bytes('no'));
    if (manner.body !== undefined) return replyOf(200, manner.body);
    const isThis = pathname === `/v1/da/blobs/${toHex(this.#blob.commitment)}/rows`;
    const { withholds = () => false, lie = (row) => row, garble = (body) => body } = manner;
    const held = indexes.filter((row) => this.rowsOf(signer).has(row) && !withholds(row));
    if (!isThis || held.length === 0) return replyOf(404, utf8Bytes('{}'));
    const rows = await rowsOf(this.#blob, held, { signal });
    const body = encodeRowReply(rows.map((row) => this.#encode(lie(row), form)));
    return replyOf(200, garble(body));
  }

  #encode(row: ProvenRow, form: string): Uint8Array {
    const { suite, layout } = this.#blob;
    if (form === 'bare') return encodeRow({ kind: 'bare', suite, layout, row });
    return encodeRow({ kind: 'full', header: headerOf(this.#blob), row });
  }
}

/** A reply of one part. */
export function replyOf(status: number, body: Uint8Array): HttpReply {
  return {
    status,
    headers: { 'content-type': ROW_REPLY_TYPE },
    async *stream() {
      yield body;
    },
    bytes: async () => body,
    discard: async () => undefined,
  };
}
