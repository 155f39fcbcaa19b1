import { type Address, LruCache, Semaphore } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { keyOfWords } from './abi-words.ts';
import { FinalEvents } from './final-events.ts';
import type { Hub } from './open-hub.ts';
import type { Values } from './values.ts';

/**
 * Signers a book holds at most, those that registered first: about 40 MB. Registering takes no stake,
 * so whoever pays for more must not fill a reader's memory.
 */
const MAX_SIGNERS = 65_536;
/** Others that were asked for last. */
const MAX_OTHERS = 4096;
/** Keys of one signer that are remembered; a rotation takes two epochs at least. */
const MAX_KEYS = 16;
/** Readers that wait for a refresh at a time. */
const MAX_WAITING = 1024;

const EVENTS = ['SignerRegistered', 'KeyRotated', 'SocketUpdated'] as const;

/** A key of a signer, from an epoch on. */
export interface SignerKey {
  /** 96 bytes; the registry takes none that is not a point of the subgroup. */
  readonly publicKey: Uint8Array;
  readonly fromEpoch: number;
}

/** A registered signer. */
export interface SignerEntry {
  readonly signer: Address;
  /** Oldest first. */
  readonly keys: readonly SignerKey[];
  /** Where it says it is reached; `undefined` for bytes that are no text. */
  readonly socket: string | undefined;
}

/**
 * Registered signers with their keys and sockets, from the registry's events in final blocks.
 *
 * The first refresh reads the registry's whole history, later ones what came since. Should a final
 * block leave the chain all the same, everything is read again. The first 65,536 are kept; each other
 * is looked up when it is asked for.
 */
export class SignerBook {
  readonly #hub: Hub;
  readonly #reader: EventReader;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #signers = new Map<Address, SignerEntry>();
  readonly #others = new LruCache<Address, SignerEntry>({ maxWeight: MAX_OTHERS });
  readonly #maxSigners: number;
  readonly #events: FinalEvents;
  #isFull = false;

  /** @param options - `maxSigners`: how many are kept; 65,536 unless told */
  constructor(hub: Hub, { maxSigners = MAX_SIGNERS }: { readonly maxSigners?: number } = {}) {
    this.#hub = hub;
    this.#maxSigners = maxSigners;
    this.#reader = new EventReader({ client: hub.client, address: hub.registry.address });
    const source = { contract: hub.registry, events: EVENTS };
    const keeper = { take: (log: LogRecord) => this.#take(log), forget: () => this.#forget() };
    this.#events = new FinalEvents(hub, source, keeper);
  }

  /**
   * Reads up to the newest final block.
   *
   * @throws {DaError} DA_BAD_EVENT; {QueueFullError}; what the client throws
   */
  async refresh({ signal }: CallOptions): Promise<void> {
    await this.#turn.run(() => this.#events.refresh({ signal }), signal);
  }

  /**
   * A signer as of the last refresh, looked up in the registry's history where it is one too many to
   * be kept.
   *
   * @throws as `refresh`
   */
  async lookUp(signer: Address, { signal }: CallOptions): Promise<SignerEntry | undefined> {
    const known = this.get(signer);
    if (known !== undefined || !this.#isFull) return known;
    return this.#turn.run(() => this.#lookUp(signer, { signal }), signal);
  }

  /** A signer as of the last refresh, if it is kept or was looked up lately. */
  get(signer: Address): SignerEntry | undefined {
    return this.#signers.get(signer) ?? this.#others.get(signer);
  }

  /** Everyone kept at the last refresh, in the order of registration. */
  all(): readonly SignerEntry[] {
    return [...this.#signers.values()];
  }

  /** The key with which a signer signs in an epoch, 96 bytes. */
  keyAt(signer: Address, epoch: number): Uint8Array | undefined {
    const keys = this.get(signer)?.keys ?? [];
    return keys.findLast(({ fromEpoch }) => fromEpoch <= epoch)?.publicKey;
  }

  async #lookUp(signer: Address, options: CallOptions): Promise<SignerEntry | undefined> {
    const { registry, firstBlock } = this.#hub;
    const query = {
      topics: EVENTS.map((event) => registry.topic(event)),
      indexed: indexedNumber(BigInt(signer)),
      fromBlock: firstBlock,
      toBlock: this.#events.through?.number ?? firstBlock,
    };
    let entry: SignerEntry | undefined;
    for await (const { logs } of this.#reader.forward(query, options)) {
      for (const log of logs) entry = after(entry, this.#read(log));
    }
    if (entry !== undefined) this.#others.set(signer, entry);
    return entry;
  }

  #forget(): void {
    this.#signers.clear();
    this.#others.clear();
    this.#isFull = false;
  }

  #take(log: LogRecord): void {
    const change = this.#read(log);
    const { signer } = change;
    const known = this.get(signer);
    if (this.#signers.has(signer) || this.#signers.size < this.#maxSigners) {
      this.#signers.set(signer, after(known, change));
      return;
    }
    this.#isFull = true;
    if (known !== undefined) this.#others.set(signer, after(known, change));
  }

  #read(log: LogRecord): Change {
    const { registry } = this.#hub;
    const event = EVENTS.find((name) => registry.topic(name) === log.topics[0]);
    if (event === undefined) throw new TypeError('an event that was not asked for');
    const values = registry.decode(event, log);
    return { event, values, signer: values.address('owner') };
  }
}

/** One event of the registry. */
interface Change {
  readonly event: (typeof EVENTS)[number];
  readonly signer: Address;
  readonly values: Values;
}

/** What is known of a signer after one more of its events. */
function after(known: SignerEntry | undefined, { event, signer, values }: Change): SignerEntry {
  const keys = known?.keys ?? [];
  return {
    signer,
    keys: event === 'SocketUpdated' ? keys : [...keys, keyOf(values)].slice(-MAX_KEYS),
    socket: event === 'KeyRotated' ? known?.socket : values.foreignText('socket'),
  };
}

function keyOf(values: Values): SignerKey {
  const words = values.inner('key');
  return {
    publicKey: keyOfWords([words.wide(0), words.wide(1), words.wide(2)]),
    fromEpoch: values.number('fromEpoch'),
  };
}
