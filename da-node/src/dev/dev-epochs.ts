import type { BlsBackend, Committee, SigningKey } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  type Clock,
  keccak256,
  parseAddress,
  type Rng,
} from '@cairn/primitives';
import type { DispersalEpoch, EpochSource } from '../disperser/ports.ts';
import { DEV_NETWORK, DEV_SEATS, RETENTION_EPOCHS } from './dev-network.ts';
import { ownCommittee } from './own-committee.ts';

/** Blobs are ordered up to this long before an epoch's end. */
const LAST_SECONDS = 30;
/** Epochs back for which committees are known: longer than blobs are kept. */
const KNOWN_EPOCHS: number = RETENTION_EPOCHS + 2;
/** Addresses of members begin with it. */
const SIGNER_BASE = 0xde_0000;

/** Epochs by the clock, each with the same members, whose keys were drawn at the start. */
export class DevEpochs implements EpochSource {
  readonly #clock: Clock;
  readonly #backend: BlsBackend;
  readonly #startSeconds: number;
  readonly #keys: readonly SigningKey[];
  readonly #committees = new Map<number, Committee>();

  constructor({
    clock,
    backend,
    rng,
  }: {
    readonly clock: Clock;
    readonly backend: BlsBackend;
    readonly rng: Rng;
  }) {
    this.#clock = clock;
    this.#backend = backend;
    this.#startSeconds = Math.floor(clock.now() / 1000);
    this.#keys = DEV_SEATS.map(() =>
      backend.openKey(backend.secretFromMaterial(rng.fill(new Uint8Array(32)))),
    );
  }

  /** The epoch in office, from 1. */
  get current(): number {
    const elapsed = this.#clock.now() / 1000 - this.#startSeconds;
    return 1 + Math.max(0, Math.floor(elapsed / DEV_NETWORK.epochSeconds));
  }

  async openEpoch({
    after = 0,
    signal,
  }: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): Promise<DispersalEpoch> {
    for (;;) {
      const epoch = this.current;
      const { office } = this.#committeeOf(epoch).snapshot;
      const takesUntilSeconds = office.endSeconds - LAST_SECONDS;
      if (epoch > after && this.#clock.now() / 1000 < takesUntilSeconds) {
        return { office, takesUntilSeconds, basePerBlobWei: 0n, pricePerByteEpochWei: 1n };
      }
      await this.#clock.sleep(office.endSeconds * 1000 - this.#clock.now() + 1, signal);
    }
  }

  async committee(epoch: number, quorumId: number): Promise<Committee | undefined> {
    const isKnown = epoch >= 1 && epoch <= this.current && epoch > this.current - KNOWN_EPOCHS;
    return isKnown && quorumId === 0 ? this.#committeeOf(epoch) : undefined;
  }

  /** A member's index in place of an address: members are in this process. */
  async socketOf(signer: Address): Promise<string | undefined> {
    const index = DEV_SEATS.findIndex((_, at) => addressOf(at) === signer);
    return index < 0 ? undefined : String(index);
  }

  /** The key of the member that `socketOf` tells. @throws {RangeError} for another socket */
  keyAt(socket: string): SigningKey {
    const key = this.#keys[Number(socket)];
    if (key === undefined) throw new RangeError(`no member is at ${socket}`);
    return key;
  }

  #committeeOf(epoch: number): Committee {
    const known = this.#committees.get(epoch);
    if (known !== undefined) return known;
    const committee = this.#makeCommittee(epoch);
    this.#committees.set(epoch, committee);
    this.#committees.delete(epoch - KNOWN_EPOCHS);
    return committee;
  }

  #makeCommittee(epoch: number): Committee {
    const members = this.#keys.map(({ publicKey }, index) => ({
      signer: addressOf(index),
      seats: DEV_SEATS[index] ?? 0,
      publicKey,
    }));
    const startSeconds = this.#startSeconds + (epoch - 1) * DEV_NETWORK.epochSeconds;
    const office = {
      epoch,
      startSeconds,
      endSeconds: startSeconds + DEV_NETWORK.epochSeconds,
      seed: keccak256(members[0]?.publicKey ?? new Uint8Array(0), bigEndianBytes(epoch, 8)),
    };
    return ownCommittee({ members, office }, this.#backend);
  }
}

function addressOf(index: number): Address {
  return parseAddress(`0x${(SIGNER_BASE + index).toString(16).padStart(40, '0')}`);
}
