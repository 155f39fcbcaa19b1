import { type Address, isRecord, parseJson } from '@cairn/primitives';
import { DevnetError } from './errors.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/**
 * What only a development chain lets one do: make blocks, give coins. Calls throw
 * what `fetch` throws, {DevnetError} CHAIN_REFUSED, and the signal's reason.
 */
export interface AnvilControl {
  /** Makes blocks at once, with no time between them. */
  mine(blocks: number, options: Waiting): Promise<void>;
  setBalance(account: Address, wei: bigint, options: Waiting): Promise<void>;
}

const TIMEOUT_MS = 20_000;

/** Controls the chain behind an address. */
export function anvilControl(rpc: string): AnvilControl {
  const call = async (
    method: string,
    params: readonly string[],
    { signal }: Waiting,
  ): Promise<void> => {
    const reply = await fetch(rpc, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const body = parseJson(await reply.text());
    if (isRecord(body) && body['error'] === undefined) return;
    const reason = JSON.stringify(isRecord(body) ? body['error'] : body).slice(0, 200);
    throw new DevnetError(
      { code: 'CHAIN_REFUSED', method, reason },
      `the chain refused ${method}: ${reason}`,
    );
  };
  return {
    mine: (blocks, options) => call('anvil_mine', [quantity(blocks), quantity(0)], options),
    setBalance: (account, wei, options) =>
      call('anvil_setBalance', [account, quantity(wei)], options),
  };
}

function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
