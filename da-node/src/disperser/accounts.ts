import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock, KeyValueStore } from '@cairn/primitives';
import { stringifyJson, utf8Bytes } from '@cairn/primitives';
import { DispersalError } from './errors.ts';
import { KEYS } from './keyspace.ts';
import { decodeStored } from './stored-json.ts';

/** Who posts, as far as a door can tell. */
export interface Caller {
  /** What it showed as its API key; `undefined` for none. */
  readonly apiKey: string | undefined;
}

/** Decides who may post how much. */
export interface Accounts {
  /** Whether it is a caller at all, before anything is read of it. @throws {DispersalError} ACCOUNT_UNKNOWN */
  requireAccount(caller: Caller): void;
  /**
   * The caller's account, charged with `bytes`. A blob that is there already is charged to nobody.
   *
   * @throws {DispersalError} ACCOUNT_UNKNOWN, ACCOUNT_BUDGET
   */
  charge(caller: Caller, bytes: number): Promise<string>;
}

/** Takes from everybody: for networks where whoever reaches the door pays some other way. */
export function openAccounts(): Accounts {
  return { requireAccount: () => undefined, charge: async () => 'open' };
}

/** An API key and what it may post. */
export interface KeyAccount {
  /** As records and logs call it; never the key. */
  readonly name: string;
  /** SHA-256 of the key: keys themselves are kept nowhere here. */
  readonly keyHash: Uint8Array;
  /** Bytes of payload a period. */
  readonly budgetBytes: number;
}

/** What key accounts work with. */
export interface KeyAccountsDeps {
  readonly index: KeyValueStore;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Takes from holders of API keys, each within its budget of bytes a period. What was used is on the
 * disk before a blob is accepted.
 *
 * @param periodMs - budgets are full again with each; counted from the Unix epoch
 */
export function keyAccounts(
  { index, clock }: KeyAccountsDeps,
  accounts: readonly KeyAccount[],
  periodMs: number,
): Accounts {
  let turn: Promise<unknown> = Promise.resolve();
  const charge = async (account: KeyAccount, bytes: number): Promise<string> => {
    const { name, budgetBytes } = account;
    const period = Math.floor(clock.now() / periodMs);
    const used = await usedOf(index, name);
    const usedBytes = used.period === period ? used.bytes : 0;
    if (usedBytes + bytes > budgetBytes) {
      throw new DispersalError(
        { code: 'ACCOUNT_BUDGET', usedBytes, budgetBytes, askedBytes: bytes },
        `${usedBytes} of ${budgetBytes} bytes of this period are used; ${bytes} more were asked for`,
      );
    }
    const value = utf8Bytes(stringifyJson({ period, bytes: usedBytes + bytes }));
    await index.write([{ type: 'put', key: KEYS.account(name), value }], { sync: true });
    return name;
  };
  const required = ({ apiKey }: Caller): KeyAccount => {
    const account = apiKey === undefined ? undefined : accountOf(accounts, apiKey);
    if (account !== undefined) return account;
    throw new DispersalError({ code: 'ACCOUNT_UNKNOWN' }, 'blobs are taken with a known API key');
  };
  return {
    requireAccount: (caller) => {
      required(caller);
    },
    charge: async (caller, bytes) => {
      const account = required(caller);
      // One after another: two at once would both see what the other has not written yet.
      const charged = turn.then(() => charge(account, bytes));
      turn = charged.catch(() => undefined);
      return charged;
    },
  };
}

function accountOf(accounts: readonly KeyAccount[], apiKey: string): KeyAccount | undefined {
  const hash = createHash('sha256').update(apiKey).digest();
  return accounts.find(({ keyHash }) => timingSafeEqual(keyHash, hash));
}

async function usedOf(
  index: KeyValueStore,
  name: string,
): Promise<{ readonly period: number; readonly bytes: number }> {
  const value = await index.get(KEYS.account(name));
  if (value === undefined) return { period: 0, bytes: 0 };
  return decodeStored('an account', value, (fields) => ({
    period: Number(fields['period']),
    bytes: Number(fields['bytes']),
  }));
}
