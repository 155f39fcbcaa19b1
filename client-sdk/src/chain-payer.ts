import {
  type ChainClient,
  ChainError,
  encodeSubmissions,
  type FlowContract,
  type FlowSubmission,
  MAX_BATCH_SUBMISSIONS,
  submitFiles,
  type TransactionSender,
} from '@cairn/chain-access';
import { fileShape } from '@cairn/commitments';
import { type Address, parseAddress } from '@cairn/primitives';
import type { PayableFile, Payer, Price } from './payer.ts';

const NOBODY = parseAddress('0x0000000000000000000000000000000000000001');

/** Pays through the log contract of a chain; without a sender it only knows the price. */
export function chainPayer(
  client: ChainClient,
  flow: FlowContract,
  sender: TransactionSender | undefined,
): Payer {
  return {
    chainId: flow.chainId,
    flow: flow.address,
    canPay: sender !== undefined,

    async price(files, options): Promise<Price> {
      const pricePerSectorWei = await flow.pricePerSector(options);
      if (sender === undefined) return { pricePerSectorWei };
      const gas = await estimate(files, pricePerSectorWei, sender.address, options);
      if (gas === undefined) return { pricePerSectorWei };
      return { pricePerSectorWei, gas, gasPriceWei: await client.gasPrice(options) };
    },

    async submit(files, { intent, signal }) {
      if (sender === undefined) throw new Error('a payer without a sender was asked to pay');
      const submitter = sender.address;
      const submissions = files.map(({ sizeBytes, tags, nodes }) => ({
        sizeBytes,
        tags,
        nodes,
        submitter,
      }));
      const places = await submitFiles({ flow, sender, submissions }, { intent, signal });
      return places.map(({ sequence, startSector, transactionHash, feePaidWei }) => ({
        sequence,
        startSector,
        transactionHash,
        feeWei: feePaidWei,
      }));
    },
  };

  /** Gas of the submissions: of the first transaction, times how often it fits. */
  async function estimate(
    files: readonly Pick<PayableFile, 'sizeBytes' | 'tags'>[],
    pricePerSectorWei: bigint,
    from: Address,
    options: { readonly signal: AbortSignal },
  ): Promise<bigint | undefined> {
    const first = files.slice(0, MAX_BATCH_SUBMISSIONS).map(standIn);
    let sectors = 0;
    for (const { sizeBytes } of first) sectors += fileShape(sizeBytes).paddedSectors;
    const valueWei = BigInt(sectors) * pricePerSectorWei;
    const data = encodeSubmissions(first);
    try {
      const gas = await client.estimateGas({ to: flow.address, data, from, valueWei }, options);
      return (gas * BigInt(files.length)) / BigInt(first.length);
    } catch (error) {
      // Too poor to pay, or paused: the price of storage can still be told.
      if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
      throw error;
    }
  }
}

/** A submission of the same shape: the contract takes any roots, so no file needs to be hashed. */
function standIn({ sizeBytes, tags }: Pick<PayableFile, 'sizeBytes' | 'tags'>): FlowSubmission {
  const nodes = fileShape(sizeBytes).nodes.map(({ height }) => ({
    height,
    root: new Uint8Array(32).fill(0xa5),
  }));
  return { sizeBytes, tags, nodes, submitter: NOBODY };
}
