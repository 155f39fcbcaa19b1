import { TransactionError } from '@cairn/chain-access';
import type { Hasher } from '@cairn/commitments';
import { type LogStore, type Reader, sectorInFlow } from '@cairn/log-layer';
import { checkAnswer, PIECE_HEIGHT, PIECE_SECTORS, type PoraAnswer, PoraError } from '@cairn/pora';
import {
  type Clock,
  describeError,
  equalBytes,
  isFault,
  type Logger,
  SEGMENT_SECTORS,
  toHex,
} from '@cairn/primitives';
import { Bell } from '../upkeep/bell.ts';
import type { MiningMetrics } from './metrics.ts';
import type { Puzzle } from './miner.ts';
import type { MiningChain } from './ports.ts';
import { contextOfPiece } from './sealed-record.ts';
import type { SealedStore } from './sealed-store.ts';
import type { Hit } from './worker-tasks.ts';

/** What answering works with. */
export interface AnswerDeskDeps {
  readonly chain: Pick<MiningChain, 'sealContext' | 'submit'>;
  readonly store: Pick<SealedStore, 'get' | 'drop'>;
  readonly log: LogStore;
  readonly reader: Pick<Reader, 'segmentWithProof'>;
  readonly hasher: Hasher;
  /** The puzzle that counts now. */
  readonly current: () => Puzzle | undefined;
  /** Asks for a segment to be looked at, and sealed anew if it has to be. */
  readonly onStaleSeal: (segment: number) => void;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  readonly metrics: MiningMetrics;
}

/** Hits that wait for their turn; the oldest leaves for a new one. An epoch takes a few answers only. */
const MAX_WAITING = 32;
const IDLE_MS = 60_000;
/** Before the chain is asked again that did not answer. */
const RETRY_MS = 500;

interface Waiting {
  readonly hit: Hit;
  readonly puzzle: Puzzle;
}

/** What has become of answers since the process began. */
export interface AnswerCounts {
  readonly accepted: number;
  readonly refused: number;
  /** Not sent: no coins for gas, or another reason of the account's or the endpoint's. */
  readonly failed: number;
  /** Found wrong here, before anybody paid gas for it. */
  readonly wrong: number;
  readonly rewardWei: bigint;
  readonly gasWei: bigint;
}

/**
 * Makes answers of hits and brings them, one after the other, until their window ends.
 *
 * Each is checked here first, against the flow's root, as the contract would: what is wrong with a seal
 * costs no gas, and the segment is sealed anew.
 */
export class AnswerDesk {
  readonly #deps: AnswerDeskDeps;
  readonly #minerId: Uint8Array;
  readonly #bell = new Bell();
  readonly #waiting: Waiting[] = [];
  #counts: AnswerCounts = {
    accepted: 0,
    refused: 0,
    failed: 0,
    wrong: 0,
    rewardWei: 0n,
    gasWei: 0n,
  };

  constructor(deps: AnswerDeskDeps, minerId: Uint8Array) {
    this.#deps = deps;
    this.#minerId = minerId;
  }

  get counts(): AnswerCounts {
    return this.#counts;
  }

  /** Takes a hit. */
  offer(hit: Hit, puzzle: Puzzle): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#deps.metrics.answers.add(1, { result: 'dropped' });
    }
    this.#waiting.push({ hit, puzzle });
    this.#bell.ring();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics } = this.#deps;
    while (!signal.aborted) {
      const [next] = this.#waiting;
      if (next === undefined) {
        await this.#bell.wait(clock, IDLE_MS, signal);
        continue;
      }
      try {
        const result = await this.#answer(next, signal);
        metrics.answers.add(1, { result });
        if (this.#waiting[0] === next) this.#waiting.shift();
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ reason: describeError(error) }, 'an answer waits for the chain');
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** What became of it. @throws what the chain throws while it cannot be asked */
  async #answer({ hit, puzzle }: Waiting, signal: AbortSignal): Promise<string> {
    const { current, logger, metrics, onStaleSeal, store } = this.#deps;
    if (current()?.generation !== puzzle.generation) return 'stale';
    let answer: PoraAnswer | undefined;
    try {
      answer = await this.#prepare(hit, puzzle, signal);
    } catch (error) {
      if (!(error instanceof PoraError)) throw error;
      const { code } = error;
      if (code === 'PORA_WRONG_ROOT') metrics.sealedDamaged.add(1, { found: 'answer' });
      logger.warn({ code, segment: hit.segment, reason: error.message }, 'an answer is wrong');
    }
    if (answer === undefined) {
      this.#counts = { ...this.#counts, wrong: this.#counts.wrong + 1 };
      await store.drop([hit.segment]);
      onStaleSeal(hit.segment);
      return 'wrong';
    }
    return this.#submit(answer, hit, signal);
  }

  /** The answer, checked; `undefined` if the piece is not sealed or cannot be proven any more. */
  async #prepare(
    hit: Hit,
    { context, range }: Puzzle,
    signal: AbortSignal,
  ): Promise<PoraAnswer | undefined> {
    const { chain, store, log, reader, hasher } = this.#deps;
    const record = await store.get(hit.segment);
    const sealedWith = record === undefined ? undefined : contextOfPiece(record, hit.piece);
    const position = hit.segment * SEGMENT_SECTORS + hit.piece * PIECE_SECTORS;
    const sealContext = await chain.sealContext(position + PIECE_SECTORS - 1, { signal });
    if (sealedWith === undefined || sealContext === undefined) return undefined;
    if (!equalBytes(sealedWith, sealContext.digest)) return undefined;
    const path = await sectorInFlow(position, context.flowLength, { log, reader, hasher }, signal);
    if (path === undefined) return undefined;
    const answer: PoraAnswer = {
      contextDigest: context.contextDigest,
      nonce: hit.nonce,
      minerId: this.#minerId,
      range,
      recallPosition: position,
      pieceIndex: hit.piece,
      sealedContextDigest: sealedWith,
      sealed: hit.sealed,
      siblings: path.siblings.slice(PIECE_HEIGHT),
    };
    checkAnswer(answer, { ...context, sealedRange: sealContext }, hasher);
    return answer;
  }

  async #submit(answer: PoraAnswer, { hash }: Hit, signal: AbortSignal): Promise<string> {
    const { chain, logger } = this.#deps;
    const facts = { hash: toHex(hash), position: answer.recallPosition };
    try {
      const { rewardWei, gasWei } = await chain.submit(answer, hash, { signal });
      this.#counts = {
        ...this.#counts,
        accepted: this.#counts.accepted + 1,
        rewardWei: this.#counts.rewardWei + rewardWei,
        gasWei: this.#counts.gasWei + gasWei,
      };
      this.#deps.metrics.reward.add(Number(rewardWei));
      this.#deps.metrics.gas.add(Number(gasWei));
      logger.info({ ...facts, rewardWei: String(rewardWei) }, 'an answer was accepted');
      return 'accepted';
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
      const isRefused = isFault(error, 'TX_REVERTED');
      const { refused, failed } = this.#counts;
      this.#counts = isRefused
        ? { ...this.#counts, refused: refused + 1 }
        : { ...this.#counts, failed: failed + 1 };
      const text = isRefused ? 'an answer was refused' : 'an answer could not be sent';
      logger.warn({ ...facts, reason: describeError(error) }, text);
      if (isRefused) return 'refused';
      return isFault(error, 'TX_INSUFFICIENT_FUNDS') ? 'underfunded' : 'failed';
    }
  }
}
