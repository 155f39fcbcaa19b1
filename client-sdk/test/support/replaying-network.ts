import { loadHasher } from '@cairn/commitments';
import { memoryBatchSource, type StreamId, StreamReads, StreamState } from '@cairn/kv-layer';
import {
  type Address,
  chainIdOf,
  type HttpTransport,
  isRecord,
  memoryFileStore,
  memoryKeyValueStore,
  parseAddress,
  rootOf,
  type Sequence,
  sequenceOf,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { decodeBase64, encodeBase64 } from '@cairn/wire-protocol';
import type { FilesClient, PutReceipt } from '../../src/client.ts';

const FLOW = parseAddress(`0x${'f1'.repeat(20)}`);

/** Log entries that are replayed by the real rules, without a chain, storage nodes or sockets. */
export class ReplayingNetwork implements HttpTransport {
  /** Who sends what is stored from now on. */
  sender: Address = parseAddress(`0x${'a1'.repeat(20)}`);
  /** Told before a batch is stored. */
  beforeStored: (() => Promise<void>) | undefined;
  readonly stored: { readonly bytes: Uint8Array; readonly resubmit: string | undefined }[] = [];
  #state: StreamState | undefined;
  #reads: StreamReads | undefined;

  static async watching(streams: readonly StreamId[]): Promise<ReplayingNetwork> {
    const network = new ReplayingNetwork();
    const { signal } = new AbortController();
    const state = await StreamState.open(
      { kv: memoryKeyValueStore(), values: memoryFileStore(), hasher: await loadHasher() },
      { chainId: chainIdOf(31_337), flow: FLOW, streams },
      { signal },
    );
    network.#state = state;
    network.#reads = new StreamReads(state);
    return network;
  }

  get files(): Pick<FilesClient, 'put'> {
    return {
      put: async (input, { tags = new Uint8Array(0), resubmit } = {}) => {
        await this.beforeStored?.();
        const bytes = input as Uint8Array;
        this.stored.push({ bytes, resubmit });
        const sequence = await this.apply(bytes, tags);
        return { root: rootOf(new Uint8Array(32)), sequence } as PutReceipt;
      },
    };
  }

  /** The next log entry. */
  async apply(bytes: Uint8Array, tags: Uint8Array): Promise<Sequence> {
    const state = this.#state ?? raise();
    const sequence = sequenceOf(state.nextSequence);
    const source = memoryBatchSource(bytes);
    await state.apply([{ sequence, sender: this.sender, tags, timeSeconds: 1, source }], {
      signal: new AbortController().signal,
    });
    return sequence;
  }

  async send({ body }: Parameters<HttpTransport['send']>[0]): ReturnType<HttpTransport['send']> {
    const call: unknown = JSON.parse(
      utf8Text((body as Uint8Array | undefined) ?? new Uint8Array()),
    );
    const { method, params } = isRecord(call) ? call : {};
    const result = await this.#answer(String(method), Array.isArray(params) ? params : []);
    const bytes = utf8Bytes(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      bytes: async () => bytes,
      discard: async () => undefined,
    } as unknown as Awaited<ReturnType<HttpTransport['send']>>;
  }

  async close(): Promise<void> {}

  // biome-ignore lint/suspicious/noExplicitAny: parameters as they came
  async #answer(method: string, params: readonly any[]): Promise<unknown> {
    const state = this.#state ?? raise();
    const reads = this.#reads ?? raise();
    const { signal } = new AbortController();
    const slice = (found: { version: number; valueBytes: number; bytes: Uint8Array }) => ({
      version: found.version,
      size: found.valueBytes,
      data: encodeBase64(found.bytes),
    });
    const keyed = (found: Awaited<ReturnType<StreamReads['next']>>) =>
      found === undefined ? null : { ...slice(found), key: encodeBase64(found.key) };
    const [stream, key, start, length, fourth, fifth] = params;
    switch (method) {
      case 'kv_getReplayProgress':
        return { appliedSeq: state.nextSequence, firstTxSeq: null };
      case 'kv_getTransactionResult':
        return (await state.resultOf(sequenceOf(stream))) ?? null;
      case 'kv_getHoldingStreamIds':
        return state.streams;
      case 'kv_getValue':
        return slice(
          await reads.value(stream, decodeBase64(key), { start, length, version: fourth, signal }),
        );
      case 'kv_getNext':
      case 'kv_getPrev': {
        const options = { start, length, isInclusive: fourth, version: fifth, signal };
        const go = method === 'kv_getNext' ? reads.next : reads.previous;
        return keyed(await go.call(reads, stream, decodeBase64(key), options));
      }
      case 'kv_getFirst':
        return keyed(
          await reads.first(stream, { start: key, length: start, version: length, signal }),
        );
      case 'kv_getLast':
        return keyed(
          await reads.last(stream, { start: key, length: start, version: length, signal }),
        );
      case 'kv_isWriterOfStream':
        return reads.isWriterOfStream(key, stream, { signal });
      default:
        throw new Error(`${method} is not answered here`);
    }
  }
}

function raise(): never {
  throw new Error('the network is not open');
}
