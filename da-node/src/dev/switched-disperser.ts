import type { Root } from '@cairn/primitives';
import type { Caller } from '../disperser/accounts.ts';
import type { BlobRecord, BlobStage } from '../disperser/blob-record.ts';
import type { AcceptOptions, ArchiveState, Disperser } from '../disperser/disperser.ts';
import type { Switches } from './switches.ts';

/** A disperser that does as switches say before it does its work: for doors, which know no difference. */
export class SwitchedDisperser
  implements
    Pick<
      Disperser,
      | 'requireAccount'
      | 'requireArchive'
      | 'accept'
      | 'find'
      | 'findByCommitment'
      | 'findByKeccak'
      | 'reached'
      | 'payload'
      | 'archiveOf'
    >
{
  readonly #disperser: Disperser;
  readonly #switches: Switches;
  readonly #stopping: AbortSignal;

  constructor(disperser: Disperser, switches: Switches, stopping: AbortSignal) {
    this.#disperser = disperser;
    this.#switches = switches;
    this.#stopping = stopping;
  }

  /** @throws as `Switches.beforePut`, `Disperser.accept` */
  async accept(payload: Uint8Array, caller: Caller, options: AcceptOptions): Promise<BlobRecord> {
    this.#switches.beforePut(payload.length);
    await this.#switches.delay('accepted', options.signal);
    return this.#disperser.accept(payload, caller, options);
  }

  /** @throws as `Switches.beforeGet`, `Disperser.payload` */
  async payload(id: Root): Promise<Uint8Array | undefined> {
    await this.#switches.delay('read', this.#stopping);
    this.#switches.beforeGet();
    return this.#disperser.payload(id);
  }

  requireAccount(caller: Caller): void {
    this.#disperser.requireAccount(caller);
  }

  requireArchive(): void {
    this.#disperser.requireArchive();
  }

  find(id: Root): Promise<BlobRecord | undefined> {
    return this.#disperser.find(id);
  }

  findByCommitment(commitment: Uint8Array): Promise<BlobRecord | undefined> {
    return this.#disperser.findByCommitment(commitment);
  }

  findByKeccak(hash: Uint8Array): Promise<BlobRecord | undefined> {
    return this.#disperser.findByKeccak(hash);
  }

  reached(id: Root, stage: BlobStage, signal: AbortSignal): Promise<BlobRecord> {
    return this.#disperser.reached(id, stage, signal);
  }

  archiveOf(id: Root): Promise<ArchiveState | undefined> {
    return this.#disperser.archiveOf(id);
  }
}
