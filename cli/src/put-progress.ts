import type { PutEvent } from '@cairn/client-sdk';
import { formatCoin } from '@cairn/primitives';
import type { Progress } from './progress.ts';

/** Shows the steps of an upload: hashing, payment, waiting, sending to each holder, final. */
export class PutProgress {
  readonly #progress: Progress;
  readonly #isQuiet: boolean;
  /** Of each holder and file: segments there, and segments it is to have. */
  readonly #sent = new Map<string, { readonly done: number; readonly total: number }>();

  /** @param isQuiet - shows how far it is, without a line for each step */
  constructor(progress: Progress, { isQuiet = false }: { readonly isQuiet?: boolean } = {}) {
    this.#progress = progress;
    this.#isQuiet = isQuiet;
  }

  /** Shows one event. */
  show(event: PutEvent): void {
    const progress = this.#progress;
    switch (event.step) {
      case 'hashing':
        progress.update('hashing', event.doneBytes, event.totalBytes);
        return;
      case 'prepared':
        this.#note(`root      ${event.root}`);
        return;
      case 'placed': {
        const { shard, chainId } = event.placement;
        this.#note(`shard     ${shard} (chain ${chainId})`);
        return;
      }
      case 'quoted':
        this.#note(`price     ${formatCoin(event.quote.totalWei)} coins`);
        return;
      case 'submitting':
        this.#note(
          `paying    for ${event.roots.length === 1 ? 'the file' : `${event.roots.length} files`}`,
        );
        return;
      case 'submitted': {
        const paid = event.transactionHash === undefined ? ', already paid' : '';
        this.#note(`sequence  ${event.sequence}${paid}`);
        return;
      }
      case 'waiting':
        this.#note(`waiting   for ${event.holders.length} holders to read the log entry`);
        return;
      case 'sending': {
        const { root, holder, doneSegments: done, totalSegments: total } = event;
        this.#sent.set(`${holder} ${root}`, { done, total });
        const all = [...this.#sent.values()];
        const doneSegments = all.reduce((sum, each) => sum + each.done, 0);
        const totalSegments = all.reduce((sum, each) => sum + each.total, 0);
        progress.update('sending', doneSegments, totalSegments, 'segments');
        return;
      }
      case 'holderLost':
        this.#note(`lost      ${event.holder}: ${event.reason}`);
        return;
      case 'finalised':
        this.#note('final     every holder has all it keeps');
        return;
    }
  }

  #note(text: string): void {
    if (!this.#isQuiet) this.#progress.note(text);
  }
}
