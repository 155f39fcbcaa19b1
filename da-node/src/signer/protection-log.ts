import {
  checkpointNumberOf,
  leafHash,
  type Network,
  type Signature,
  type SigningKey,
  STATEMENT_KINDS,
  type Statement,
  signStatement,
  slotOf,
  treeRoot,
} from '@cairn/attestation';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import { concatBytes, equalBytes, keccak256, Semaphore } from '@cairn/primitives';
import { type AppendFile, openAppendFile } from './append-file.ts';
import {
  broken,
  closed,
  damaged,
  foreign,
  full,
  missing,
  signedBefore,
  streamSigned,
} from './protection-faults.ts';
import {
  encodeFrame,
  encodeProtectionHead,
  FIRST_CHAIN,
  PROTECTION_HEAD_BYTES,
  type ProtectedSlot,
  parseProtectionHead,
  readFrame,
} from './protection-frames.ts';
import { CheckpointStreams } from './protection-streams.ts';

declare const protectedBrand: unique symbol;

/** A statement whose slots are this signer's for good. Only `ProtectionLog.protect` makes one. */
export type ProtectedStatement = Statement & { readonly [protectedBrand]: true };

/** Signs what the log has made durable. */
export function signProtected(
  key: SigningKey,
  network: Network,
  statement: ProtectedStatement,
): Signature {
  return signStatement(key, network, statement);
}

/** Where a log lies and whose it is. */
export interface ProtectionLogOptions {
  readonly path: string;
  /** The key that signs; a log of another key is refused. */
  readonly publicKey: Uint8Array;
  /** Whether an absent file is a new log. Where the signer has signed before, it is a lost one. */
  readonly mayCreate: boolean;
  /** Slots at most, some 300 bytes of memory each; 500,000 unless told. */
  readonly maxSlots?: number;
  /** Opens the file for appending; a real one unless told. */
  readonly openFile?: (path: string) => Promise<AppendFile>;
}

const MAX_SLOTS = 500_000;
/** Calls that wait for the disk; each is one request for a vote. */
const MAX_WAITING = 1024;
/** Slots in one frame of a rewritten log. */
const SLOTS_PER_FRAME = 4096;

/** Where the log ends. */
interface Tip {
  readonly lengthBytes: number;
  readonly frames: number;
  readonly chain: number;
}

/**
 * Remembers for which leaf each slot was signed, before the signature exists: a signature that left
 * can never be joined by one for another leaf, whenever the process or the machine dies.
 *
 * All slots are in memory too, so asking costs nothing; `forget` drops those of epochs that are over
 * and refuses these epochs from then on.
 */
export class ProtectionLog {
  readonly #options: ProtectionLogOptions;
  readonly #turns = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  #slots: Map<string, ProtectedSlot>;
  /** The newest number that was signed in each stream of checkpoints. */
  #streams: CheckpointStreams;
  #floorEpoch: number;
  #file: AppendFile;
  #tip: Tip;
  /** Why nothing more is signed: what is on the disk is not known any more. */
  #broken: unknown;

  private constructor(options: ProtectionLogOptions, found: Found, file: AppendFile) {
    this.#options = options;
    this.#slots = found.slots;
    this.#streams = new CheckpointStreams(found.slots.values());
    this.#floorEpoch = found.floorEpoch;
    this.#tip = found.tip;
    this.#file = file;
  }

  /**
   * Opens the log. The last write, if a crash cut it off, is dropped: no signature relied on it.
   *
   * @throws {SignerError} PROTECTION_MISSING, SIGNER_DAMAGED, PROTECTION_FOREIGN; {StorageError}
   */
  static async open(options: ProtectionLogOptions): Promise<ProtectionLog> {
    const { path, mayCreate, openFile = openAppendFile } = options;
    const identity = keccak256(options.publicKey);
    const held = await readFileIfPresent(path);
    if (held === undefined && !mayCreate) throw missing(path);
    const bytes = new Uint8Array(held ?? encodeProtectionHead({ identity, floorEpoch: 0 }));
    if (held === undefined) await writeFileAtomic(path, bytes, { mode: 0o600 });
    const found = readLog(bytes, path, identity);
    const file = await openFile(path);
    if (found.tip.lengthBytes < bytes.length) {
      await file.truncate(found.tip.lengthBytes);
      await file.sync();
    }
    return new ProtectionLog(options, found, file);
  }

