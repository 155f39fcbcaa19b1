import {
  type BlsBackend,
  type Committee,
  type EpochHeader,
  epochHeaderHash,
} from '@cairn/attestation';
import { type QuorumSignature, signatureOf } from '@cairn/chain-access/shards';
import { equalBytes, type Logger } from '@cairn/primitives';
import type { AskMembersDeps } from '../signer/office/ask-members.ts';
import { fetchHandover } from '../signer/office/fetch-handover.ts';
import type { ChainOptions } from '../signer/ports.ts';
import type { RelayerMetrics } from './metrics.ts';
import type { CheckpointPeers, MirrorChain } from './ports.ts';
import type { Turns } from './take-turns.ts';

/** What telling a mirror needs. */
export interface MirrorRelayerDeps extends Omit<AskMembersDeps, 'address'> {
  readonly chain: MirrorChain;
  readonly peers: Pick<CheckpointPeers, 'handover'>;
  readonly backend: BlsBackend;
  readonly turns: Turns;
  readonly logger: Logger;
  readonly metrics: Pick<RelayerMetrics, 'mirrored' | 'trustUntil'>;
}

/** Epochs that one round hands over at most. */
const MAX_EPOCHS = 8;

/** Tells one mirror the hub's epochs, and the order of checkpoints from time to time. */
export class MirrorRelayer {
  readonly #deps: MirrorRelayerDeps;
  readonly #orderMs: number;
  #orderToldMs = Number.NEGATIVE_INFINITY;
  #isLost = false;

  /** @param options - `orderMs`: time between two roots of the order at least; epochs bring one anyway */
  constructor(deps: MirrorRelayerDeps, { orderMs }: { readonly orderMs: number }) {
    this.#deps = deps;
    this.#orderMs = orderMs;
  }

  /** One round. @returns what the mirror was told @throws what the chains throw; the signal's reason */
  async look(options: ChainOptions): Promise<number> {
    let told = 0;
    for (let count = 0; count < MAX_EPOCHS && (await this.#tellEpoch(options)); count += 1) {
      told += 1;
    }
    return told + ((await this.#tellOrder(options)) ? 1 : 0);
  }

  /** @returns whether there may be another one */
  async #tellEpoch(options: ChainOptions): Promise<boolean> {
    const { chain, turns, metrics, logger } = this.#deps;
    const state = await chain.head(options);
    if (state === undefined) return false;
    const before = await chain.header(state.epoch, options);
    if (before === undefined) return false;
    const { name: mirror } = chain;
    const untilSeconds = before.endSeconds + chain.trustingSeconds;
    metrics.trustUntil.set(untilSeconds, { mirror });
    const header = await chain.header(state.epoch + 1, options);
    if (header === undefined || !this.#follows(state, before, header)) return false;
    const nowSeconds = await chain.timeSeconds(options);
    const isTooEarly =
      before.startSeconds > nowSeconds || header.startSeconds > nowSeconds + chain.maxDriftSeconds;
    if (isTooEarly) return false;
    if (nowSeconds > untilSeconds) {
      this.#lose({ mirror, epoch: state.epoch, untilSeconds, nowSeconds });
      return false;
    }
    if (!turns.isDue(`epoch:${mirror}:${header.epoch}`)) return false;
    const committee = await chain.committee(state.epoch, options);
    if (committee === undefined) return false;
    const signed = await this.#handover(header, committee, options);
    if (signed === undefined) return false;
    const snapshots = await chain.snapshots(header, options);
    if ((await chain.head(options))?.epoch !== state.epoch) return true; // somebody was faster
    const result = await chain.acceptEpoch({ header, snapshots }, signed, options);
    metrics.mirrored.add(1, { kind: 'epoch', result });
    if (result === 'done') logger.debug({ mirror, epoch: header.epoch }, 'an epoch is handed over');
    return result === 'done';
  }

  /** Whether the mirror is of the same history as the hub. */
  #follows(
    { headerHash, epoch }: { readonly headerHash: Uint8Array; readonly epoch: number },
    before: EpochHeader,
    header: EpochHeader,
  ): boolean {
    const known = epochHeaderHash(before);
    const isSame = equalBytes(known, headerHash) && equalBytes(header.previous, known);
    if (isSame) this.#isLost = false;
    else this.#lose({ mirror: this.#deps.chain.name, epoch });
    return isSame;
  }

  /** A mirror that no handover leads on from, which only its admin can anchor again; told once. */
  #lose(facts: Readonly<Record<string, string | number>>): void {
    if (!this.#isLost) {
      this.#deps.logger.error(
        facts,
        'no handover leads this mirror on: it has to be anchored again',
      );
    }
    this.#isLost = true;
  }

  /** The signature under a header, from the first member or successor that has it. */
  async #handover(
    header: EpochHeader,
    committee: Committee,
    options: ChainOptions,
  ): Promise<QuorumSignature | undefined> {
    const deps = { ...this.#deps, network: this.#deps.chain.network };
    const found = await fetchHandover(header, committee, deps, options);
    return found === undefined ? undefined : signatureOf(found.certificate, committee.snapshot);
  }

  async #tellOrder(options: ChainOptions): Promise<boolean> {
    const { chain, clock, turns, metrics } = this.#deps;
    if (clock.monotonic() - this.#orderToldMs < this.#orderMs) return false;
    const newest = await chain.newestOrder(options);
    if (newest === undefined) return false;
    const { logCount } = newest.told.checkpoint;
    const state = await chain.head(options);
    if (state === undefined || state.orderCount >= logCount) return false;
    if (!turns.isDue(`root:${chain.name}:${logCount}`)) return false;
    if (((await chain.head(options))?.orderCount ?? logCount) >= logCount) return false;
    const result = await chain.acceptOrder(newest.told, newest.signed, options);
    metrics.mirrored.add(1, { kind: 'order', result });
    if (result === 'done') this.#orderToldMs = clock.monotonic();
    return result === 'done';
  }
}
