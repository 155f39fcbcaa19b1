import { chainIdOf, DEVNET_CONSENSUS, parseAddress } from '@cairn/primitives';
import type { DispersalNetwork } from '../disperser/ports.ts';

/** Epochs for which blobs are kept: 16 days, since batch posters of Arbitrum ask for 15. */
export const RETENTION_EPOCHS: number = 16 * 24;
/** Blobs have 64 rows at least, as on every network. */
const MIN_LOG2_K = 6;

/** Seats of each member: any three of the four make a quorum. */
export const DEV_SEATS: readonly number[] = [1, 1, 1, 1];

/**
 * The network of a disperser without a chain. Hub and entrance are addresses that no contract has, so
 * that what is signed here is worth nothing anywhere else.
 */
export const DEV_NETWORK: DispersalNetwork = {
  network: { hubChainId: chainIdOf(31_337), hub: parseAddress(`0x${'de'.repeat(19)}01`) },
  entrance: { chainId: chainIdOf(31_337), address: parseAddress(`0x${'de'.repeat(19)}02`) },
  shardId: 0,
  layout: { cosets: DEVNET_CONSENSUS.cosets, minLog2K: MIN_LOG2_K },
  epochSeconds: 3600,
  graceSeconds: 600,
};
