import { depositFor, type EntranceCaller, readPayer } from '@cairn/chain-access/da';
import { type Clock, describeError, type Logger } from '@cairn/primitives';
import { outlastOutages } from './outlast-outages.ts';

/** What keeping a deposit works with. */
export interface DepositDeps extends EntranceCaller {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How much a payer keeps with the entrance. */
export interface DepositOptions {
  /** What it is filled up to once it is below half of this. */
  readonly keepWei: bigint;
  readonly everyMs: number;
}

/**
 * Fills the sender's deposit up, once now and then whenever it is below half of what is kept.
 *
 * A top-up is named by the transactions before it, so that a crash finishes it and does not make a
 * second one. One that fails is tried again at the next look.
 *
 * @throws the signal's reason
 */
export async function keepDeposit(
  deps: DepositDeps,
  { keepWei, everyMs }: DepositOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { clock, logger } = deps;
  for (;;) {
    try {
      await outlastOutages(() => fillUp(deps, keepWei, signal), deps, signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.error({ reason: describeError(error) }, 'the deposit could not be filled up');
    }
    await clock.sleep(everyMs, signal);
  }
}

/** One look at the deposit, and a top-up if it is low. @throws as `depositFor`, `readPayer` */
export async function fillUp(
  { entrance, sender, logger }: Omit<DepositDeps, 'clock'>,
  keepWei: bigint,
  signal: AbortSignal,
): Promise<void> {
  const payer = sender.address;
  const { balanceWei, leavingWei } = await readPayer(entrance, payer, { signal });
  const freeWei = balanceWei - leavingWei;
  if (freeWei * 2n >= keepWei) return;
  const amountWei = keepWei - freeWei;
  const sent = await entrance.client.getTransactionCount(payer, 'latest', { signal });
  const intent = `deposit:${entrance.domain.address}:${sent}:${amountWei}`;
  await depositFor({ entrance, sender }, { payer, amountWei }, { intent, signal });
  logger.info({ payer, amountWei }, 'the deposit was filled up');
}
