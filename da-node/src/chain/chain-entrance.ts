import { type BlsBackend, promiseSlotOf } from '@cairn/attestation';
import {
  confirmPromised,
  type EntranceCaller,
  findConfirmation,
  type PromisedConfirmation,
  readBatch,
  readIsSlotCharged,
  refusalOf,
} from '@cairn/chain-access/da';
import type { Clock, Logger } from '@cairn/primitives';
import type { BlobOrder } from '../disperser/blob-record.ts';
import type { BatchOutcome, Entrance, PromiseFate, SignedBatch } from '../disperser/ports.ts';
import type { DaChain } from './connect-chain.ts';
import { outlastOutages } from './outlast-outages.ts';

/** What confirming works with. */
export interface ChainEntranceDeps {
  readonly chain: Pick<DaChain, 'client' | 'entrance' | 'epochs'>;
  readonly sender: EntranceCaller['sender'];
  readonly backend: Pick<BlsBackend, 'expandSignature'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks in a row that must miss a batch before it counts as taken back: endpoints may lag. */
const LOOKS_TO_MISS = 3;

/** Confirms batches of promised blobs, and tells what became of promises in final blocks. */
export class ChainEntrance implements Entrance {
  readonly #deps: ChainEntranceDeps;
  readonly #pollMs: number;

  constructor(deps: ChainEntranceDeps, { pollMs }: { readonly pollMs: number }) {
    this.#deps = deps;
    this.#pollMs = pollMs;
  }

  async confirm(
    batch: SignedBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BatchOutcome> {
    const { chain, sender, backend } = this.#deps;
    const { entrance } = chain;
    const { root, epoch, orders, committee, absent, signature } = batch;
    const statement = { root, epoch, count: orders.length };
    const signed = { statement, committee, absent, signature };
    try {
      const confirmation = await this.#outlast(
        () =>
          confirmPromised({ entrance, sender }, { leaves: orders, batch: signed }, backend, {
            signal,
          }),
        signal,
      );
      return confirmed(confirmation);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'EpochClosed') return { kind: 'closed' };
      if (refusal !== 'AlreadyConfirmed') throw error;
      return confirmed(await this.#confirmationOf(root, signal));
    }
  }

  async isFinal(root: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const { entrance } = this.#deps.chain;
    for (let misses = 0; misses < LOOKS_TO_MISS; ) {
      const block = await this.#finalBlock(signal);
      const read = (options: { readonly block?: number }) =>
        this.#outlast(() => readBatch(entrance, root, { ...options, signal }), signal);
      if ((await read({ block })) !== undefined) return true;
      misses = (await read({})) === undefined ? misses + 1 : 0;
      await this.#wait(signal);
    }
    return false;
  }

  async fateOf(
    order: BlobOrder,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<PromiseFate> {
    const { client, entrance, epochs } = this.#deps.chain;
    const { header, epoch } = order;
    const place = promiseSlotOf(header.submissionIndex);
    if (place === undefined) throw new RangeError('a blob that was not promised has no slot');
    const slot = { payer: header.submitter, epoch, slot: place.slot };
    for (;;) {
      const fate = await this.#outlast(async (): Promise<PromiseFate | undefined> => {
        const block = await entrance.finalBlock({ signal });
        if (await readIsSlotCharged(entrance, slot, { block, signal })) {
          return { kind: 'charged', block };
        }
        const sealed = await epochs.sealed(epoch, { signal });
        const final = await client.getBlock(block, { signal });
        if (sealed === undefined || final === undefined) return undefined;
        const closesSeconds = sealed.header.endSeconds + entrance.settings.graceSeconds;
        return final.timestamp > closesSeconds ? { kind: 'void' } : undefined;
      }, signal);
      if (fate !== undefined) return fate;
      await this.#wait(signal);
    }
  }

  /** Somebody else's confirmation, once it is final: its void leaves are those that count then. */
  async #confirmationOf(root: Uint8Array, signal: AbortSignal): Promise<PromisedConfirmation> {
    const { entrance } = this.#deps.chain;
    for (;;) {
      const find = () => findConfirmation(entrance, root, { signal });
      const found = await this.#outlast(find, signal);
      if (found !== undefined) return found;
      await this.#wait(signal);
    }
  }

  #finalBlock(signal: AbortSignal): Promise<number> {
    return this.#outlast(() => this.#deps.chain.entrance.finalBlock({ signal }), signal);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return this.#deps.clock.sleep(this.#pollMs, signal);
  }

  #outlast<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return outlastOutages(work, this.#deps, signal);
  }
}

function confirmed({ block, transactionHash, voids }: PromisedConfirmation): BatchOutcome {
  const voidLeaves = voids.map(({ leafIndex }) => leafIndex);
  return { kind: 'confirmed', voidLeaves, block: block.number, transaction: transactionHash };
}
