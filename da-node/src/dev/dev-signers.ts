import { signStatement } from '@cairn/attestation';
import { statementOfBatch } from '../disperser/collect-votes.ts';
import type { Delivery, SignerPeers, VoteRequest } from '../disperser/ports.ts';
import type { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK, DEV_SEATS } from './dev-network.ts';
import type { Switches } from './switches.ts';

/**
 * Members in this process: they sign with their own keys, and keep no rows, since payloads are in
 * memory whole. The last ones are silent where switches say so.
 */
export class DevSigners implements SignerPeers {
  readonly #epochs: DevEpochs;
  readonly #switches: Switches;

  constructor(epochs: DevEpochs, switches: Switches) {
    this.#epochs = epochs;
    this.#switches = switches;
  }

  async deliver(
    socket: string,
    { slice }: Delivery,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<number> {
    // Here, and not with the vote: votes for one batch would hold up the next.
    await this.#switches.delay('dispersed', signal);
    this.#requireAnswer(socket);
    return slice.reduce((sum, { length }) => sum + length, 0);
  }

  async vote(
    socket: string,
    request: VoteRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    this.#requireAnswer(socket);
    const statement = statementOfBatch(request, DEV_NETWORK);
    return signStatement(this.#epochs.keyAt(socket), DEV_NETWORK.network, statement);
  }

  #requireAnswer(socket: string): void {
    const { silentSigners } = this.#switches.state;
    if (Number(socket) < DEV_SEATS.length - silentSigners) return;
    throw new Error('the member is switched to be silent');
  }
}
