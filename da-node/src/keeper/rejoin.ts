import { type HubCaller, readStake, readTargetEpoch, rejoin } from '@cairn/chain-access/da';
import type { Waiting } from './ports.ts';

/** Where a signer stands after having missed a duty. */
export type Membership =
  /** It never lost its votes. */
  | 'in'
  /** It asked for them back now: they count two or three epochs on. */
  | 'rejoined'
  /** Its term without votes is not over. */
  | 'suspended'
  /** It never gets them back. */
  | 'banned';

/**
 * Takes the sender back in as a signer once its term for a missed ticket is over: nobody else can.
 *
 * @throws what the chain throws
 */
export async function rejoinWhenDue(
  { hub, sender }: HubCaller,
  options: Waiting,
): Promise<Membership> {
  const { jailedUntilEpoch } = await readStake(hub, sender.address, options);
  if (jailedUntilEpoch === undefined) return 'in';
  if (jailedUntilEpoch === Number.POSITIVE_INFINITY) return 'banned';
  if ((await readTargetEpoch(hub, options)) <= jailedUntilEpoch) return 'suspended';
  const intent = `rejoin:${hub.stakeHub.address}:${jailedUntilEpoch}`;
  await rejoin({ hub, sender }, { ...options, intent });
  return 'rejoined';
}
