import type { Logger } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError, isOutage } from '../client/errors.ts';
import { Outage } from '../client/outage.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { broadcast } from './broadcast.ts';
import { insufficientFunds, TransactionError } from './errors.ts';
import { raiseFees, suggestFees } from './fees.ts';
import { findNonceConsumer } from './find-consumer.ts';
import type { IntentRecord, Round, Variant } from './journal.ts';
import { fingerprintOf, type Lane, variantOf } from './lane.ts';
import { callOf, withFees } from './parse-raw.ts';
import { estimateGasLimit, revertDataOf, reverted } from './reverts.ts';
import type { SendOptions, TransactionIntent } from './transaction-sender.ts';

interface SettlementDeps {
  readonly client: ChainClient;
  readonly signer: LocalSigner;
  readonly lane: Lane;
  readonly logger: Logger;
  /** Whether someone is settling that intent now. */
  readonly isActive: (intent: string) => boolean;
}

interface SettlementOptions {
  readonly pollMs: number;
  readonly rebroadcastMs: number;
  readonly raiseFeesMs: number;
  readonly finalBlocks: number;
  readonly maxFeePerGasWei: bigint | undefined;
}

/** Signed forms of one round; each offers at least an eighth more, so the last offers 6.6 times the first. */
const MAX_VARIANTS = 16;
/** Wait before a transaction whose broadcast got no answer is sent again. */
const UNANSWERED_MS = 2000;
/** Looks at a transaction that is in a final block by the nonce, but has no receipt. */
const MAX_LOOKS_WITHOUT_RECEIPT = 20;

/** When a round was last sent and last signed, by the monotonic clock. */
interface Times {
  sentMs: number;
  signedMs: number;
}

/**
 * Takes one intent from wherever its journal record says it is to a block.
 *
 * The order that makes paying twice impossible: look for a receipt of every form ever signed; only
 * without one, and with the nonce unused, send again; only with the nonce used by another
 * transaction in a final block, sign anew.
 */
export class Settlement {
  readonly #deps: SettlementDeps;
  readonly #options: SettlementOptions;
  readonly #times = new Map<string, Times>();

