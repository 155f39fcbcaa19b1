import {
  FaultProxy,
  type ProxiedCall,
  type ProxyReply,
} from '../../foundation/chain-access/test/fault-proxy.ts';
import { chainCall } from './chain.ts';

/**
 * What an endpoint of a chain does with what the chain answers: nothing; leaves out the logs of one transaction, or
 * all logs; gives each log twice and the last first; leaves out a transaction's logs and knows no state; tells an
 * older head and nothing after it, for as long as it has this manner; does not answer.
 */
export type RpcManner = 'honest' | 'hole' | 'skip' | 'twice' | 'blind' | 'older' | 'away';

interface Log {
  readonly transactionHash: string;
}

/** How many blocks an endpoint lags that tells an older head. */
const LAG_BLOCKS = 3;

/** An endpoint in front of a chain that spoils what it passes on, as it is told. */
export class LyingRpc {
  /** The transaction whose logs are left out. */
  hidden = '';
  /** Replies that were spoilt. */
  spoilt = 0;
  readonly #target: string;
  readonly #proxy: FaultProxy;
  /** The head that is told in place of newer ones. */
  #older: Promise<number> | undefined;

  private constructor(target: string, proxy: FaultProxy) {
    this.#target = target;
    this.#proxy = proxy;
  }

  static async start(target: string): Promise<LyingRpc> {
    return new LyingRpc(target, await FaultProxy.start(target));
  }

  get url(): string {
    return this.#proxy.url;
  }

  set manner(manner: RpcManner) {
    this.#older = manner === 'older' ? this.#head() : undefined;
    this.#older?.catch(() => undefined); // awaited with the next call
    this.#proxy.handle =
      manner === 'honest'
        ? undefined
        : async (call) => (await this.#spoilt(manner, call)) ?? { result: await call.forward() };
  }

  stop(): Promise<void> {
    return this.#proxy.stop();
  }

  /** The answer to a call that this manner is about. */
  async #spoilt(
    manner: Exclude<RpcManner, 'honest'>,
    call: ProxiedCall,
  ): Promise<ProxyReply | undefined> {
    const reply =
      manner === 'older' ? await this.#olderReply(call) : await this.#reply(manner, call);
    if (reply !== undefined) this.spoilt += 1;
    return reply;
  }

  async #reply(
    manner: Exclude<RpcManner, 'honest' | 'older'>,
    { method, forward }: ProxiedCall,
  ): Promise<ProxyReply | undefined> {
    if (manner === 'away') return 'drop';
    if (method === 'eth_call' && manner === 'blind') {
      return { error: { code: -32_000, message: 'missing trie node' } };
    }
    if (method !== 'eth_getLogs') return undefined;
    const logs = (await forward()) as readonly Log[];
    if (manner === 'skip') return { result: [] };
    if (manner === 'twice') return { result: [...logs, ...logs].reverse() };
    return { result: logs.filter(({ transactionHash }) => transactionHash !== this.hidden) };
  }

  async #olderReply({ method, params }: ProxiedCall): Promise<ProxyReply | undefined> {
    if (method !== 'eth_blockNumber' && method !== 'eth_getBlockByNumber') return undefined;
    const head = Math.max(0, ((await this.#older) ?? 0) - LAG_BLOCKS);
    const older = `0x${head.toString(16)}`;
    if (method === 'eth_blockNumber') return { result: older };
    const [number, ...rest] = params;
    if (number === 'latest')
      return { result: await chainCall(this.#target, method, [older, ...rest]) };
    return Number(number) > head ? { result: null } : undefined;
  }

  async #head(): Promise<number> {
    return Number(await chainCall(this.#target, 'eth_blockNumber'));
  }
}
