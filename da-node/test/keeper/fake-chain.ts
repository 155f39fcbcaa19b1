import { type SigningKey, signTicket, type Ticket, type VerifiedTicket } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import type { EpochPhase, Phase } from '@cairn/chain-access/da';
import {
  type Address,
  bigEndianBytes,
  chainIdOf,
  DRAW_RANGE,
  keccak256,
  parseAddress,
  toHex,
} from '@cairn/primitives';
import type { CallOutcome, KeeperChain, Standing } from '../../src/keeper/ports.ts';

export const BACKEND = blstBackend();

/** A signer of the fake chain. */
export interface FakeSigner {
  readonly address: Address;
  readonly key: SigningKey;
  votes: number;
  isContributor: boolean;
}

/** Epochs in memory that move when told to; every vote wins. */
export class FakeHub implements KeeperChain {
  readonly network = {
    hubChainId: chainIdOf(31_337),
    hub: parseAddress(`0x${'5e'.repeat(20)}`),
  };
  readonly people: FakeSigner[];
  phaseNow: Phase = 'open';
  finalPhaseNow: Phase = 'open';
  epoch = 3;
  hasFirstSeed = true;
  header: Uint8Array | undefined = Uint8Array.of(1, 2, 3);
  threshold = DRAW_RANGE;
  readonly posted = new Map<Address, Ticket>();
  readonly reported: Address[] = [];
  /** Every call that would be a transaction, by name. */
  readonly calls: string[] = [];
  /** What the next call throws. */
  failure: Error | undefined;
  outcome: CallOutcome = 'done';

  constructor(count = 3) {
    this.people = Array.from({ length: count }, (_, index) => ({
      address: parseAddress(toHex(bigEndianBytes(index + 1, 20))),
      key: BACKEND.openKey(bigEndianBytes(index + 7, 32)),
      votes: 4,
      isContributor: true,
    }));
  }

  get seed(): Uint8Array {
    return keccak256(bigEndianBytes(this.epoch + 1, 8));
  }

  ticketOf({ address, key }: FakeSigner, epoch = this.epoch + 1): VerifiedTicket {
    const signature = signTicket(key, this.network, { epoch, seed: this.seed });
    return { signer: address, signature, beta: new Uint8Array(32) } as unknown as VerifiedTicket;
  }

  async phase(): Promise<EpochPhase> {
    return { phase: this.phaseNow, epoch: this.epoch, untilBlock: undefined };
  }

  async finalPhase(): Promise<EpochPhase> {
    return { phase: this.finalPhaseNow, epoch: this.epoch, untilBlock: undefined };
  }

  async round(epoch: number): Promise<{ epoch: number; seed: Uint8Array } | undefined> {
    return epoch === this.epoch + 1 ? { epoch, seed: this.seed } : undefined;
  }

  async odds(): Promise<{ threshold: number; quorums: number }> {
    return { threshold: this.threshold, quorums: 1 };
  }

  async standing(address: Address): Promise<Standing> {
    const signer = this.people.find((candidate) => candidate.address === address);
    return {
      votes: signer?.votes ?? 0,
      publicKey: signer?.key.publicKey,
      hasTicket: this.posted.has(address),
      isContributor: signer?.isContributor ?? false,
    };
  }

  async needsFirstSeed(): Promise<boolean> {
    return !this.hasFirstSeed;
  }

  async entropyHeader(): Promise<Uint8Array | undefined> {
    return this.header;
  }

  async drawFirstSeed(): Promise<CallOutcome> {
    const outcome = this.#called('drawFirstSeed');
    this.hasFirstSeed = true;
    return outcome;
  }

  async seal(): Promise<CallOutcome> {
    const outcome = this.#called('seal');
    this.phaseNow = 'sealed';
    return outcome;
  }

  async submitTickets(tickets: readonly Ticket[]): Promise<CallOutcome> {
    const outcome = this.#called(`submitTickets ${tickets.length}`);
    if (outcome === 'done') for (const ticket of tickets) this.posted.set(ticket.signer, ticket);
    return outcome;
  }

  async voters(): Promise<readonly Address[]> {
    return this.people.map(({ address }) => address);
  }

  async reportMissed({ signer }: { readonly signer: Address }): Promise<CallOutcome> {
    const outcome = this.#called('reportMissed');
    this.reported.push(signer);
    const person = this.people.find(({ address }) => address === signer);
    if (person !== undefined) person.votes = 0; // jailed
    return outcome;
  }

  #called(name: string): CallOutcome {
    this.calls.push(name);
    const { failure } = this;
    if (failure === undefined) return this.outcome;
    throw failure;
  }
}
