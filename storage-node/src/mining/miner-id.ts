import { fromHex, type Hex, type KeyValueStore, toHex } from '@cairn/primitives';
import { MINER_KEY } from '../keyspace.ts';
import { MiningError } from './errors.ts';
import type { MiningChain } from './ports.ts';

/** What settling the id works with. */
export interface MinerIdDeps {
  readonly kv: Pick<KeyValueStore, 'get' | 'write'>;
  readonly chain: Pick<MiningChain, 'account' | 'beneficiaryOf' | 'requestMinerId'>;
}

/**
 * The id that this node mines for: the stored one, else the configured one, else a new one, asked for
 * once. It is stored, since sealed data is good for one id only.
 *
 * @throws {MiningError} MINER_ID_DIFFERS, MINER_ID_UNKNOWN, MINER_ID_FOREIGN; what the chain throws
 */
export async function settleMinerId(
  { kv, chain }: MinerIdDeps,
  configured: Hex | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stored = await kv.get(MINER_KEY);
  if (stored !== undefined && configured !== undefined && toHex(stored) !== configured) {
    throw new MiningError(
      { code: 'MINER_ID_DIFFERS', stored: toHex(stored), configured },
      `the data directory is sealed for miner ${toHex(stored)}, but mining.miner_id is ${configured}; use the stored id or another data_dir`,
    );
  }
  const known = stored ?? (configured === undefined ? undefined : fromHex(configured));
  const minerId = known ?? (await chain.requestMinerId({ signal }));
  const beneficiary = await chain.beneficiaryOf(minerId, { signal });
  const { account } = chain;
  if (beneficiary === undefined) {
    throw new MiningError(
      { code: 'MINER_ID_UNKNOWN', minerId: toHex(minerId) },
      `the mining contract knows no miner ${toHex(minerId)}: is it the right contract and chain?`,
    );
  }
  if (beneficiary !== account) {
    throw new MiningError(
      { code: 'MINER_ID_FOREIGN', minerId: toHex(minerId), beneficiary, account },
      `miner ${toHex(minerId)} pays ${beneficiary}, but the key of this node is of ${account}`,
    );
  }
  if (stored === undefined) {
    await kv.write([{ type: 'put', key: MINER_KEY, value: minerId }], { sync: true });
  }
  return minerId;
}
