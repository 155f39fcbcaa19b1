import type { BlsBackend } from '@cairn/attestation';
import {
  confirmPromised,
  type EntranceCaller,
  findConfirmation,
  type PromisedConfirmation,
  readBatch,
  readIsVoid,
  refusalOf,
} from '@cairn/chain-access/da';
import type { Clock, Logger } from '@cairn/primitives';
import type {
  BatchOutcome,
  Entrance,
  FinalConfirmation,
  PromiseFate,
  SignedBatch,
  StalledPromise,
} from '../disperser/ports.ts';
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

type LeafPlace = NonNullable<StalledPromise['batch']>;

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
      return { kind: 'confirmed', ...whatCounts(confirmation) };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'EpochClosed') return { kind: 'closed' };
      if (refusal !== 'AlreadyConfirmed') throw error;
      return { kind: 'confirmed', ...whatCounts(await this.#confirmationOf(root, signal)) };
    }
  }

  async finalConfirmation(
    root: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<FinalConfirmation | undefined> {
    const { entrance } = this.#deps.chain;
    for (let misses = 0; misses < LOOKS_TO_MISS; ) {
      const found = await this.#findFinal(root, signal);
      if (found !== undefined) return whatCounts(found);
      const latest = await this.#outlast(() => readBatch(entrance, root, { signal }), signal);
      misses = latest === undefined ? misses + 1 : 0;
      await this.#wait(signal);
    }
    return undefined;
  }

  async fateOf(
    { order, batch }: StalledPromise,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<PromiseFate> {
    const { client, entrance, epochs } = this.#deps.chain;
    const { epoch } = order;
    // That the slot was charged says nothing of this blob: another leaf may have used it.
    const counts = async (place: LeafPlace, block: number): Promise<boolean> =>
      (await readBatch(entrance, place.root, { block, signal })) !== undefined &&
      !(await readIsVoid(entrance, place, { block, signal }));
    for (;;) {
      const fate = await this.#outlast(async (): Promise<PromiseFate | undefined> => {
        const block = await entrance.finalBlock({ signal });
        if (batch !== undefined && (await counts(batch, block))) return { kind: 'charged', block };
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
    for (;;) {
      const found = await this.#findFinal(root, signal);
      if (found !== undefined) return found;
      await this.#wait(signal);
    }
  }

  #findFinal(root: Uint8Array, signal: AbortSignal): Promise<PromisedConfirmation | undefined> {
    const { entrance } = this.#deps.chain;
    return this.#outlast(() => findConfirmation(entrance, root, { signal }), signal);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return this.#deps.clock.sleep(this.#pollMs, signal);
  }

  #outlast<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return outlastOutages(work, this.#deps, signal);
  }
}

function whatCounts({ block, transactionHash, voids }: PromisedConfirmation): FinalConfirmation {
  const voidLeaves = voids.map(({ leafIndex }) => leafIndex);
  return { voidLeaves, block: block.number, transaction: transactionHash };
}
