import { isAscii } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BatchError, parseStreamId, type ValueSlice } from '@cairn/kv-layer';
import { isRecord, type Logger, MAX_VALUE_SLICE_BYTES, parseJson } from '@cairn/primitives';
import { decodeBase64, WireError } from '@cairn/wire-protocol';
import type { Answers } from '../answers.ts';
import { withPrefix } from '../zg-compat/workarounds.ts';
import { KeptAnswers } from './kept-answers.ts';
import { sendAscii } from './send-json.ts';

/** Longer bodies have long keys, for which parsing is most of the work anyway. */
const MAX_BODY_BYTES = 16_384;

/** The address of a value, as it is most often asked for. */
const VALUE_ADDRESS = /^\/v1\/streams\/(0x[0-9a-f]{64})\/value\?key=([\w-]{1,8192})$/;
/** The longest value that is asked for where nobody says. */
const WHOLE = { start: 0, length: MAX_VALUE_SLICE_BYTES } as const;

/** Ids that JSON writes as they are. */
const PLAIN_ID = /^[\w .:/-]{0,128}$/;

const NO_STORE = ['cache-control', 'no-store'] as const;

/** What quick answers are made from. */
export interface QuickValuesDeps {
  readonly answers: Pick<Answers, 'reads' | 'state'>;
  readonly logger: Logger;
  /** Told of each call that was answered. */
  readonly onAnswer: () => void;
}

/**
 * Answers one `kv_getValue`, or `GET` of one value, without a promise, a signal or a turn, since nothing is waited for. Only
 * what is asked as the documentation says and is there at once; everything else, above all what is to
 * be refused, is left to the method. Answers are texts of ASCII alone.
 */
export class QuickValues {
  readonly #deps: QuickValuesDeps;
  readonly #kept: KeptAnswers;

  constructor(deps: QuickValuesDeps) {
    this.#deps = deps;
    this.#kept = new KeptAnswers(deps.answers);
  }

  /** The answer to a JSON-RPC body; `undefined` if it is none of these. */
  answer(body: Buffer): string | undefined {
    if (body.length > MAX_BODY_BYTES || !isAscii(body)) return undefined;
    const call = callOf(body.toString('latin1'));
    if (call === undefined) return undefined;
    const { id, method, params, jsonrpc } = call;
    if (method !== 'kv_getValue' || jsonrpc !== '2.0' || !Array.isArray(params)) return undefined;
    const idText = textOfId(id);
    if (idText === undefined) return undefined;
    const result = this.#result(params);
    if (result === undefined) return undefined;
    this.#deps.onAnswer();
    return `{"jsonrpc":"2.0","result":${result},"id":${idText}}`;
  }

  /** Answers a `GET` of a value if it can at once. */
  readonly take = (request: IncomingMessage, reply: ServerResponse): boolean => {
    const { method, url } = request;
    if (method !== 'GET' || url === undefined) return false;
    const kept = this.#kept.get(url);
    const text = kept ?? this.#valueAt(url);
    if (text === undefined) return false;
    if (kept === undefined) this.#kept.keep(url, text);
    this.#deps.onAnswer();
    sendAscii(reply, text, NO_STORE);
    return true;
  };

  #valueAt(url: string): string | undefined {
    const [, stream, text] = VALUE_ADDRESS.exec(url) ?? [];
    if (stream === undefined || text === undefined) return undefined;
    const key = Buffer.from(text, 'base64url');
    // What decoding bends is refused by the route.
    if (key.toString('base64url') !== text) return undefined;
    return this.#read(() => this.#deps.answers.reads.valueNow(parseStreamId(stream), key, WHOLE));
  }

  #result(params: readonly unknown[]): string | undefined {
    const [stream, key, start, length, version = null] = params;
    if (typeof stream !== 'string' || typeof key !== 'string') return undefined;
    if (!isNatural(start) || !isNatural(length)) return undefined;
    if (version !== null && !isNatural(version)) return undefined;
    const isWhole = version === null && start === WHOLE.start && length === WHOLE.length;
    // Which stream and which key no other two have so, and no address.
    const name = isWhole ? `${stream.length} ${stream} ${key}` : undefined;
    const kept = name === undefined ? undefined : this.#kept.get(name);
    if (kept !== undefined) return kept;
    const asked = version === null ? { start, length } : { start, length, version };
    const text = this.#read(() => {
      const id = parseStreamId(withPrefix(stream));
      return this.#deps.answers.reads.valueNow(id, decodeBase64(key), asked);
    });
    if (name !== undefined && text !== undefined) this.#kept.keep(name, text);
    return text;
  }

  /** What fails is asked for in its turn, where it is answered as faults are. */
  #read(read: () => ValueSlice | undefined): string | undefined {
    try {
      const value = read();
      return value && resultText(value);
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

/** The id of a call as it is answered; `undefined` for one that is left to the method. */
function textOfId(id: unknown): string | undefined {
  if (typeof id === 'number') return Number.isSafeInteger(id) ? String(id) : undefined;
  return typeof id === 'string' && PLAIN_ID.test(id) ? `"${id}"` : undefined;
}

function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function resultText({ version, bytes, valueBytes }: ValueSlice): string {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return `{"version":${version},"data":"${data}","size":${valueBytes}}`;
}
