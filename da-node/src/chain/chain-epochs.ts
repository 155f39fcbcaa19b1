import type { Committee } from '@cairn/attestation';
import {
  type EntranceCaller,
  type EpochBook,
  openEpoch,
  readEntranceEpoch,
  readPhase,
  readTerms,
  refusalOf,
} from '@cairn/chain-access/da';
import {
  type Address,
  type Clock,
  describeError,
  isFault,
  type Logger,
  SingleFlight,
} from '@cairn/primitives';
import { parseSignerSocket } from '@cairn/wire-protocol/da';
import type { DispersalEpoch, EpochSource } from '../disperser/ports.ts';
import type { DaChain } from './connect-chain.ts';
import { outlastOutages } from './outlast-outages.ts';

/** What epochs are read with. */
export interface ChainEpochsDeps {
  readonly chain: Pick<DaChain, 'hub' | 'entrance' | 'epochs' | 'signers'>;
  /** Pays for fixing an epoch's prices, where nobody has; without it this waits until somebody does. */
  readonly sender: EntranceCaller['sender'] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends work that several callers wait for. */
  readonly stopping: AbortSignal;
}

/** How often the chain is looked at. */
export interface ChainEpochsOptions {
  readonly pollMs: number;
  /** Sockets read longer ago than this are read again. */
  readonly socketsMs: number;
}

/**
 * Epochs, committees and signers' addresses, from final blocks. An epoch is open once the entrance has
 * fixed its terms, which it cannot before its mirror knows the epoch where it is away from the hub.
 */
export class ChainEpochs implements EpochSource {
  readonly #deps: ChainEpochsDeps;
  readonly #options: ChainEpochsOptions;
  readonly #opening = new SingleFlight<DispersalEpoch>();
  readonly #refreshing = new SingleFlight<void>();
  #open: DispersalEpoch | undefined;
  #refreshedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ChainEpochsDeps, options: ChainEpochsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async openEpoch({
    after,
    signal,
  }: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): Promise<DispersalEpoch> {
    const from = after === undefined ? 0 : after + 1;
    const known = this.#open;
    if (known !== undefined && this.#isOpen(known, from)) return known;
    return this.#opening.run(`${from}`, () => this.#awaitOpen(from), signal);
  }

  async committee(
    epoch: number,
    quorumId: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Committee | undefined> {
    const { epochs } = this.#deps.chain;
    return this.#outlast(() => committeeOf(epochs, { epoch, quorumId }, signal), signal);
  }

  async socketOf(
    signer: Address,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const { clock, chain } = this.#deps;
    const isOld = clock.monotonic() - this.#refreshedMs >= this.#options.socketsMs;
    if (isOld || chain.signers.get(signer) === undefined) {
      await this.#refreshing.run('', () => this.#refresh(), signal);
    }
    return addressOf(chain.signers.get(signer)?.socket);
  }

  async #awaitOpen(from: number): Promise<DispersalEpoch> {
    const { clock, stopping } = this.#deps;
    for (;;) {
      const found = await this.#outlast(() => this.#find(), stopping);
      if (found !== undefined && this.#isOpen(found, from)) {
        this.#open = found;
        return found;
      }
      await clock.sleep(this.#options.pollMs, stopping);
    }
  }

  /** The epoch in office with its terms; `undefined` while no final block holds both. */
  async #find(): Promise<DispersalEpoch | undefined> {
    const { chain, sender, logger, stopping: signal } = this.#deps;
    const { entrance, epochs, hub } = chain;
    const block = await hub.finalBlock({ signal });
    const { epoch } = await readPhase(hub, { signal, block });
    const sealed = await epochs.sealed(epoch, { signal });
    if (sealed === undefined) return undefined;
    const takesUntilSeconds = sealed.header.endSeconds - entrance.settings.marginSeconds;
    // Away from the hub, the entrance takes its epochs from a mirror. To open an epoch that it does not know
    // would open the one before, and the same call is not made twice.
    const isHere = entrance.chainId === hub.chainId;
    const at = isHere ? block : await entrance.finalBlock({ signal });
    const terms = await readTerms(entrance, epoch, { signal, block: at });
    if (terms === undefined) {
      const isKnown = isHere || (await readEntranceEpoch(entrance, { signal, block: at })) >= epoch;
      if (sender !== undefined && isKnown && this.#isBefore(takesUntilSeconds)) {
        await openEpoch({ entrance, sender }, epoch, { signal }).catch((error: unknown) => {
          if (refusalOf(error) === undefined) throw error;
          logger.debug({ epoch, reason: describeError(error) }, 'an epoch could not be opened');
        });
      }
      return undefined;
    }
    const { basePerBlobWei, pricePerByteEpochWei } = terms;
    return { office: sealed.header, takesUntilSeconds, basePerBlobWei, pricePerByteEpochWei };
  }

  #isOpen({ office, takesUntilSeconds }: DispersalEpoch, from: number): boolean {
    return office.epoch >= from && this.#isBefore(takesUntilSeconds);
  }

  #isBefore(seconds: number): boolean {
    return this.#deps.clock.now() / 1000 < seconds;
  }

  async #refresh(): Promise<void> {
    const { chain, clock, stopping: signal } = this.#deps;
    await this.#outlast(() => chain.signers.refresh({ signal }), signal);
    this.#refreshedMs = clock.monotonic();
  }

  #outlast<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return outlastOutages(work, this.#deps, signal);
  }
}

/** Members of a quorum; `undefined` for an epoch or quorum that is none. */
export async function committeeOf(
  epochs: EpochBook,
  place: { readonly epoch: number; readonly quorumId: number },
  signal: AbortSignal,
): Promise<Committee | undefined> {
  try {
    return await epochs.committee(place, { signal });
  } catch (error) {
    if (isFault(error, 'DA_EPOCH_UNKNOWN') || isFault(error, 'DA_QUORUM_EMPTY')) return undefined;
    throw error;
  }
}

/** What a signer registered, if it can be reached there: an http address or a multiaddress. */
function addressOf(text: string | undefined): string | undefined {
  const socket = parseSignerSocket(text);
  return socket?.kind === 'http' ? socket.url : socket?.address;
}
