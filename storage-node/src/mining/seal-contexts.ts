import type { SealContext } from '@cairn/chain-access/pora';
import type { MiningChain } from './ports.ts';

/** Contexts remembered: a year of epochs of two hours. */
const MAX_CONTEXTS = 4096;

/** Which context each piece of the flow is sealed with, asked once for each stretch. */
export class SealContexts {
  readonly #chain: Pick<MiningChain, 'sealContext'>;
  readonly #known: SealContext[] = [];
  /** No context holds this sector or any after it, as of the last question. */
  #missingFrom = Number.POSITIVE_INFINITY;

  constructor(chain: Pick<MiningChain, 'sealContext'>) {
    this.#chain = chain;
  }

  /** The context of a piece's last sector; `undefined` while there is none. */
  async of(sector: number, signal: AbortSignal): Promise<SealContext | undefined> {
    if (sector >= this.#missingFrom) return undefined;
    const known = this.#known.find(({ start, end }) => start <= sector && sector < end);
    if (known !== undefined) return known;
    const found = await this.#chain.sealContext(sector, { signal });
    if (found === undefined || sector < found.start || sector >= found.end) {
      this.#missingFrom = sector;
      return undefined;
    }
    this.#known.unshift(found); // the next piece is most likely of the same one
    this.#known.length = Math.min(this.#known.length, MAX_CONTEXTS);
    return found;
  }

  /** Forgets what a new epoch may have changed: that there is none, and those that were not made yet. */
  renew(): void {
    this.#missingFrom = Number.POSITIVE_INFINITY;
    const made = this.#known.filter(({ isRecorded }) => isRecorded);
    this.#known.splice(0, this.#known.length, ...made);
  }

  /** Forgets everything: the chain took blocks back. */
  forget(): void {
    this.renew();
    this.#known.length = 0;
  }
}
