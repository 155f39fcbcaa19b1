import type { ChainClient } from '@cairn/chain-access';
import type { SenderSource } from '@cairn/kv-layer';
import type { LogEntry } from '@cairn/log-layer';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  forEachConcurrent,
  fromHex,
  type Hex,
  type KeyValueStore,
  type KeyValueWrite,
  parseAddress,
  readSafeU64,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { KvNodeError } from '../errors.ts';
import { SENDER_PREFIX, TIME_PREFIX } from '../keyspace.ts';

/** Questions to the chain under way at once. */
const ASK_PARALLEL = 16;

/** What the log does not say of an entry and replay needs. */
export interface EntryFacts {
  /** Who is judged as its writer. */
  readonly sender: Address;
  /** Time of its block. */
  readonly timeSeconds: number;
}

/** What asking works with. */
export interface EntryFactsDeps {
  readonly client: Pick<ChainClient, 'getBlock' | 'getTransaction'>;
  readonly kv: KeyValueStore;
}

/**
 * Asks the chain for the times of blocks and the signers of transactions, each once: what was
 * learnt is kept under the hash it was asked for, so that a reorganisation cannot mix it up and a
 * replay from the start asks nothing again.
 */
export class EntryFactsBook {
  readonly #deps: EntryFactsDeps;
  readonly #senders: SenderSource;

  constructor(deps: EntryFactsDeps, { senders }: { readonly senders: SenderSource }) {
    this.#deps = deps;
    this.#senders = senders;
  }

  /**
   * Facts of entries, in their order. The signer is asked for only where `needsSender` says so; the
   * others get the submitter that the event names, which nobody looks at.
   *
   * @throws {KvNodeError} KV_CHAIN_MOVED if the chain does not hold a block or transaction any more;
   * {ChainError}; what the store throws
   */
  async of(
    entries: readonly LogEntry[],
    needsSender: (entry: LogEntry) => boolean,
    signal: AbortSignal,
  ): Promise<readonly EntryFacts[]> {
    const byHash = new Map(entries.map((entry) => [entry.block.hash, entry]));
    const asked = entries.filter((entry) => this.#senders === 'transaction' && needsSender(entry));
    const byTransaction = new Map(asked.map((entry) => [entry.transactionHash, entry]));
    const times = await this.#learn(
      TIME_PREFIX,
      byHash,
      (entry) => this.#time(entry, signal),
      signal,
    );
    const senders = await this.#learn(
      SENDER_PREFIX,
      byTransaction,
      (entry) => this.#sender(entry, signal),
      signal,
    );
    return entries.map((entry) => {
      const time = times.get(entry.block.hash);
      const sender = senders.get(entry.transactionHash);
      if (time === undefined) throw new Error('unreachable: every block was asked for');
      return {
        timeSeconds: readSafeU64(viewOf(time), 0),
        sender: sender === undefined ? entry.submitter : parseAddress(toHex(sender)),
      };
    });
  }

  /** Values by hash: those kept, and the others as they are learnt. */
  async #learn(
    prefix: Uint8Array,
    wanted: ReadonlyMap<Hex, LogEntry>,
    ask: (entry: LogEntry) => Promise<Uint8Array>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Hex, Uint8Array>> {
    const { kv } = this.#deps;
    const found = new Map<Hex, Uint8Array>();
    if (wanted.size === 0) return found;
    const hashes = [...wanted.keys()];
    const keyOf = (hash: Hex): Uint8Array => concatBytes(prefix, fromHex(hash));
    const kept = await kv.getMany(hashes.map(keyOf));
    const unknown: LogEntry[] = [];
    for (const [index, hash] of hashes.entries()) {
      const value = kept[index];
      const entry = wanted.get(hash);
      if (value !== undefined) found.set(hash, value);
      else if (entry !== undefined) unknown.push(entry);
    }
    if (unknown.length === 0) return found;
    const learnt: KeyValueWrite[] = [];
    await forEachConcurrent(
      unknown,
      async (entry) => {
        const hash = prefix === TIME_PREFIX ? entry.block.hash : entry.transactionHash;
        const value = await ask(entry);
        found.set(hash, value);
        learnt.push({ type: 'put', key: keyOf(hash), value });
      },
      { parallel: ASK_PARALLEL, signal },
    );
    await kv.write(learnt); // not synced: what is lost is asked again
    return found;
  }

  async #time({ block, sequence }: LogEntry, signal: AbortSignal): Promise<Uint8Array> {
    const header = await this.#deps.client.getBlock(block.number, { signal });
    if (header?.hash !== block.hash) {
      throw new KvNodeError(
        { code: 'KV_CHAIN_MOVED', sequence },
        `block ${block.number} of entry ${sequence} is ${block.hash} in the log and ${header?.hash ?? 'unknown'} on the chain`,
      );
    }
    return bigEndianBytes(header.timestamp, 8);
  }

  async #sender({ transactionHash, sequence }: LogEntry, signal: AbortSignal): Promise<Uint8Array> {
    const transaction = await this.#deps.client.getTransaction(transactionHash, { signal });
    if (transaction?.block === undefined) {
      throw new KvNodeError(
        { code: 'KV_CHAIN_MOVED', sequence },
        `transaction ${transactionHash} of entry ${sequence} is not on the chain`,
      );
    }
    return fromHex(transaction.from);
  }
}
