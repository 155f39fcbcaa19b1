import {
  type BlsBackend,
  BlsError,
  type Committee,
  type EpochHeader,
  encodeMember,
  MessageError,
  type PublicKey,
  parseEpochHeader,
  parseSnapshot,
  QuorumError,
  type VerifiedSnapshot,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { type BlockMark, equalBytes, LruCache, Semaphore, SingleFlight } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { DaError } from './errors.ts';
import { readEpochInfo } from './hub-facts.ts';
import type { Hub } from './open-hub.ts';
import type { SignerBook } from './signer-book.ts';
import { readTickets, type SeatedTicket, seatsIn } from './tickets.ts';

/** Sealed epochs kept: those that anyone still asks about, and as many carried before them. */
const MAX_EPOCHS = 64;
/** Members kept over all committees: 20 MB. */
const MAX_MEMBERS = 65_536;
/** Draws whose tickets are kept: the last two. */
const MAX_DRAWS = 2;
/** Epochs that are remembered as not sealed in one final block. */
const MAX_ABSENT = 64;
/** Readers that wait for an answer at a time. */
const MAX_WAITING = 1024;

/** An epoch as it was sealed in a final block. */
export interface SealedEpoch {
  readonly header: EpochHeader;
  /** The epoch for which its members were drawn: older than itself after a carry-over. */
  readonly drawnEpoch: number;
  /** The block that sealed it. */
  readonly block: BlockMark;
}

/** What one final block says of all epochs. */
interface Horizon {
  readonly block: number;
  /** The newest epoch that can be sealed there: the one after that in office. */
  readonly newest: number;
  readonly absent: Set<number>;
}

/**
 * Epochs and their committees, rebuilt from events in final blocks and checked against what the
 * contract holds. Keeps what was asked for last.
 */
export class EpochBook {
  readonly #hub: Hub;
  readonly #signers: SignerBook;
  readonly #backend: Pick<BlsBackend, 'parseKey'>;
  readonly #reader: EventReader;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #looking = new SingleFlight<Horizon>();
  /** Of looks that several readers wait for; each look is bounded in time by the client. */
  readonly #lasting = new AbortController().signal;
  #horizon: Horizon | undefined;
  readonly #epochs = new LruCache<number, SealedEpoch>({ maxWeight: MAX_EPOCHS });
  readonly #draws = new LruCache<number, readonly SeatedTicket[]>({ maxWeight: MAX_DRAWS });
  readonly #committees = new LruCache<string, Committee>({
    maxWeight: MAX_MEMBERS,
    weigh: ({ members }) => members.length,
  });

  constructor(deps: {
    readonly hub: Hub;
    readonly signers: SignerBook;
    readonly backend: Pick<BlsBackend, 'parseKey'>;
  }) {
    this.#hub = deps.hub;
    this.#signers = deps.signers;
    this.#backend = deps.backend;
    const { client, sortition } = deps.hub;
    this.#reader = new EventReader({ client, address: sortition.address });
  }

  /**
   * A sealed epoch; `undefined` while no final block has sealed it. Waits for no other reader where it
   * is kept, or too far ahead for the newest final block, about which all readers share one look.
   *
   * @param span - epochs further behind the newest that can be sealed are not looked up either, which
   * takes a walk over old blocks; however far unless told
   * @throws {DaError} DA_LOG_INCONSISTENT; {QueueFullError}; what the client throws
   */
  async sealed(
    epoch: number,
    { signal, span = Number.POSITIVE_INFINITY }: CallOptions & { readonly span?: number },
  ): Promise<SealedEpoch | undefined> {
    const known = this.#epochs.get(epoch);
    if (known !== undefined) return known;
    const { newest, absent } = await this.#look({ signal });
    if (epoch > newest || epoch < newest - span || absent.has(epoch)) return undefined;
    return this.#turn.run(() => this.#sealed(epoch, { signal }), signal);
  }

  /**
   * The members of a group in office. Waits for no other reader where they are kept.
   *
   * @throws {DaError} DA_EPOCH_UNKNOWN; DA_QUORUM_EMPTY for a group that has no members or is none of
   * the epoch's; DA_LOG_INCONSISTENT for events that contradict the snapshot; {QueueFullError}; what
   * the client throws
   */
  async committee(
    { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
    { signal }: CallOptions,
  ): Promise<Committee> {
    const name = `${epoch}:${quorumId}`;
    const known = this.#committees.get(name);
    if (known !== undefined) return known;
    const sealed = await this.sealed(epoch, { signal });
    if (sealed === undefined) throw unknownEpoch(epoch);
    if (quorumId >= sealed.header.snapshotHashes.length) throw emptyQuorum(epoch, quorumId);
    return this.#turn.run(async () => {
      const built = this.#committees.get(name);
      if (built !== undefined) return built;
      const committee = await this.#rebuild(epoch, quorumId, { signal });
      this.#committees.set(name, committee);
      return committee;
    }, signal);
  }

  #look({ signal }: CallOptions): Promise<Horizon> {
    return this.#looking.run('', () => this.#lookOnce({ signal: this.#lasting }), signal);
  }

  async #lookOnce(options: CallOptions): Promise<Horizon> {
    const block = await this.#hub.finalBlock(options);
    if (this.#horizon?.block === block) return this.#horizon;
    const at = { ...options, block };
    const current = (await this.#hub.sortition.read('currentEpoch', [], at)).number(0);
    const horizon = { block, newest: current + 1, absent: new Set<number>() };
    this.#horizon = horizon;
    return horizon;
  }

  async #sealed(epoch: number, options: CallOptions): Promise<SealedEpoch | undefined> {
    const known = this.#epochs.get(epoch);
    if (known !== undefined) return known;
    const { block, newest, absent } = await this.#look(options);
    if (epoch > newest || absent.has(epoch)) return undefined;
    const current = newest - 1;
    const at = { ...options, block };
    const info = await readEpochInfo(this.#hub, epoch, at);
    if (info === undefined) {
      if (absent.size < MAX_ABSENT) absent.add(epoch);
      return undefined;
    }
    const { sortition } = this.#hub;
    const start = (await sortition.read('startBlock', [], at)).number(0);
    // An epoch begins at its seal or later, so that of a past one lies before this one's start.
    const toBlock = epoch > current ? block : Math.min(start, block);
    const found = await this.#findHeader(epoch, toBlock, options);
    const { header } = found;
    const hashes: Uint8Array[] = [];
    for (let quorumId = 0; quorumId < info.groups; quorumId += 1) {
      hashes.push((await sortition.read('snapshotHash', [epoch, quorumId], at)).bytes(0));
    }
    const isSame =
      header.epoch === epoch &&
      header.startSeconds === info.startSeconds &&
      header.endSeconds === info.endSeconds &&
      equalBytes(header.seed, info.seed) &&
      header.snapshotHashes.length === hashes.length &&
      hashes.every((hash, index) => equalBytes(hash, header.snapshotHashes[index] ?? hash));
    if (!isSame) throw inconsistentEpoch(epoch, 0, 'its header is not the one that is kept');
    const carries = (await sortition.read('carriesOf', [epoch], at)).number(0);
    const sealed = { ...found, drawnEpoch: epoch - carries };
    this.#epochs.set(epoch, sealed);
    return sealed;
  }

  async #findHeader(
    epoch: number,
    toBlock: number,
    options: CallOptions,
  ): Promise<Pick<SealedEpoch, 'header' | 'block'>> {
    const { sortition, firstBlock } = this.#hub;
    const topics = [sortition.topic('EpochSealed')];
    const query = { topics, indexed: indexedNumber(epoch), fromBlock: firstBlock, toBlock };
    for await (const { logs } of this.#reader.backward(query, options)) {
      const log = logs.at(-1);
      // The event's data is the ABI form of its one value that is not indexed.
      if (log !== undefined) return { header: parseEpochHeader(log.data), block: log.block };
    }
    throw inconsistentEpoch(epoch, 0, 'no event tells of its seal');
  }

  async #rebuild(epoch: number, quorumId: number, options: CallOptions): Promise<Committee> {
    const sealed = await this.#sealed(epoch, options);
    if (sealed === undefined) throw unknownEpoch(epoch);
    const { drawnEpoch, header } = sealed;
    const drawn = drawnEpoch === epoch ? sealed : await this.#sealed(drawnEpoch, options);
    if (drawn === undefined) throw inconsistentEpoch(drawnEpoch, quorumId, 'it was never sealed');
    try {
      const snapshot = await this.#snapshot(drawn, header, quorumId, options);
      const tickets = await this.#tickets(drawn, snapshot, options);
      return await this.#verified(snapshot, tickets, options);
    } catch (error) {
      if (!isContradiction(error)) throw error;
      const reason = 'its events do not lead to its snapshot';
      throw inconsistentEpoch(epoch, quorumId, reason, error);
    }
  }

  /** The snapshot that was sealed with the members, proven to hold office by the header. */
  async #snapshot(
    drawn: SealedEpoch,
    office: EpochHeader,
    quorumId: number,
    options: CallOptions,
  ): Promise<VerifiedSnapshot> {
    const { epoch } = drawn.header;
    const { sortition } = this.#hub;
    const topics = [sortition.topic('QuorumSealed')];
    const at = { fromBlock: drawn.block.number, toBlock: drawn.block.number };
    const query = { topics, indexed: indexedNumber(epoch), ...at };
    for await (const { logs } of this.#reader.forward(query, options)) {
      const log = logs.find(({ topics: [, , id] }) => id === indexedNumber(quorumId));
      if (log === undefined) break;
      const values = sortition.decode('QuorumSealed', log).inner('snapshot');
      if (values.number('memberCount') === 0) throw emptyQuorum(epoch, quorumId);
      return verifySnapshot(parseSnapshot(log.data, this.#backend), office);
    }
    throw emptyQuorum(epoch, quorumId);
  }

  async #tickets(
    drawn: SealedEpoch,
    snapshot: VerifiedSnapshot,
    options: CallOptions,
  ): Promise<readonly SeatedTicket[]> {
    const { epoch } = drawn.header;
    const known = this.#draws.get(epoch) ?? [];
    if (seatsIn(known, snapshot.quorumId).length >= snapshot.memberCount) return known;
    const committee = await this.#snapshot(drawn, drawn.header, 0, options);
    const tickets = await readTickets(
      { hub: this.#hub, reader: this.#reader },
      { epoch, toBlock: drawn.block.number, members: committee.memberCount },
      options,
    );
    this.#draws.set(epoch, tickets);
    return tickets;
  }

  async #verified(
    snapshot: VerifiedSnapshot,
    tickets: readonly SeatedTicket[],
    options: CallOptions,
  ): Promise<Committee> {
    const { epoch, quorumId } = snapshot;
    const holders = seatsIn(tickets, quorumId);
    const isKnown = holders.every(({ signer }) => this.#signers.keyAt(signer, epoch) !== undefined);
    if (!isKnown) await this.#signers.refresh(options);
    const bodies: Uint8Array[] = [];
    for (const [index, { signer, seats }] of holders.entries()) {
      await this.#signers.lookUp(signer, options);
      const publicKey = this.#signers.keyAt(signer, epoch);
      if (publicKey === undefined) throw inconsistentEpoch(epoch, quorumId, `${signer} has no key`);
      // Proven below, by the root over all bodies.
      bodies.push(encodeMember({ index, signer, seats, publicKey: publicKey as PublicKey }));
    }
    return verifyMembers(bodies, snapshot);
  }
}

/** Whether a fault means that events contradict each other or the contract, not that they cannot be had. */
function isContradiction(error: unknown): boolean {
  return [QuorumError, MessageError, BlsError].some((kind) => error instanceof kind);
}

function unknownEpoch(epoch: number): DaError {
  return new DaError(
    { code: 'DA_EPOCH_UNKNOWN', epoch },
    `epoch ${epoch} is not sealed in a final block`,
  );
}

function emptyQuorum(epoch: number, quorumId: number): DaError {
  return new DaError(
    { code: 'DA_QUORUM_EMPTY', epoch, quorumId },
    `group ${quorumId} drawn for epoch ${epoch} has no members`,
  );
}

function inconsistentEpoch(
  epoch: number,
  quorumId: number,
  reason: string,
  cause?: unknown,
): DaError {
  return new DaError(
    { code: 'DA_LOG_INCONSISTENT', epoch, quorumId, reason },
    `the events of epoch ${epoch} cannot be right: ${reason}`,
    { cause },
  );
}
