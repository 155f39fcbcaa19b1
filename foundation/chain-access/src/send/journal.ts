import {
  type Hex,
  isHexOf,
  isRecord,
  type KeyValueStore,
  type KeyValueWrite,
  parseJson,
  stringifyJson,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { TransactionError } from './errors.ts';
import { DONE_PREFIX, intentKey, laneRange, OPEN_PREFIX } from './keyspace.ts';

/** One signed form of a transaction. Forms of a round share its nonce, so at most one can be mined. */
export interface Variant {
  readonly hash: Hex;
  readonly raw: Hex;
  /** Wei per gas offered: maxFeePerGas, or gasPrice. */
  readonly feePerGas: bigint;
  /** Wei per gas of it for the block's maker; 0 for legacy. */
  readonly tipPerGas: bigint;
}

/** One attempt at an intent: a nonce and every form that was signed with it. */
export interface Round {
  readonly nonce: number;
  /** Height of the newest block when the first form was signed: the nonce was free up to here. */
  readonly signedAtBlock: number;
  readonly variants: readonly Variant[];
  /** value + gas limit · fee of the dearest form: what the account must be able to pay. */
  readonly costWei: bigint;
  /**
   * `live`: may be in a block, now or later. `refused`: the endpoint turned it away, so its nonce
   * may be given to others, though it still counts until proven dead. `dead`: proven never to take
   * effect.
   */
  readonly state: 'live' | 'refused' | 'dead';
}

/** What the journal knows about an intent. */
export interface IntentRecord {
  readonly intent: string;
  /** keccak-256 over recipient and data: the same intent must stay the same call. */
  readonly fingerprint: Hex;
  /** Oldest first; only the last can be live. */
  readonly rounds: readonly Round[];
  /** The form that a block holds; known once the wait for it ended. */
  readonly mined: { readonly hash: Hex; readonly succeeded: boolean } | undefined;
}

/** The records of one lane. Every write is on the disk before it resolves. */
export class Journal {
  readonly #store: KeyValueStore;
  readonly #lane: Uint8Array;

  constructor(store: KeyValueStore, lane: Uint8Array) {
    this.#store = store;
    this.#lane = lane;
  }

  async find(intent: string): Promise<IntentRecord | undefined> {
    const keys = [OPEN_PREFIX, DONE_PREFIX].map((prefix) => intentKey(prefix, this.#lane, intent));
    const [open, done] = await this.#store.getMany(keys);
    const value = open ?? done;
    return value === undefined ? undefined : parseRecord(value);
  }

  /** Every intent that is not settled. */
  async open(signal: AbortSignal): Promise<IntentRecord[]> {
    const records: IntentRecord[] = [];
    for await (const [, value] of this.#store.entries(laneRange(OPEN_PREFIX, this.#lane), {
      signal,
    })) {
      records.push(parseRecord(value));
    }
    return records;
  }

  /** Stores `record` among the open ones, or among the settled ones once it is mined for good. */
  async put(record: IntentRecord): Promise<void> {
    const settled = record.mined !== undefined;
    const [to, from] = settled ? [DONE_PREFIX, OPEN_PREFIX] : [OPEN_PREFIX, DONE_PREFIX];
    const batch: KeyValueWrite[] = [
      {
        type: 'put',
        key: intentKey(to, this.#lane, record.intent),
        value: utf8Bytes(formatRecord(record)),
      },
      { type: 'delete', key: intentKey(from, this.#lane, record.intent) },
    ];
    await this.#store.write(batch, { sync: true });
  }
}

function formatRecord({ intent, fingerprint, rounds, mined }: IntentRecord): string {
  return stringifyJson({
    version: 1,
    intent,
    fingerprint,
    mined: mined === undefined ? null : { ...mined },
    rounds: rounds.map(({ nonce, signedAtBlock, variants, costWei, state }) => ({
      nonce,
      signedAtBlock,
      costWei: costWei.toString(),
      state,
      variants: variants.map(({ hash, raw, feePerGas, tipPerGas }) => ({
        hash,
        raw,
        feePerGas: feePerGas.toString(),
        tipPerGas: tipPerGas.toString(),
      })),
    })),
  });
}

function parseRecord(value: Uint8Array): IntentRecord {
  let file: unknown;
  try {
    file = parseJson(utf8Text(value));
  } catch (error) {
    throw damaged('it is not JSON', error);
  }
  if (!isRecord(file) || file['version'] !== 1) throw damaged('its version is not 1');
  const { intent, fingerprint, rounds, mined } = file;
  if (typeof intent !== 'string') throw damaged('it has no intent');
  return {
    intent,
    fingerprint: hash(fingerprint),
    rounds: list(rounds).map(parseRound),
    mined: isRecord(mined)
      ? { hash: hash(mined['hash']), succeeded: mined['succeeded'] === true }
      : undefined,
  };
}

function parseRound(item: unknown): Round {
  if (!isRecord(item)) throw damaged('a round is not an object');
  const { state } = item;
  if (state !== 'live' && state !== 'refused' && state !== 'dead') {
    throw damaged('a round has no state');
  }
  return {
    nonce: natural(item['nonce']),
    signedAtBlock: natural(item['signedAtBlock']),
    costWei: amount(item['costWei']),
    state,
    variants: list(item['variants']).map((variant) => {
      if (!isRecord(variant)) throw damaged('a form is not an object');
      const { raw } = variant;
      if (typeof raw !== 'string' || !/^0x([0-9a-f]{2})+$/.test(raw)) {
        throw damaged('a form has no bytes');
      }
      return {
        hash: hash(variant['hash']),
        raw: raw as Hex,
        feePerGas: amount(variant['feePerGas']),
        tipPerGas: amount(variant['tipPerGas']),
      };
    }),
  };
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged('a list is missing');
  return value;
}

function hash(value: unknown): Hex {
  if (!isHexOf(value, 32)) throw damaged('a hash is missing');
  return value;
}

function natural(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw damaged('a number is missing');
  }
  return value;
}

function amount(value: unknown): bigint {
  if (typeof value !== 'string' || !/^[0-9]{1,78}$/.test(value))
    throw damaged('an amount is missing');
  return BigInt(value);
}

function damaged(reason: string, cause?: unknown): TransactionError {
  return new TransactionError(
    { code: 'TX_JOURNAL_DAMAGED', reason },
    `a record of the transaction journal cannot be read: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
