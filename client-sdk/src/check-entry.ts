import { type ChainClient, ChainError } from '@cairn/chain-access';
import { SUBMIT_EVENT_TOPIC } from '@cairn/contracts';
import {
  type Address,
  concatBytes,
  DeadlineError,
  isHexOf,
  isRecord,
  keccak256,
  type Logger,
  toHex,
  withDeadline,
} from '@cairn/primitives';
import type { EntryCheck } from './locate-file.ts';

/** A read does not wait longer than this for a second opinion. */
const CHECK_MS = 5000;
/** Hex digits of an ABI word. */
const WORD_DIGITS = 64;

/**
 * Asks the chain whether a log entry is what nodes say: the event is found by its nodes' hash,
 * which the contract indexes.
 */
export function chainEntryCheck(client: ChainClient, flow: Address, logger: Logger): EntryCheck {
  return async ({ sequence, sizeBytes, nodes }, options) => {
    const identity = toHex(keccak256(concatBytes(...nodes.map(({ root }) => root))));
    const filter = {
      address: flow,
      topics: [SUBMIT_EVENT_TOPIC, null, identity],
      fromBlock: '0x0',
      toBlock: 'latest',
    };
    try {
      const ask = (signal: AbortSignal): Promise<unknown> =>
        client.rpc('eth_getLogs', [filter], { signal });
      const { signal } = options;
      const logs = await withDeadline('the chain', CHECK_MS, ask, { clock: client.clock, signal });
      if (!Array.isArray(logs)) return undefined;
      return logs.some((log) => {
        const data: unknown = isRecord(log) ? log['data'] : undefined;
        return wordAt(data, 0) === sequence && sizeIn(data) === sizeBytes;
      });
    } catch (error) {
      if (!(error instanceof ChainError || error instanceof DeadlineError)) throw error;
      // Many endpoints refuse long block ranges, or take long over them; then the holders' agreement has to do.
      logger.warn({ sequence, code: error.code }, 'the chain could not be asked about a file');
      return undefined;
    }
  };
}

/** The file's length: first word of the submission, whose offset is the fourth word. */
function sizeIn(data: unknown): number | undefined {
  const offset = wordAt(data, 3);
  return offset === undefined ? undefined : wordAt(data, offset / 32);
}

/** A number in word `index`; `undefined` where there is none below 2^53. */
function wordAt(data: unknown, index: number): number | undefined {
  if (typeof data !== 'string' || !Number.isInteger(index)) return undefined;
  const start = 2 + index * WORD_DIGITS;
  const word = `0x${data.slice(start, start + WORD_DIGITS)}`;
  if (!isHexOf(word, 32)) return undefined;
  const value = Number(BigInt(word));
  return Number.isSafeInteger(value) ? value : undefined;
}
