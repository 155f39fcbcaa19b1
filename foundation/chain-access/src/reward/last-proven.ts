import type { Address, Hex } from '@cairn/primitives';
import { isZeroBytes, toHex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import type { FileFees, Stretch } from './open-reward.ts';

/** Sectors that one answer shows. */
const ANSWER_SECTORS = 16;
/** Blocks looked back over unless told: a day of two-second blocks. */
const LOOK_BACK_BLOCKS = 43_200;
/** Blocks asked for at once. */
const PAGE_BLOCKS = 4_320;

/** An answer that the mining contract accepted. */
export interface ProvenAnswer {
  readonly block: number;
  readonly transactionHash: Hex;
  readonly minerId: Hex;
  /** Who is paid for that miner's answers now; absent where nobody is. */
  readonly beneficiary?: Address;
  /** First of the 16 sectors of the flow that it showed. */
  readonly sector: number;
}

/** Who proved last, as far back as was looked. */
export interface LastProven {
  /** The last answer that showed sectors of the stretch itself. */
  readonly file?: ProvenAnswer;
  /** The last one of the pricing chunks that the stretch lies in. */
  readonly chunk?: ProvenAnswer;
  /** First block that was looked at. */
  readonly fromBlock: number;
}

/**
 * The last answers about sectors, and about the pricing chunks around them, in pages from the newest
 * block back; ends where an answer about the sectors is found.
 *
 * An answer shows 4 KiB drawn from all that its miner keeps, so that of a small file there is seldom
 * one; miners that keep the chunk are what it can tell.
 *
 * @throws what the client throws; {ChainError} CHAIN_LOG_RANGE where the endpoint takes no page
 */
export async function findLastProven(
  fees: FileFees,
  stretch: Stretch,
  { signal, lookBackBlocks = LOOK_BACK_BLOCKS }: CallOptions & { readonly lookBackBlocks?: number },
): Promise<LastProven> {
  const { client, mine, sectorsPerChunk } = fees;
  const { startSector, sectors } = stretch;
  const end = startSector + sectors;
  const chunkStart = Math.floor(startSector / sectorsPerChunk) * sectorsPerChunk;
  const chunkEnd = Math.ceil(end / sectorsPerChunk) * sectorsPerChunk;
  const head = await client.blockNumber({ signal });
  const first = Math.max(0, head - lookBackBlocks + 1);
  let [file, chunk]: (ProvenAnswer | undefined)[] = [];
  let pageBlocks = PAGE_BLOCKS;
  let toBlock = head;
  while (toBlock >= first && file === undefined) {
    const fromBlock = Math.max(first, toBlock - pageBlocks + 1);
    const topic = mine.topic('NewSubmission');
    let logs: readonly LogRecord[];
    try {
      logs = await client.getLogs({ address: mine.address, topic, fromBlock, toBlock }, { signal });
    } catch (error) {
      const isRange = error instanceof ChainError && error.code === 'CHAIN_LOG_RANGE';
      if (!isRange || pageBlocks === 1) throw error;
      pageBlocks = Math.floor(pageBlocks / 2);
      continue;
    }
    for (const log of logs.toReversed()) {
      const event = mine.decode('NewSubmission', log);
      const sector = event.number('recallPosition');
      if (sector + ANSWER_SECTORS <= chunkStart || sector >= chunkEnd) continue;
      const isOfFile = sector + ANSWER_SECTORS > startSector && sector < end;
      if (chunk !== undefined && !isOfFile) continue;
      const answer = await answerOf(fees, log, sector, event.bytes('minerId'), signal);
      chunk ??= answer;
      if (!isOfFile) continue;
      file = answer;
      break;
    }
    toBlock = fromBlock - 1;
  }
  return { ...(file && { file }), ...(chunk && { chunk }), fromBlock: toBlock + 1 };
}

async function answerOf(
  { mine }: FileFees,
  { block, transactionHash }: LogRecord,
  sector: number,
  minerId: Uint8Array,
  signal: AbortSignal,
): Promise<ProvenAnswer> {
  const paid = await mine.read('beneficiaries', [toHex(minerId)], { signal });
  return {
    block: block.number,
    transactionHash,
    minerId: toHex(minerId),
    ...(!isZeroBytes(paid.bytes(0)) && { beneficiary: paid.address(0) }),
    sector,
  };
}
