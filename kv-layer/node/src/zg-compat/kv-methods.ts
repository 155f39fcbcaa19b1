import type { KeySlice, StreamId, StreamReads, ValueSlice } from '@cairn/kv-layer';
import { isFault, type Json, sequenceOf } from '@cairn/primitives';
import {
  invalidParam,
  type JsonRpcHandler,
  type JsonRpcHandlers,
  type JsonRpcRequest,
} from '@cairn/wire-protocol';
import type { Answers } from '../answers.ts';
import { type KvParameter, KvParameters } from './kv-parameters.ts';
import { type WholeValueDeps, wholeForTypeScript, withAliases } from './workarounds.ts';

/** What the methods answer from. */
export interface KvMethodsDeps {
  readonly answers: Answers;
  readonly whole: WholeValueDeps;
}

/** What one method is given. */
interface Asked {
  readonly request: JsonRpcRequest;
  readonly parameters: KvParameters;
  readonly signal: AbortSignal;
}

/** The `kv_*` methods of 0G key-value nodes. */
export function kvMethods({ answers, whole }: KvMethodsDeps): JsonRpcHandlers {
  const method =
    (names: readonly KvParameter[], run: (asked: Asked) => Promise<Json>): JsonRpcHandler =>
    async (request, { signal }) => {
      try {
        return await run({ request, parameters: new KvParameters(request, names), signal });
      } catch (error) {
        throw refusalOf(error);
      }
    };

  /** The key that a walk finds, with a part of its value. */
  const find = async (
    { request, parameters, signal }: Asked,
    walk: (
      reads: StreamReads,
      stream: StreamId,
      options: Parameters<StreamReads['first']>[1],
    ) => Promise<KeySlice | undefined>,
  ): Promise<Json> => {
    const stream = parameters.stream();
    const asked = parameters.slice();
    const { reads } = answers;
    const options = { ...asked, ...parameters.version(), signal };
    const found = await walk(reads, stream, options);
    if (found === undefined) return null;
    const { key } = found;
    const { id } = request;
    const given = await wholeForTypeScript(
      found,
      { id, stream, key, ...asked },
      { reads, deps: whole, signal },
    );
    return keyJson(given);
  };

  const neighbour = ['stream_id', 'key', 'start_index', 'len', 'inclusive', 'version'] as const;
  const end = ['stream_id', 'start_index', 'len', 'version'] as const;
  return withAliases({
    kv_getStatus: method([], async () => true),

    kv_getValue: method(
      ['stream_id', 'key', 'start_index', 'len', 'version'],
      async ({ request, parameters, signal }) => {
        const [stream, key, asked] = [parameters.stream(), parameters.key(), parameters.slice()];
        const { reads } = answers;
        const slice = await reads.value(stream, key, { ...asked, ...parameters.version(), signal });
        const { id } = request;
        return valueJson(
          await wholeForTypeScript(
            slice,
            { id, stream, key, ...asked },
            { reads, deps: whole, signal },
          ),
        );
      },
    ),

    kv_getNext: method(neighbour, (asked) =>
      find(asked, (reads, stream, options) => {
        const [key, isInclusive] = [asked.parameters.key(), asked.parameters.isInclusive()];
        return reads.next(stream, key, { ...options, isInclusive });
      }),
    ),
    kv_getPrev: method(neighbour, (asked) =>
      find(asked, (reads, stream, options) => {
        const [key, isInclusive] = [asked.parameters.key(), asked.parameters.isInclusive()];
        return reads.previous(stream, key, { ...options, isInclusive });
      }),
    ),
    kv_getFirst: method(end, (asked) =>
      find(asked, (reads, stream, options) => reads.first(stream, options)),
    ),
    kv_getLast: method(end, (asked) =>
      find(asked, (reads, stream, options) => reads.last(stream, options)),
    ),

    kv_getTransactionResult: method(['tx_seq'], async ({ parameters }) => {
      const sequence = parameters.sequence();
      return sequence === undefined ? null : ((await answers.state.resultOf(sequence)) ?? null);
    }),

    kv_getHoldingStreamIds: method([], async () => [...answers.state.streams]),

    // The count of decided entries, though its description elsewhere reads "highest applied":
    // entry n is decided when this is above n.
    kv_getReplayProgress: method([], async () => {
      const { nextSequence, firstSequence } = answers.state;
      return {
        appliedSeq: nextSequence,
        firstTxSeq: firstSequence === sequenceOf(0) ? null : firstSequence,
      };
    }),

    kv_hasWritePermission: method(
      ['account', 'stream_id', 'key', 'version'],
      async ({ parameters, signal }) => {
        const [account, key] = [parameters.account(), parameters.key()];
        const options = { ...parameters.version(), signal };
        return answers.reads.hasWritePermission(parameters.stream(), { account, key }, options);
      },
    ),
    kv_isAdmin: method(['account', 'stream_id', 'version'], async ({ parameters, signal }) => {
      const options = { ...parameters.version(), signal };
      return answers.reads.isAdmin(parameters.stream(), parameters.account(), options);
    }),
    kv_isSpecialKey: method(['stream_id', 'key', 'version'], async ({ parameters, signal }) => {
      const options = { ...parameters.version(), signal };
      return answers.reads.isSpecialKey(parameters.stream(), parameters.key(), options);
    }),
    kv_isWriterOfKey: method(
      ['account', 'stream_id', 'key', 'version'],
      async ({ parameters, signal }) => {
        const [account, key] = [parameters.account(), parameters.key()];
        const options = { ...parameters.version(), signal };
        return answers.reads.isWriterOfKey(parameters.stream(), { account, key }, options);
      },
    ),
    kv_isWriterOfStream: method(
      ['account', 'stream_id', 'version'],
      async ({ parameters, signal }) => {
        const options = { ...parameters.version(), signal };
        return answers.reads.isWriterOfStream(parameters.stream(), parameters.account(), options);
      },
    ),
  });
}

function valueJson({ version, bytes, valueBytes }: ValueSlice): Json {
  return { version, data: base64Of(bytes), size: valueBytes };
}

function keyJson({ version, key, bytes, valueBytes }: KeySlice): Json {
  return { version, key: base64Of(key), data: base64Of(bytes), size: valueBytes };
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The state's faults in the words of the official node; others go through. */
function refusalOf(error: unknown): unknown {
  if (isFault(error, 'KV_TOO_MUCH')) return invalidParam('len', 'query length too large');
  if (isFault(error, 'KV_KEY_EMPTY')) return invalidParam('key', 'key is empty');
  if (isFault(error, 'KV_SLICE_START')) {
    return invalidParam('start_index', 'start index is greater than value length');
  }
  return error;
}