  constructor(deps: SettlementDeps, options: SettlementOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @throws as `TransactionSender.send` */
  async settle(request: TransactionIntent, options: SendOptions): Promise<TransactionReceipt> {
    const { lane, client, logger } = this.#deps;
    const { signal } = options;
    await lane.load({ signal });
    const outage = new Outage(
      { clock: client.clock, logger },
      { firstWaitMs: this.#options.pollMs },
    );
    let looksWithoutReceipt = 0;
    try {
      for (;;) {
        signal.throwIfAborted();
        try {
          const record = await lane.find(request.intent);
          const state = await this.#step(record, request, options);
          outage.over();
          if (state === 'signed') continue;
          if (typeof state === 'object') return state;
          looksWithoutReceipt = state === 'noReceipt' ? looksWithoutReceipt + 1 : 0;
          if (looksWithoutReceipt > MAX_LOOKS_WITHOUT_RECEIPT) throw unknownFate(record, request);
        } catch (error) {
          signal.throwIfAborted();
          const signed = await lane.find(request.intent);
          // Once signed, nothing the endpoint says about itself ends the wait: only the signal does.
          const waits = signed?.rounds.some(({ state }) => state !== 'dead') ?? false;
          if (!(error instanceof ChainError) || !waits) throw error;
          await outage.wait(error, signal);
          continue;
        }
        await client.clock.sleep(this.#options.pollMs, signal);
      }
    } finally {
      this.#times.delete(request.intent);
    }
  }

  /** One look: a receipt if it is done, else what was found. */
  async #step(
    record: IntentRecord | undefined,
    request: TransactionIntent,
    options: SendOptions,
  ): Promise<TransactionReceipt | 'signed' | 'waiting' | 'noReceipt'> {
    const { lane } = this.#deps;
    const open = record?.rounds.some(({ state }) => state !== 'dead') ?? false;
    if (record === undefined || !open) {
      await this.#sign(request, record?.rounds ?? [], options);
      return 'signed';
    }
    const receipt = await this.#findReceipt(record, options);
    const failedBefore = record.mined?.succeeded === false && receipt?.succeeded === false;
    if (record.fingerprint !== fingerprintOf(request) && !failedBefore) {
      throw new TransactionError(
        { code: 'TX_INTENT_CHANGED', intent: request.intent },
        `the intent "${request.intent}" was already signed as another transaction`,
      );
    }
    if (receipt !== undefined) return this.#onReceipt(record, receipt, request, options);
    if (record.mined !== undefined) {
      // A reorganisation undid what was settled.
      await lane.update(
        request.intent,
        (fresh) => ({ ...fresh, mined: undefined }),
        options.signal,
      );
      return 'waiting';
    }
    return this.#keepAlive(record, options);
  }

  async #sign(
    request: TransactionIntent,
    earlier: readonly Round[],
    options: SendOptions,
  ): Promise<void> {
    const { client, signer, lane, logger } = this.#deps;
    const { signal, onSigned } = options;
    const gasLimit = await estimateGasLimit(client, signer.address, request, { signal });
    await lane.exclusively(async () => {
      const record = await lane.signRound(request, gasLimit, earlier, { signal });
      const round = record.rounds.at(-1);
      const variant = round?.variants.at(-1);
      if (round === undefined || variant === undefined) return;
      const nowMs = client.clock.monotonic();
      this.#times.set(request.intent, { sentMs: nowMs, signedMs: nowMs });
      logger.debug({ intent: request.intent, nonce: round.nonce, hash: variant.hash }, 'signed');
      onSigned?.(variant.hash);
      await this.#send(record, true, { signal });
    }, signal);
  }

  async #findReceipt(
    record: IntentRecord,
    { signal }: CallOptions,
  ): Promise<TransactionReceipt | undefined> {
    for (const round of record.rounds.toReversed()) {
      if (round.state === 'dead') continue;
      for (const { hash } of round.variants.toReversed()) {
        const receipt = await this.#deps.client.getReceipt(hash, { signal });
        if (receipt !== undefined) return receipt;
      }
    }
    return undefined;
  }

