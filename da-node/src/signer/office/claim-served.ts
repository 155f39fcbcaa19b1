import type { ServedClaim } from '@cairn/chain-access/da';
import type { Address, KeyValueStore, Logger } from '@cairn/primitives';
import type { OfficePlace } from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../ports.ts';
import type { OfficeMetrics } from './metrics.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { ServedReporter } from './report-served.ts';

/** What a claim is worth and costs now. */
export interface ClaimQuote {
  /** Wei that the holder is paid. */
  readonly amountWei: bigint;
  /** Wei that the transaction takes. */
  readonly costWei: bigint;
}

/** What claiming does with the chain. */
export interface ClaimChain {
  /**
   * What a claim comes to; `later` while the pool of its epoch is not fixed, `over` where it is paid or
   * refused for good.
   */
  quote(claim: ServedClaim, options: ChainOptions): Promise<ClaimQuote | 'later' | 'over'>;
  /** Makes the claim, once; what somebody else made first counts as done. */
  claim(claim: ServedClaim, options: ChainOptions): Promise<void>;
}

/** What claiming needs. */
export interface ServedClaimerDeps {
  readonly claims: ClaimChain;
  readonly reporter: Pick<ServedReporter, 'report'>;
  readonly address: Address;
  readonly store: KeyValueStore;
  readonly logger: Logger;
  readonly metrics: OfficeMetrics;
}

/** Epochs whose claims are remembered. */
const KEPT_EPOCHS = 256;

/** Claims what served reports owe this holder, where it is more than the transaction costs. */
export class ServedClaimer {
  readonly #deps: ServedClaimerDeps;

  constructor(deps: ServedClaimerDeps) {
    this.#deps = deps;
  }

  /** Whether nothing is left to claim of a report. @throws what the store throws */
  async isSettled({ epoch, quorumId }: OfficePlace): Promise<boolean> {
    const mark = await this.#deps.store.get(officeKey(OFFICE_KEYS.claim, epoch, quorumId));
    return mark !== undefined;
  }

  /**
   * Claims from a report, if it is known, its pool is fixed and it pays.
   *
   * @returns whether nothing is left to claim
   * @throws what chain and store throw; the signal's reason
   */
  async look(place: OfficePlace, options: ChainOptions): Promise<boolean> {
    const { claims, reporter, address, logger, metrics } = this.#deps;
    if (await this.isSettled(place)) return true;
    const report = await reporter.report(place);
    if (report === undefined) return false;
    const index = report.entries.findIndex(({ holder }) => holder === address);
    if ((report.entries[index]?.served ?? 0) === 0) return this.#settle(place, options);
    const { epoch, quorumId } = place;
    const claim = { epoch, quorumId, entries: report.entries, index };
    const quote = await claims.quote(claim, options);
    if (quote === 'later') return false;
    if (quote === 'over' || quote.amountWei === 0n) return this.#settle(place, options);
    if (quote.amountWei <= quote.costWei) return false; // gas may become cheaper
    await claims.claim(claim, options);
    metrics.rewardsWei.add(Number(quote.amountWei), { kind: 'served' });
    logger.info({ ...place, amountWei: quote.amountWei }, 'a served report paid this holder');
    return this.#settle(place, options);
  }

  async #settle({ epoch, quorumId }: OfficePlace, options: ChainOptions): Promise<true> {
    const { store } = this.#deps;
    const key = officeKey(OFFICE_KEYS.claim, epoch, quorumId);
    await store.write([{ type: 'put', key, value: new Uint8Array(0) }], { sync: true });
    await forgetBefore(store, OFFICE_KEYS.claim, epoch - KEPT_EPOCHS, options);
    return true;
  }
}
