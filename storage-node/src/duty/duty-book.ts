import { dutyEventPages, type Possession } from '@cairn/chain-access/possession';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  isRecord,
  type KeyValueStore,
  type KeyValueWrite,
  parseJson,
  readSafeU64,
  utf8Bytes,
  utf8Text,
  viewOf,
} from '@cairn/primitives';
import { DUTY_BOOK_KEY, DUTY_PAST_PREFIX, DUTY_SET_PREFIX } from '../keyspace.ts';
import { DutyError } from './errors.ts';

/** Files of a duty at most: their tree takes 64 bytes each, and all of them are counted each period. */
const MAX_FILES = 65_536;
/** Duties of an account at most: each costs some requests a period. */
const MAX_DUTIES = 1024;

/** What became of a duty's periods so far. */
export interface DutyPast {
  /** Up to which period, itself included, it was looked at. */
  readonly through: number;
  readonly answered: number;
  readonly missed: number;
  /** 0 where there is none. */
  readonly lastAnswered: number;
  readonly lastMissed: number;
}

/**
 * The duties of one account, with the numbers of their files, from the contract's events: read once,
 * each page of blocks noted with what it brought, so that a restart goes on where it was.
 */
export class DutyBook {
  readonly #kv: KeyValueStore;
  readonly #contract: Address;
  readonly #provider: Address;
  readonly #sets = new Map<number, readonly number[]>();
  #throughBlock: number | undefined;

  private constructor(kv: KeyValueStore, contract: Address, provider: Address) {
    this.#kv = kv;
    this.#contract = contract;
    this.#provider = provider;
  }

  /** What was noted of this contract and account; of others nothing is kept. @throws what the store throws */
  static async open(
    kv: KeyValueStore,
    { contract, provider }: { readonly contract: Address; readonly provider: Address },
    signal: AbortSignal,
  ): Promise<DutyBook> {
    const book = new DutyBook(kv, contract, provider);
    const noted = parse(await kv.get(DUTY_BOOK_KEY));
    const { block } = noted ?? {};
    const isOurs = noted?.['contract'] === contract && noted['provider'] === provider;
    if (!isOurs || typeof block !== 'number') {
      await book.#drop([DUTY_SET_PREFIX, DUTY_PAST_PREFIX], signal);
      return book;
    }
    for await (const [key, value] of kv.entries(rangeOf(DUTY_SET_PREFIX), { signal })) {
      const list = parse(value)?.['sequences'];
      if (Array.isArray(list)) book.#sets.set(idOf(key, DUTY_SET_PREFIX), list.map(Number));
    }
    book.#throughBlock = block;
    return book;
  }

  /** Numbers of duties, ascending, with the numbers of their files in the log. */
  get sets(): ReadonlyMap<number, readonly number[]> {
    return this.#sets;
  }

  /** The last block that was read. */
  get throughBlock(): number | undefined {
    return this.#throughBlock;
  }

  /**
   * Reads on, up to a block that is final.
   *
   * @throws {DutyError} DUTY_TOO_MANY, DUTY_SET_TOO_LARGE; as `dutyEventPages`
   */
  async readUpTo(
    possession: Possession,
    { toBlock, pageBlocks }: { readonly toBlock: number; readonly pageBlocks: number },
    signal: AbortSignal,
  ): Promise<void> {
    const from = this.#throughBlock === undefined ? {} : { fromBlock: this.#throughBlock + 1 };
    const range = { ...from, toBlock, pageBlocks };
    for await (const { throughBlock, events } of dutyEventPages(possession, range, { signal })) {
      const changed = new Map<number, readonly number[]>();
      for (const event of events) {
        const { id } = event;
        const before = changed.get(id) ?? this.#sets.get(id);
        if (event.kind === 'opened') {
          if (event.provider === this.#provider) changed.set(id, []);
        } else if (before !== undefined) {
          changed.set(id, this.#joined(id, before, event.sequences));
        }
      }
      await this.#note(throughBlock, changed);
    }
  }

  /** What is known of a duty's past; nothing before it was looked at. @throws what the store throws */
  async pastOf(id: number): Promise<DutyPast | undefined> {
    const found = parse(await this.#kv.get(keyOf(DUTY_PAST_PREFIX, id)));
    if (found === undefined) return undefined;
    const number = (name: string): number => Number(found[name] ?? 0);
    return {
      through: number('through'),
      answered: number('answered'),
      missed: number('missed'),
      lastAnswered: number('lastAnswered'),
      lastMissed: number('lastMissed'),
    };
  }

  /** Notes what became of a duty's periods. @throws what the store throws */
  async notePast(id: number, past: DutyPast): Promise<void> {
    await this.#kv.write([put(keyOf(DUTY_PAST_PREFIX, id), { ...past })]);
  }

  /** Has the contract be read from its first block again; what became of periods stays. @throws what the store throws */
  async reread(signal: AbortSignal): Promise<void> {
    await this.#drop([DUTY_SET_PREFIX], signal);
    this.#sets.clear();
    this.#throughBlock = undefined;
  }

  async #drop(prefixes: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const batch: KeyValueWrite[] = [{ type: 'delete', key: DUTY_BOOK_KEY }];
    for (const prefix of prefixes) {
      for await (const [key] of this.#kv.entries(rangeOf(prefix), { signal })) {
        batch.push({ type: 'delete', key });
      }
    }
    await this.#kv.write(batch);
  }

  #joined(id: number, before: readonly number[], added: readonly number[]): readonly number[] {
    const files = before.length + added.length;
    if (files <= MAX_FILES) return [...before, ...added];
    throw new DutyError(
      { code: 'DUTY_SET_TOO_LARGE', id, files, most: MAX_FILES },
      `duty ${id} is of ${files} files; a node keeps duties of up to ${MAX_FILES}`,
    );
  }

  async #note(block: number, changed: ReadonlyMap<number, readonly number[]>): Promise<void> {
    const [contract, provider] = [this.#contract, this.#provider];
    const batch = [put(DUTY_BOOK_KEY, { contract, provider, block })];
    const duties = new Set([...this.#sets.keys(), ...changed.keys()]).size;
    if (duties > MAX_DUTIES) {
      throw new DutyError(
        { code: 'DUTY_TOO_MANY', duties, most: MAX_DUTIES },
        `${provider} has taken on ${duties} duties; a node keeps up to ${MAX_DUTIES}`,
      );
    }
    for (const [id, sequences] of changed) {
      batch.push(put(keyOf(DUTY_SET_PREFIX, id), { sequences }));
    }
    await this.#kv.write(batch);
    for (const [id, sequences] of changed) this.#sets.set(id, sequences);
    this.#throughBlock = block;
  }
}

function put(key: Uint8Array, value: object): KeyValueWrite {
  return { type: 'put', key, value: utf8Bytes(JSON.stringify(value)) };
}

function keyOf(prefix: Uint8Array, id: number): Uint8Array {
  return concatBytes(prefix, bigEndianBytes(id, 8));
}

function idOf(key: Uint8Array, prefix: Uint8Array): number {
  return readSafeU64(viewOf(key), prefix.length);
}

function rangeOf(prefix: Uint8Array): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  return { gte: prefix, lt: concatBytes(prefix, new Uint8Array(9).fill(255)) };
}

function parse(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> | undefined {
  if (bytes === undefined) return undefined;
  const value: unknown = parseJson(utf8Text(bytes));
  return isRecord(value) ? value : undefined;
}