  async #onReceipt(
    record: IntentRecord,
    receipt: TransactionReceipt,
    request: TransactionIntent,
    options: SendOptions,
  ): Promise<TransactionReceipt | 'signed' | 'waiting'> {
    const { client, lane } = this.#deps;
    const { signal, confirmations = 1 } = options;
    const round = record.rounds.find(({ variants }) =>
      variants.some(({ hash }) => hash === receipt.transactionHash),
    );
    if (round !== undefined) lane.noteMined(round.nonce, receipt.transactionHash);
    const depth = (await client.blockNumber({ signal })) - receipt.block.number + 1;
    if (record.mined?.succeeded === false && !receipt.succeeded) {
      // Refused once before and wanted again: signing anew is safe once the refusal is final.
      if (depth < this.#options.finalBlocks) return 'waiting';
      await lane.update(
        record.intent,
        (fresh) => ({ ...fresh, mined: undefined, rounds: fresh.rounds.map(dead) }),
        signal,
      );
      return 'signed';
    }
    if (depth < confirmations) return 'waiting';
    const { transactionHash: hash, succeeded } = receipt;
    await lane.update(record.intent, (fresh) => ({ ...fresh, mined: { hash, succeeded } }), signal);
    if (succeeded) return receipt;
    const raw = round?.variants.find((variant) => variant.hash === hash)?.raw;
    const { data, message } =
      raw === undefined
        ? { data: undefined, message: undefined }
        : await revertDataOf(
            client,
            { ...callOf(raw), from: this.#deps.signer.address },
            receipt.block.number,
            { signal },
          );
    throw reverted(request, hash, data, message);
  }

  /** No form of the record is in a block: finds out why and does what helps. */
  async #keepAlive(
    record: IntentRecord,
    { signal, onSigned }: SendOptions,
  ): Promise<'signed' | 'waiting' | 'noReceipt'> {
    const { client, signer, lane } = this.#deps;
    const round = record.rounds.findLast(({ state }) => state !== 'dead');
    if (round === undefined) return 'signed'; // the next look signs anew
    const mined = await client.getTransactionCount(signer.address, 'latest', { signal });
    if (mined > round.nonce) return this.#onNonceUsed(record, round, { signal });

    if (mined < round.nonce) {
      // Something before it is missing; if it is one of ours that nobody waits for, help it along.
      const holder = lane.holderOf(mined, record.intent, 'any');
      if (holder !== undefined && !this.#deps.isActive(holder.intent)) {
        await this.#nudge(holder.intent, { own: false, mined }, { signal });
      }
    }
    const sent = await this.#nudge(record.intent, { own: true, mined }, { signal });
    const newest = newestOf(sent)?.hash;
    if (newest !== undefined && newest !== newestOf(record)?.hash) onSigned?.(newest);
    return 'waiting';
  }

  /** Sends the newest form again, or a dearer one, when it is time. */
  async #nudge(
    intent: string,
    { own, mined }: { readonly own: boolean; readonly mined: number },
    options: CallOptions,
  ): Promise<IntentRecord | undefined> {
    const { client, lane } = this.#deps;
    const { rebroadcastMs, raiseFeesMs } = this.#options;
    const nowMs = client.clock.monotonic();
    const times = this.#times.get(intent) ?? {
      sentMs: Number.NEGATIVE_INFINITY, // found in the journal: nobody knows whether it was sent
      signedMs: nowMs,
    };
    this.#times.set(intent, times);
    const mayRaise = nowMs - times.signedMs >= raiseFeesMs;
    if (!mayRaise && nowMs - times.sentMs < rebroadcastMs) return lane.find(intent);
    return lane.exclusively(async () => {
      const record = await lane.find(intent);
      const round = record?.rounds.findLast(({ state }) => state !== 'dead');
      if (record === undefined || round === undefined) return record;
      // A nonce that was given to another intent meanwhile is left to it; see Round.state.
      if (lane.holderOf(round.nonce, intent) !== undefined) return record;
      times.sentMs = nowMs;
      if (!mayRaise || round.nonce !== mined) return this.#send(record, own, options);
      times.signedMs = nowMs;
      const raised = await this.#raise(record, round, options);
      return this.#send(raised ?? record, own, options);
    }, options.signal);
  }

  async #raise(
    record: IntentRecord,
    round: Round,
    options: CallOptions,
  ): Promise<IntentRecord | undefined> {
    const { client, signer, lane, logger } = this.#deps;
    const { maxFeePerGasWei } = this.#options;
    const newest = round.variants.at(-1);
    if (newest === undefined || round.variants.length >= MAX_VARIANTS) return undefined;
    const suggested = await suggestFees(client, undefined, options);
    const fees = raiseFees(newest, suggested, maxFeePerGasWei);
    if (fees === undefined) {
      logger.warn(
        { intent: record.intent },
        'a transaction waits, the fee cap forbids to raise it',
      );
      return undefined;
    }
    const unsigned = withFees(newest.raw, fees);
    const variant = variantOf(signer.signTransaction(unsigned), unsigned);
    const costWei = unsigned.valueWei + unsigned.gasLimit * variant.feePerGas;
    logger.info(
      { intent: record.intent, nonce: round.nonce, hash: variant.hash },
      'a transaction waits, replaced by one that offers more',
    );
    return lane.put(
      withRound(record, round, { ...round, costWei, variants: [...round.variants, variant] }),
    );
  }

  /** Hands the newest form of the last round to the endpoint. Call it with the lane held. */
  async #send(record: IntentRecord, own: boolean, options: CallOptions): Promise<IntentRecord> {
    const { client, signer, lane, logger } = this.#deps;
    const round = record.rounds.findLast(({ state }) => state !== 'dead');
    const variant = round?.variants.at(-1);
    const times = this.#times.get(record.intent);
    if (round === undefined || variant === undefined) return record;
    const answer = await broadcast(client, variant.raw, options);
    switch (answer.kind) {
      case 'accepted':
        return round.state === 'live'
          ? record
          : lane.put(withRound(record, round, { ...round, state: 'live' }));
      case 'unknown':
        if (times !== undefined) times.sentMs += UNANSWERED_MS - this.#options.rebroadcastMs;
        logger.debug({ intent: record.intent, hash: variant.hash }, 'no answer to a transaction');
        return record;
      case 'nonceUsed':
        return record; // the next look finds out by what
      case 'underpriced':
        if (times !== undefined) times.signedMs = Number.NEGATIVE_INFINITY;
        return record;
      case 'insufficientFunds':
      case 'refused': {
        const changed = await lane.put(withRound(record, round, { ...round, state: 'refused' }));
        if (!own) return changed;
        if (answer.kind === 'insufficientFunds') {
          const balanceWei = await client.getBalance(signer.address, options);
          throw insufficientFunds(signer.address, balanceWei, round.costWei);
        }
        throw new TransactionError(
          {
            code: 'TX_REJECTED',
            intent: record.intent,
            transactionHash: variant.hash,
            rpcMessage: answer.message,
          },
          `the chain refuses transaction ${variant.hash}: ${answer.message}`,
        );
      }
    }
  }

  /** The nonce is used and no form of ours has a receipt: by whom, and is that final? */
  async #onNonceUsed(
    record: IntentRecord,
    round: Round,
    options: CallOptions,
  ): Promise<'signed' | 'waiting' | 'noReceipt'> {
    const { client, signer, lane, logger } = this.#deps;
    const account = signer.address;
    const final = (await client.blockNumber(options)) - this.#options.finalBlocks;
    if (final < 0) return 'waiting';
    const used = await client
      .getTransactionCount(account, final, options)
      .catch((error: unknown) => {
        if (isOutage(error) || options.signal.aborted) throw error;
        // The state may be pruned for good, or the block be moving at this moment: a few looks tell.
        logger.debug({ intent: record.intent, block: final, error }, 'no account at a final block');
      });
    if (used === undefined) return 'noReceipt';
    if (used <= round.nonce) return 'waiting';
    const consumer = await findNonceConsumer(
      client,
      { account, nonce: round.nonce, fromBlock: round.signedAtBlock, toBlock: final },
      options,
    );
    // Endpoints that count a nonce of the block in the making as used have it in a block soon.
    if (consumer === undefined) return 'noReceipt';
    if (round.variants.some(({ hash }) => hash === consumer.hash)) return 'noReceipt';
    logger.warn(
      { intent: record.intent, nonce: round.nonce, usedBy: consumer.hash, block: consumer.block },
      'another transaction of this account used the nonce, signing anew',
    );
    await lane.update(
      record.intent,
      (fresh) => ({
        ...fresh,
        rounds: fresh.rounds.map((item) => (item.nonce === round.nonce ? dead(item) : item)),
      }),
      options.signal,
    );
    return 'signed';
  }
}

function newestOf(record: IntentRecord | undefined): Variant | undefined {
  return record?.rounds.at(-1)?.variants.at(-1);
}

function dead(round: Round): Round {
  return { ...round, state: 'dead' };
}

function withRound(record: IntentRecord, from: Round, to: Round): IntentRecord {
  return { ...record, rounds: record.rounds.map((round) => (round === from ? to : round)) };
}

function unknownFate(
  record: IntentRecord | undefined,
  { intent }: TransactionIntent,
): TransactionError {
  const round = record?.rounds.findLast(({ state }) => state !== 'dead');
  const nonce = round?.nonce ?? -1;
  const transactionHashes = round?.variants.map(({ hash }) => hash) ?? [];
  return new TransactionError(
    { code: 'TX_FATE_UNKNOWN', intent, nonce, transactionHashes },
    `nonce ${nonce} is used, but the endpoint cannot tell whether by one of the ${transactionHashes.length} transactions signed for "${intent}"; an endpoint that keeps older state can`,
  );
}
