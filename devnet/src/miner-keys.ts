import { mkdir } from 'node:fs/promises';
import type { Rng } from '@cairn/primitives';
import { type AnvilControl, anvilControl } from './anvil-control.ts';
import { openAccount } from './da-keys.ts';
import type { StorageNodePlan } from './topology.ts';

/** Coins of a miner: gas of answers for years of running. */
const ACCOUNT_WEI = 1000n * 10n ** 18n;

/** Whose keys are made, and where. */
export interface MinerKeysOptions {
  /** Keys of earlier runs lie there, too. */
  readonly directory: string;
  readonly plans: readonly StorageNodePlan[];
  readonly rpc: string;
  readonly rng: Rng;
}

/**
 * Key files of the nodes that mine, by their names, each with coins: every miner has an account of its
 * own, since two processes cannot count one account's transactions.
 *
 * @throws what the chain and the disk throw
 */
export async function openMinerKeys(
  { directory, plans, rpc, rng }: MinerKeysOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  const miners = plans.filter(({ mines }) => mines);
  const files = new Map<string, string>();
  if (miners.length === 0) return files;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const anvil: Pick<AnvilControl, 'setBalance'> = anvilControl(rpc);
  for (const { name } of miners) {
    const { account, accountFile } = await openAccount(directory, name, rng);
    await anvil.setBalance(account, ACCOUNT_WEI, { signal });
    files.set(name, accountFile);
  }
  return files;
}
