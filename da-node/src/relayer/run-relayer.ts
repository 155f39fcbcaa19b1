import { isOutage } from '@cairn/chain-access';
import { type Clock, describeError, forEachConcurrent, type Logger } from '@cairn/primitives';
import type { ChainOptions } from '../signer/ports.ts';

/** One duty of a relayer: the order, or a mirror. */
export interface RelayDuty {
  readonly name: string;
  look(options: ChainOptions): Promise<number>;
}

/** What relaying works with. */
export interface RelayerDeps {
  readonly order: RelayDuty;
  /** The mirrors of all shards, as the registry has them now. */
  mirrors(options: ChainOptions): Promise<readonly RelayDuty[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Mirrors that are told at once. */
const PARALLEL = 8;

/** One round of everything; a duty that fails holds up no other. @throws the signal's reason */
export async function relayOnce(deps: RelayerDeps, { signal }: ChainOptions): Promise<void> {
  const { order, logger } = deps;
  const attempt = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      const facts = { duty: name, reason: describeError(error) };
      if (isOutage(error)) logger.debug(facts, 'a chain does not answer a relayer');
      else logger.warn(facts, 'a duty of the relayer failed and is tried again');
    }
  };
  await attempt(order.name, () => order.look({ signal }));
  await attempt('mirrors', async () => {
    const mirrors = await deps.mirrors({ signal });
    const visit = ({ name, look }: RelayDuty, inner: AbortSignal): Promise<void> =>
      attempt(name, () => look({ signal: inner }));
    await forEachConcurrent(mirrors, visit, { parallel: PARALLEL, signal });
  });
}

/** Relays until `signal` aborts. @throws the signal's reason */
export async function runRelayer(
  deps: RelayerDeps,
  pollMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    await relayOnce(deps, { signal });
    await deps.clock.sleep(pollMs, signal);
  }
}
