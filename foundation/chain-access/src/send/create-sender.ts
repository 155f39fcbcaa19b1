import {
  abortable,
  assertPositiveInteger,
  type ChainId,
  type KeyValueStore,
  type Logger,
  Semaphore,
} from '@cairn/primitives';
import type { ChainClient } from '../client/chain-client.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { Lane } from './lane.ts';
import { Settlement } from './settle.ts';
import type { SendOptions, TransactionIntent, TransactionSender } from './transaction-sender.ts';

/** Whose transactions, on which chain, journalled where. */
export interface TransactionSenderOptions {
  readonly client: ChainClient;
  readonly signer: LocalSigner;
  /**
   * Where signed transactions are kept before they are sent. Must survive a crash for "never paid
   * twice" to hold across one; one process at a time.
   */
  readonly journal: KeyValueStore;
  readonly chainId: ChainId;
  readonly logger: Logger;
  /** Wei per gas offered at most; no cap unless told. */
  readonly maxFeePerGasWei?: bigint;
  /** Time between looks at a waiting transaction; 500 unless told. */
  readonly pollMs?: number;
  /** Time after which a waiting transaction is sent again as it is; 15,000 unless told. */
  readonly rebroadcastMs?: number;
  /** Time after which it is replaced by one that offers more; 45,000 unless told. */
  readonly raiseFeesMs?: number;
  /** Depth at which a block counts as final when a nonce was used by others; 12 unless told. */
  readonly finalBlocks?: number;
  /** Intents waiting for their blocks at once; 64 unless told. */
  readonly maxInFlight?: number;
  /** Intents waiting for one of those places; 1,024 unless told. */
  readonly maxWaiting?: number;
}

const MAX_INTENT_CHARACTERS = 200;

/** A sender for one account. Nothing is read or sent before the first intent. */
export function createTransactionSender(options: TransactionSenderOptions): TransactionSender {
  return new LaneSender(options);
}

class LaneSender implements TransactionSender {
  readonly address: TransactionSender['address'];
  readonly #lane: Lane;
  readonly #settlement: Settlement;
  readonly #places: Semaphore;
  /** Intents being sent now; a second send of one waits for the first and then finds its record. */
  readonly #active = new Map<string, Promise<unknown>>();

  constructor(options: TransactionSenderOptions) {
    const { client, signer, journal, chainId, logger, maxFeePerGasWei } = options;
    const {
      pollMs = 500,
      rebroadcastMs = 15_000,
      raiseFeesMs = 45_000,
      finalBlocks = 12,
    } = options;
    assertPositiveInteger(pollMs, 'pollMs');
    assertPositiveInteger(finalBlocks, 'finalBlocks');
    this.address = signer.address;
    this.#lane = new Lane({ client, signer, store: journal, chainId, maxFeePerGasWei });
    this.#settlement = new Settlement(
      {
        client,
        signer,
        lane: this.#lane,
        logger: logger.child({ account: signer.address, chainId }),
        isActive: (intent) => this.#active.has(intent),
      },
      { pollMs, rebroadcastMs, raiseFeesMs, finalBlocks, maxFeePerGasWei },
    );
    this.#places = new Semaphore({
      limit: options.maxInFlight ?? 64,
      maxWaiting: options.maxWaiting ?? 1024,
    });
  }

  async send(request: TransactionIntent, options: SendOptions): Promise<TransactionReceipt> {
    const { intent } = request;
    if (intent.length === 0 || intent.length > MAX_INTENT_CHARACTERS) {
      throw new RangeError(
        `an intent has 1 to ${MAX_INTENT_CHARACTERS} characters, not ${intent.length}`,
      );
    }
    for (let earlier = this.#active.get(intent); earlier !== undefined; ) {
      await abortable(
        earlier.catch(() => undefined), // its caller hears of it; this one looks for itself
        options.signal,
      );
      earlier = this.#active.get(intent);
    }
    const sending = this.#places.run(
      () => this.#settlement.settle(request, options),
      options.signal,
    );
    this.#active.set(intent, sending);
    try {
      return await sending;
    } finally {
      this.#active.delete(intent);
    }
  }

  async openIntents({ signal }: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    await this.#lane.load({ signal });
    return [...this.#lane.openRecords].map(({ intent }) => intent);
  }
}
