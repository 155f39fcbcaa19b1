import {
  type Address,
  type BlockMark,
  type ChainEntry,
  type ChainId,
  type ChainStep,
  describeError,
  type Hex,
  type Logger,
  toHex,
} from '@cairn/primitives';
import { encodeCall } from '../client/abi.ts';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { Outage } from '../client/outage.ts';
import type { ChainBlock } from '../client/parse-replies.ts';
import { NUM_SUBMISSIONS } from '../flow/abi.ts';
import { checkChainId, checkLogContract } from './check-contract.ts';
import { ChainMoved, inconsistent } from './errors.ts';
import { isRefusal } from './event-reader.ts';
import { type ChainLogWait, LogWaits } from './log-wait.ts';
import { Marks } from './marks.ts';
import type { ChainLogMetrics } from './metrics.ts';
import { PageSize } from './page-size.ts';
import { type Page, readPage } from './read-page.ts';
import { splitPage } from './split-page.ts';

/** What one walk along the log needs. */
interface FollowDeps {
  readonly client: ChainClient;
  readonly flow: Address;
  readonly chainId: ChainId;
  /** Whether chain id and contract were already seen to be right. */
  readonly checked: boolean;
  readonly confirmations: number;
  readonly startBlock: number;
  readonly pageBlocks: number;
  readonly pollMs: number;
  readonly logger: Logger;
  readonly metrics: ChainLogMetrics;
  readonly onWait: ((wait: ChainLogWait | undefined) => void) | undefined;
}

/** This close to the head every header is read: blocks here can still be replaced. */
const NEAR_BLOCKS = 256;
/** Blocks of a page near the head. */
const NEAR_PAGE_BLOCKS = 32;
/** Times in a row that a page may move under the reader before that counts as an outage. */
const MAX_MOVES = 5;

/** One walk along the log from known marks; see `ChainLog.follow` for what it promises. */
export class LogWalk {
  readonly #deps: FollowDeps;
  readonly #marks: Marks;
  readonly #pageSize: PageSize;
  readonly #outage: Outage;
  readonly #waits: LogWaits;
  #checked: boolean;
  /** The head at which nothing was left to do: until it changes, polling is one call. */
  #idleHead: string | undefined;
  /** Whether the steps of the last look reach as far as its head allows. */
  #isDone = false;
  /** Whether the newest mark was missing from the chain when last looked at. */
  #suspected = false;
  /** Why the last look says nothing of the newest mark. */
  #unclear: string | undefined;
  #moves = 0;