  /** Slots that are remembered. */
  get slots(): number {
    return this.#slots.size;
  }

  /** Bytes of the file. */
  get lengthBytes(): number {
    return this.#tip.lengthBytes;
  }

  /** Nothing is signed for epochs below. */
  get floorEpoch(): number {
    return this.#floorEpoch;
  }

  /** The earliest epoch that is not forgotten; looks at all slots. */
  get oldestEpoch(): number | undefined {
    let oldest: number | undefined;
    for (const { epoch } of this.#slots.values()) {
      if (epoch < this.#floorEpoch) continue; // the tip of a stream of checkpoints, which stays
      if (oldest === undefined || epoch < oldest) oldest = epoch;
    }
    return oldest;
  }

  /** The leaf for which the slot was signed. */
  leafOf(slot: Uint8Array): Uint8Array | undefined {
    return this.#slots.get(keyOf(slot))?.leaf;
  }

  /** The newest number that was signed in the stream of checkpoints to which a slot belongs; 0 for none. */
  newestIn(slot: Uint8Array): number {
    return this.#streams.newestIn(slot);
  }

  /**
   * Takes the slots of all bodies for this signer and makes that durable; one that is taken for
   * another body refuses all. What comes back may be signed, any number of times.
   *
   * In a stream of checkpoints only numbers above the newest are new: what was signed for one below and
   * is forgotten can never be joined by another.
   *
   * @param bodies - the statement's leaves in order: blob headers, checkpoints, or the one header of an
   *   epoch
   * @throws {SignerError} SLOT_SIGNED, STREAM_SIGNED, PROTECTION_CLOSED, PROTECTION_FULL, PROTECTION_BROKEN;
   *   {StorageError} DISK_FULL; {QueueFullError}; the signal's reason, before anything is written
   */
  protect(
    about: Omit<Statement, 'root' | 'count'>,
    bodies: readonly Uint8Array[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ProtectedStatement> {
    return this.#turns.run(async () => {
      this.#assertWorks();
      if (about.epoch < this.#floorEpoch) throw closed(about.epoch, this.#floorEpoch);
      const isTree = about.kind !== STATEMENT_KINDS.handover;
      const leaves = bodies.map((body) => (isTree ? leafHash(body) : keccak256(body)));
      const fresh = this.#freshSlots(about, bodies, leaves);
      if (fresh.length > 0) await this.#append(fresh);
      const root = isTree ? treeRoot(leaves) : (leaves[0] ?? new Uint8Array(32));
      return { ...about, count: bodies.length, root } as ProtectedStatement;
    }, signal);
  }

  /**
   * Drops what was signed in epochs below and refuses to sign for these from now on. Writes the log
   * anew where that drops anything; a crash leaves the old one or the new one. The newest number of
   * each stream of checkpoints stays, however old it is: the next committee goes on from it.
   *
   * @throws {StorageError} DISK_FULL, DISK_IO: nothing is forgotten then
   */
  forget(beforeEpoch: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#turns.run(async () => {
      this.#assertWorks();
      const kept = [...this.#slots.values()].filter(
        ({ epoch, slot }) => epoch >= beforeEpoch || this.#streams.isNewest(slot),
      );
      if (beforeEpoch <= this.#floorEpoch || kept.length === this.#slots.size) return;
      await this.#rewrite(kept, beforeEpoch);
    }, signal);
  }

  /** Waits for what runs and closes the file. */
  async close(): Promise<void> {
    await this.#turns.run(async () => {
      this.#broken ??= new Error('the log is closed');
      await this.#file.close();
    }, new AbortController().signal);
  }

  #assertWorks(): void {
    if (this.#broken === undefined) return;
    throw broken(this.#broken);
  }

  /** Slots that are not taken yet, each once. @throws {SignerError} SLOT_SIGNED, PROTECTION_FULL */
  #freshSlots(
    { kind, domain, epoch }: Omit<Statement, 'root' | 'count'>,
    bodies: readonly Uint8Array[],
    leaves: readonly Uint8Array[],
  ): ProtectedSlot[] {
    const fresh = new Map<string, ProtectedSlot>();
    const streams = new CheckpointStreams([]);
    for (const [at, body] of bodies.entries()) {
      const leaf = leaves[at] ?? new Uint8Array(32);
      const slot = slotOf({ statement: { kind, domain }, body });
      if (slot === undefined) continue;
      const key = keyOf(slot);
      const taken = this.#slots.get(key) ?? fresh.get(key);
      if (taken === undefined) {
        const number = checkpointNumberOf(slot);
        const newest = Math.max(this.#streams.newestIn(slot), streams.newestIn(slot));
        if (number !== undefined && number <= newest) throw streamSigned(slot, number, newest);
        streams.note(slot);
        fresh.set(key, { slot, leaf, epoch });
      } else if (!equalBytes(taken.leaf, leaf)) {
        throw signedBefore(slot, taken.leaf, leaf);
      }
    }
    const { maxSlots = MAX_SLOTS } = this.#options;
    if (this.#slots.size + fresh.size > maxSlots) throw full(this.#slots.size, maxSlots);
    return [...fresh.values()];
  }

  async #append(slots: readonly ProtectedSlot[]): Promise<void> {
    const { lengthBytes, frames, chain } = this.#tip;
    const frame = encodeFrame(slots, { number: frames, chain });
    try {
      await this.#file.write(frame.bytes, lengthBytes);
    } catch (error) {
      await this.#cutBack(lengthBytes, error);
      throw error;
    }
    try {
      await this.#file.sync();
    } catch (error) {
      this.#broken = error; // after a failed sync nobody knows what the disk holds
      throw error;
    }
    for (const slot of slots) {
      this.#slots.set(keyOf(slot.slot), slot);
      this.#streams.note(slot.slot);
    }
    const end = lengthBytes + frame.bytes.length;
    this.#tip = { lengthBytes: end, frames: frames + 1, chain: frame.chain };
  }

  /** Takes a write back that failed, as on a full disk; the next one may succeed. */
  async #cutBack(lengthBytes: number, reason: unknown): Promise<void> {
    try {
      await this.#file.truncate(lengthBytes);
      await this.#file.sync();
    } catch {
      this.#broken = reason;
    }
  }

  async #rewrite(kept: readonly ProtectedSlot[], floorEpoch: number): Promise<void> {
    const { path, publicKey, openFile = openAppendFile } = this.#options;
    const parts = [encodeProtectionHead({ identity: keccak256(publicKey), floorEpoch })];
    let chain = FIRST_CHAIN;
    for (let from = 0; from < kept.length; from += SLOTS_PER_FRAME) {
      const frame = encodeFrame(kept.slice(from, from + SLOTS_PER_FRAME), {
        number: parts.length - 1,
        chain,
      });
      parts.push(frame.bytes);
      chain = frame.chain;
    }
    const bytes = concatBytes(...parts);
    await writeFileAtomic(path, bytes, { mode: 0o600 });
    // The old file has no name any more: appending to it would be lost.
    this.#broken = new Error('the rewritten log could not be opened');
    const file = await openFile(path);
    await this.#file.close();
    this.#file = file;
    this.#slots = new Map(kept.map((slot) => [keyOf(slot.slot), slot]));
    this.#streams = new CheckpointStreams(kept);
    this.#floorEpoch = floorEpoch;
    this.#tip = { lengthBytes: bytes.length, frames: parts.length - 1, chain };
    this.#broken = undefined;
  }
}

interface Found {
  readonly slots: Map<string, ProtectedSlot>;
  readonly floorEpoch: number;
  readonly tip: Tip;
}

function readLog(bytes: Uint8Array, path: string, identity: Uint8Array): Found {
  const head = parseProtectionHead(bytes);
  if (head === undefined) throw damaged(path, 0);
  if (!equalBytes(head.identity, identity)) throw foreign(path);
  const slots = new Map<string, ProtectedSlot>();
  let tip: Tip = { lengthBytes: PROTECTION_HEAD_BYTES, frames: 0, chain: FIRST_CHAIN };
  for (;;) {
    const reading = readFrame(bytes, tip.lengthBytes, { number: tip.frames, chain: tip.chain });
    if (reading.kind === 'damaged') throw damaged(path, tip.lengthBytes);
    if (reading.kind === 'end') return { slots, floorEpoch: head.floorEpoch, tip };
    for (const slot of reading.slots) slots.set(keyOf(slot.slot), slot);
    tip = { lengthBytes: reading.end, frames: tip.frames + 1, chain: reading.chain };
  }
}

function keyOf(slot: Uint8Array): string {
  return Buffer.from(slot.buffer, slot.byteOffset, slot.length).toString('latin1');
}
