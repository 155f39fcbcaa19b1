import { drawSeats } from '@cairn/attestation';
import type { DrawFacts, Standing, Waiting } from './ports.ts';

/** What a signer's ticket is good for. */
export interface DrawDuty {
  /** Seats that it wins in all. */
  readonly seats: number;
  /** Whether it is a duty even without seats. */
  readonly isContributor: boolean;
}

/**
 * What a ticket wins and whether it is owed.
 *
 * @param beta - of the ticket, 32 bytes
 * @throws what the chain throws
 */
export async function drawDuty(
  chain: Pick<DrawFacts, 'odds'>,
  {
    epoch,
    beta,
    standing,
  }: {
    readonly epoch: number;
    readonly beta: Uint8Array;
    readonly standing: Pick<Standing, 'votes' | 'isContributor'>;
  },
  options: Waiting,
): Promise<DrawDuty> {
  const { votes, isContributor } = standing;
  const odds = await chain.odds(epoch, options);
  return { seats: drawSeats({ beta, votes, ...odds }).total, isContributor };
}