  constructor(deps: FollowDeps, known: readonly BlockMark[]) {
    this.#deps = deps;
    this.#marks = new Marks(known);
    this.#pageSize = new PageSize(deps.pageBlocks);
    this.#outage = new Outage(
      { clock: deps.client.clock, logger: deps.logger },
      { firstWaitMs: deps.pollMs },
    );
    this.#waits = new LogWaits(deps.client.clock, deps.onWait);
    this.#checked = deps.checked;
  }

  /** Steps for ever. @throws the signal's reason */
  async *run(signal: AbortSignal): AsyncGenerator<ChainStep, void, void> {
    const { client, pollMs, metrics } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      let steps: readonly ChainStep[];
      try {
        steps = await this.#look({ signal });
        this.#moves = 0;
        this.#outage.over();
        if (this.#unclear === undefined) this.#waits.over();
        else this.#waits.note(this.#nextBlock, this.#unclear);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        this.#waits.note(this.#nextBlock, describeError(error));
        this.#idleHead = undefined;
        if (error instanceof ChainMoved && this.#moves < MAX_MOVES) {
          this.#moves += 1;
          await client.clock.sleep(pollMs, signal);
        } else if (error instanceof ChainMoved || error instanceof ChainError) {
          metrics.failures.add();
          this.#pageSize.ease();
          await this.#outage.wait(error, signal);
        } else {
          throw error;
        }
        continue;
      }
      for (const step of steps) yield step;
      if (steps.length === 0 || this.#isDone) await client.clock.sleep(pollMs, signal);
    }
  }

  get #nextBlock(): number {
    const { newest } = this.#marks;
    return newest === undefined ? this.#deps.startBlock : newest.mark.number + 1;
  }

  /** One look at the chain: what changed, or nothing. */
  async #look(options: CallOptions): Promise<readonly ChainStep[]> {
    this.#unclear = undefined;
    this.#isDone = false;
    const { client, confirmations, metrics } = this.#deps;
    await this.#checkChain(options);
    const head = await client.getBlock('latest', options);
    if (head === undefined) throw new ChainMoved('the chain has no newest block');
    metrics.head.set(head.number);
    if (head.hash === this.#idleHead) return [];

    const standing = await this.#newestStands(head, options);
    if (standing === 'unclear') return [];
    if (standing === 'gone') return [await this.#rollBack(head, options)];

    const fromBlock = this.#nextBlock;
    const target = head.number - confirmations;
    if (fromBlock > target) {
      this.#idleHead = head.hash;
      return [];
    }
    return this.#advance(fromBlock, target, head, options);
  }

  async #checkChain(options: CallOptions): Promise<void> {
    const { client, chainId, flow } = this.#deps;
    // After an outage the endpoint may be another one, so the chain id is asked for again.
    if (!this.#checked || this.#outage.active) await checkChainId(client, chainId, options);
    if (!this.#checked) await checkLogContract(client, flow, chainId, options);
    this.#checked = true;
  }

  /**
   * Whether the newest mark is on the chain. An endpoint that lags proves nothing, and one reply
   * may come from a server on a lost fork: only the second look in a row counts.
   */
  async #newestStands(head: ChainBlock, options: CallOptions): Promise<'yes' | 'gone' | 'unclear'> {
    const newest = this.#marks.newest;
    if (newest === undefined) return 'yes';
    const unclear = (reason: string): 'unclear' => {
      this.#unclear = reason;
      return 'unclear';
    };
    const older = `its newest block is ${head.number}, and ${newest.mark.number} was read already`;
    const reached = this.#marks.newestUpTo(head.number);
    if (reached === undefined) return unclear(older);
    const { number, hash } = reached.mark;
    const there = await this.#hashAt(number, head, options);
    if (there === undefined) return unclear(`it does not know block ${number}`);
    if (there === hash) {
      this.#suspected = false;
      return reached === newest ? 'yes' : unclear(older);
    }
    if (this.#suspected) return 'gone';
    this.#suspected = true;
    return unclear(`block ${number} is ${there}, and was read as ${hash}`);
  }

  /** The hash of a block up to the head, which names its own and its parent's. */
  async #hashAt(number: number, head: ChainBlock, options: CallOptions): Promise<Hex | undefined> {
    if (number === head.number) return head.hash;
    if (number === head.number - 1) return head.parentHash;
    return (await this.#deps.client.getBlock(number, options))?.hash;
  }

  async #rollBack(head: ChainBlock, options: CallOptions): Promise<ChainStep> {
    const { client, chainId } = this.#deps;
    await checkChainId(client, chainId, options); // another chain is no reason to forget this one
    const to = await this.#marks.findCommon(client, head.number, options);
    this.#suspected = false;
    return this.#rollBackTo(to);
  }

  #rollBackTo(to: BlockMark | undefined): ChainStep {
    const { logger, metrics } = this.#deps;
    const from = this.#marks.newest?.mark.number;
    this.#marks.dropAbove(to);
    this.#idleHead = undefined;
    metrics.rollbacks.add();
    logger.warn({ fromBlock: from, toBlock: to?.number }, 'blocks left the chain, rolling back');
    return { kind: 'rollback', to };
  }

  async #advance(
    fromBlock: number,
    target: number,
    head: ChainBlock,
    options: CallOptions,
  ): Promise<readonly ChainStep[]> {
    const { client, flow, metrics, confirmations } = this.#deps;
    const near = head.number - fromBlock < NEAR_BLOCKS;
    const blocks = near ? Math.min(NEAR_PAGE_BLOCKS, this.#pageSize.blocks) : this.#pageSize.blocks;
    const border = near ? target : Math.min(target, head.number - NEAR_BLOCKS);
    const toBlock = Math.max(fromBlock, Math.min(border, fromBlock + blocks - 1));
    const newest = this.#marks.newest;

    let page: Page;
    try {
      page = await readPage(
        client,
        { flow, fromBlock, toBlock, previous: newest?.mark, everyHeader: near, head },
        options,
      );
      this.#pageSize.grow();
    } catch (error) {
      if (!(error instanceof ChainError) || !this.#canShrink(error, toBlock - fromBlock + 1)) {
        throw error;
      }
      return this.#advance(fromBlock, target, head, options);
    }

    const nextSequence = await this.#checkDense(page, fromBlock, near, options);
    if (nextSequence === 'missed') return this.#repair(page, fromBlock, options);
    metrics.entries.add(page.entries.length);
    metrics.followed.set(toBlock);
    this.#isDone = toBlock === target;
    const parts = splitPage(page);
    return parts.map(({ through, entries }) => {
      const last = entries.at(-1);
      const next =
        through === page.through
          ? nextSequence
          : last === undefined
            ? undefined
            : last.sequence + 1;
      this.#marks.push({ mark: through, nextSequence: next });
      return {
        kind: 'advance',
        through,
        entries,
        head: Math.max(head.number, through.number + confirmations),
      };
    });
  }

  /** Halves the page if the endpoint refused its size; a refusal of one block is an outage. */
  #canShrink(error: ChainError, blocks: number): boolean {
    if (!isRefusal(error) || !this.#pageSize.shrink(blocks)) return false;
    this.#deps.logger.debug(
      { reason: error.message, pageBlocks: this.#pageSize.blocks },
      'the chain refused a page of logs, asking for a smaller one',
    );
    return true;
  }

  /**
   * The sequence after the page, or `missed` if entries before the page were never handed on.
   *
   * Near the head the contract's own count as of the page's last block must agree, so that a log
   * left out at the end is noticed too. @throws {ChainError} CHAIN_LOGS_INCONSISTENT
   */
  async #checkDense(
    { entries, through }: Page,
    fromBlock: number,
    near: boolean,
    options: CallOptions,
  ): Promise<number | undefined | 'missed'> {
    const fail = (reason: string): Error => inconsistent(fromBlock, through.number, reason);
    const [first] = entries;
    let expected = await this.#expectedSequence(options);
    const count = near ? await this.#countAt(through.number, options) : undefined;
    expected ??= count === undefined ? first?.sequence : count - entries.length;
    let next = expected;
    for (const entry of entries) {
      if (entry.sequence !== next) {
        if (entry === first && next !== undefined && entry.sequence > next) return 'missed';
        throw fail(`entry ${entry.sequence} came where ${next} belongs`);
      }
      next = entry.sequence + 1;
    }
    if (count !== undefined && next !== undefined && count !== next) {
      if (entries.length === 0 && count > next) return 'missed';
      throw fail(`the contract counts ${count} entries, the logs ${next}`);
    }
    return next;
  }

  /** The sequence that the next entry must have, or `undefined` if nobody knows any more. */
  async #expectedSequence(options: CallOptions): Promise<number | undefined> {
    const newest = this.#marks.newest;
    if (newest === undefined) return 0;
    return newest.nextSequence ?? (await this.#countAt(newest.mark.number, options));
  }

  /** Entries in the log as of a block; `undefined` where the endpoint keeps no such state. */
  async #countAt(block: number, options: CallOptions): Promise<number | undefined> {
    const { client, flow } = this.#deps;
    try {
      const request = { to: flow, data: encodeCall(NUM_SUBMISSIONS, []) };
      const reply = await client.callRaw(request, { ...options, block });
      if (reply.length === 0) return 0; // before the contract was there
      const count = reply.length === 32 ? BigInt(toHex(reply)) : undefined;
      if (count === undefined || count > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
      return Number(count);
    } catch (error) {
      if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
      throw error;
    }
  }

  /**
   * Entries were left out of pages already handed on. Looks for the first of them in the runs of
   * blocks before, and rolls back to before it only once the endpoint shows it: an endpoint that
   * still hides it must not make a node throw its work away.
   *
   * @throws {ChainError} CHAIN_LOGS_INCONSISTENT while the endpoint hides it
   */
  async #repair(
    page: Page,
    fromBlock: number,
    options: CallOptions,
  ): Promise<readonly ChainStep[]> {
    const { client, flow, startBlock } = this.#deps;
    const expected = await this.#expectedSequence(options);
    const found = page.entries[0]?.sequence;
    for (const { after, through } of this.#marks.runs()) {
      const { entries } = await readPage(
        client,
        {
          flow,
          fromBlock: after === undefined ? startBlock : after.number + 1,
          toBlock: through.number,
          previous: after,
          everyHeader: false,
        },
        options,
      );
      if (entries.some((entry: ChainEntry) => entry.sequence === expected)) {
        return [this.#rollBackTo(after)];
      }
      if (entries.length > 0) break; // older blocks hold older entries only
    }
    throw inconsistent(
      fromBlock,
      page.through.number,
      `entry ${expected} is missing${found === undefined ? '' : `, entry ${found} comes next`}`,
    );
  }
}
