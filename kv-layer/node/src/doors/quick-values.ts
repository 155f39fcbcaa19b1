import { isAscii } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BatchError, parseStreamId, type ValueSlice } from '@cairn/kv-layer';
import { isRecord, type Logger, MAX_VALUE_SLICE_BYTES, parseJson } from '@cairn/primitives';
import { decodeBase64, WireError } from '@cairn/wire-protocol';
import type { Answers } from '../answers.ts';
import { withPrefix } from '../zg-compat/workarounds.ts';
import { sendJson } from './send-json.ts';

/** Longer bodies have long keys, for which parsing is most of the work anyway. */
const MAX_BODY_BYTES = 16_384;

/** The address of a value, as it is most often asked for. */
const VALUE_ADDRESS = /^\/v1\/streams\/(0x[0-9a-f]{64})\/value\?key=([\w-]{1,8192})$/;
/** The longest value that is asked for where nobody says. */
const WHOLE = { start: 0, length: MAX_VALUE_SLICE_BYTES } as const;

const NO_STORE = ['cache-control', 'no-store'] as const;

/** What quick answers are made from. */
export interface QuickValuesDeps {
  readonly answers: Pick<Answers, 'reads'>;
  readonly logger: Logger;
  /** Told of each call that was answered. */
  readonly onAnswer: () => void;
}

/**
 * Answers one `kv_getValue`, or `GET` of one value, without a promise, a signal or a turn, since nothing is waited for. Only
 * what is asked as the documentation says and is there at once; everything else, above all what is to
 * be refused, is left to the method.
 */
export class QuickValues {
  readonly #deps: QuickValuesDeps;

  constructor(deps: QuickValuesDeps) {
    this.#deps = deps;
  }

  /** The answer to a JSON-RPC body; `undefined` if it is none of these. */
  answer(body: Buffer): string | undefined {
    if (body.length > MAX_BODY_BYTES || !isAscii(body)) return undefined;
    const call = callOf(body.toString('latin1'));
    if (call === undefined) return undefined;
    const { id, method, params, jsonrpc } = call;
    const isId = typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id));
    if (!isId || method !== 'kv_getValue' || jsonrpc !== '2.0' || !Array.isArray(params)) {
      return undefined;
    }
    const value = this.#value(params);
    if (value === undefined) return undefined;
    this.#deps.onAnswer();
    return `{"jsonrpc":"2.0","result":${resultText(value)},"id":${JSON.stringify(id)}}`;
  }

  /** Answers a `GET` of a value if it can at once. */
  readonly take = (request: IncomingMessage, reply: ServerResponse): boolean => {
    if (request.method !== 'GET') return false;
    const [, stream, text] = VALUE_ADDRESS.exec(request.url ?? '') ?? [];
    if (stream === undefined || text === undefined) return false;
    const key = Buffer.from(text, 'base64url');
    // What decoding bends is refused by the route.
    if (key.toString('base64url') !== text) return false;
    const value = this.#read(() => {
      return this.#deps.answers.reads.valueNow(parseStreamId(stream), key, WHOLE);
    });
    if (value === undefined) return false;
    this.#deps.onAnswer();
    sendJson(reply, resultText(value), NO_STORE);
    return true;
  };

  #value(params: readonly unknown[]): ValueSlice | undefined {
    const [stream, key, start, length, version = undefined] = params;
    if (typeof stream !== 'string' || typeof key !== 'string') return undefined;
    if (!isNatural(start) || !isNatural(length)) return undefined;
    if (version !== undefined && version !== null && !isNatural(version)) return undefined;
    const pin = typeof version === 'number' ? { version } : {};
    return this.#read(() => {
      const asked = { start, length, ...pin };
      const name = parseStreamId(withPrefix(stream));
      return this.#deps.answers.reads.valueNow(name, decodeBase64(key), asked);
    });
  }

  /** What fails is asked for in its turn, where it is answered as faults are. */
  #read(read: () => ValueSlice | undefined): ValueSlice | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BatchError) && !(error instanceof WireError)) {
        this.#deps.logger.debug({ error }, 'a value could not be read at once');
      }
      return undefined;
    }
  }
}

function callOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const call = parseJson(text);
    return isRecord(call) ? call : undefined;
  } catch {
    return undefined; // whatever is wrong with it, the method's door says
  }
}

function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function resultText({ version, bytes, valueBytes }: ValueSlice): string {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return `{"version":${version},"data":"${data}","size":${valueBytes}}`;
}
