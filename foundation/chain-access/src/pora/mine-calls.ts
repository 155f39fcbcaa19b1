import { type PoraAnswer, WORD_BYTES } from '@cairn/pora';
import { type Address, toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { type IntendedOptions, sendCall } from '../da/send-call.ts';
import type { TransactionSender } from '../send/transaction-sender.ts';
import { MineError } from './errors.ts';
import type { Mine } from './open-mine.ts';

/** A mining contract, and who pays for calls to it. */
export interface MineCaller {
  readonly mine: Mine;
  readonly sender: TransactionSender;
}

/** What an answer brought. */
export interface AcceptedAnswer {
  readonly receipt: TransactionReceipt;
  /** Wei put aside for the miner's beneficiary; zero where its part of the flow pays nothing yet. */
  readonly rewardWei: bigint;
}

/**
 * Asks for a miner id whose pay goes to the sender: 32 bytes, known by the event that announces it.
 *
 * @throws {MineError} MINE_NO_ID; as `sendCall`
 */
export async function requestMinerId(
  { mine, sender }: MineCaller,
  options: IntendedOptions,
): Promise<Uint8Array> {
  const { contract } = mine;
  const args = [sender.address, 0];
  const receipt = await sendCall(sender, { contract, name: 'requestMinerId', args }, options);
  const topic = contract.topic('NewMinerId');
  const log = receipt.logs.find(
    ({ address, topics }) => address === contract.address && topics[0] === topic,
  );
  if (log !== undefined) return contract.decode('NewMinerId', log).bytes('minerId');
  const { transactionHash } = receipt;
  throw new MineError(
    { code: 'MINE_NO_ID', transactionHash },
    `transaction ${transactionHash} asked for a miner id and announced none`,
  );
}

/** Brings an answer. @throws as `sendCall`; TX_REVERTED with the contract's reason */
export async function submitAnswer(
  { mine, sender }: MineCaller,
  answer: PoraAnswer,
  options: IntendedOptions,
): Promise<AcceptedAnswer> {
  const { contract, flow, reward } = mine;
  const others = [flow.abi, reward.abi];
  const call = { contract, name: 'submit', args: [answerArgument(answer)], others };
  const receipt = await sendCall(sender, call, options);
  return { receipt, rewardWei: rewardIn(receipt, mine) };
}

/** What has been put aside for an account and not been taken, in wei. */
export async function readPayments(
  { reward }: Mine,
  payee: Address,
  options: { readonly signal: AbortSignal },
): Promise<bigint> {
  return (await reward.read('payments', [payee], options)).wide(0);
}

function rewardIn({ logs }: TransactionReceipt, { reward }: Mine): bigint {
  const topic = reward.topic('DistributeReward');
  return logs
    .filter(({ address, topics }) => address === reward.address && topics[0] === topic)
    .reduce((sum, log) => sum + reward.decode('DistributeReward', log).wide('amount'), 0n);
}

function answerArgument(answer: PoraAnswer): unknown[] {
  const { range, sealed } = answer;
  const words = Array.from({ length: sealed.length / WORD_BYTES }, (_, word) =>
    toHex(sealed.subarray(word * WORD_BYTES, (word + 1) * WORD_BYTES)),
  );
  return [
    toHex(answer.contextDigest),
    toHex(answer.nonce),
    toHex(answer.minerId),
    [range.startPosition, range.mineLength, range.shardId, range.shardMask],
    answer.recallPosition,
    answer.pieceIndex,
    toHex(answer.sealedContextDigest),
    words,
    answer.siblings.map(toHex),
  ];
}
