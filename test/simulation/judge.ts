import { rootOf } from '@cairn/primitives';
import {
  countOwnedSegments,
  firstGlobalSegment,
  ownedSegments,
  ownsSegment,
  parseSegmentMessage,
  splitSegmentMessages,
} from '@cairn/wire-protocol';
import {
  MAX_ASKED_SEGMENTS,
  parseFileAnnouncement,
  SEGMENTS_PROTOCOL,
} from '@cairn/wire-protocol/peers';
import type { LoggedFile } from './simulated-chain.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** A segment that a node said it stores. */
interface Acknowledged {
  readonly logged: LoggedFile;
  readonly index: number;
  readonly node: SimulatedNode;
  readonly diskNumber: number;
  /** Shards that it had been told to keep by then. */
  readonly shards: number;
  /** Whether it knew the place that the file has. */
  readonly isSeen: boolean;
}

/** Compares what nodes say and do with what they should, and tells the simulation what is wrong. */
export class Judge {
  /** Segments that honest nodes said they store. */
  readonly acknowledged: Acknowledged[] = [];
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** A node said that it stores a segment. */
  noteAcknowledged(logged: LoggedFile, index: number, node: SimulatedNode, isSeen: boolean): void {
    const { diskNumber, shards } = node;
    this.acknowledged.push({
      logged,
      index,
      node,
      diskNumber,
      shards: shards.length,
      isSeen,
    });
  }

  /** A process that starts on a disk that was kept holds what it acknowledged, unless blocks went. */
  async checkAcknowledged(node: SimulatedNode): Promise<void> {
    const { chain, faults } = this.#simulation;
    if (faults.rotted.has(node)) return;
    for (const { logged, index, node: by, diskNumber, shards, isSeen } of this.acknowledged) {
      if (!isSeen || by !== node || diskNumber !== node.diskNumber || !chain.stands(logged.entry))
        continue;
      const segment = firstGlobalSegment(logged.entry.startSector) + index;
      // The shard of then may have been on its way out.
      if (!node.shards.slice(shards - 1).every((shard) => ownsSegment(shard, segment))) continue;
      if ((await node.holds(logged, index)) !== false) continue;
      const { sequence } = logged.entry;
      this.#problem(`${node.options.peer} lost ${sequence}/${index}, which it acknowledged`);
    }
  }

  /** Whether another honest node holds, and goes on to hold, all acknowledged that this one holds. */
  async isSpare(node: SimulatedNode): Promise<boolean> {
    const { honest, chain, faults } = this.#simulation;
    const others = honest.filter((other) => other !== node && !faults.rotted.has(other));
    const isElsewhere = async (logged: LoggedFile, index: number): Promise<boolean> => {
      const segment = firstGlobalSegment(logged.entry.startSector) + index;
      for (const other of others) {
        if (!ownsSegment(other.shard, segment)) continue;
        if ((await other.holds(logged, index)) === true) return true;
      }
      return false;
    };
    for (const { logged, index } of this.acknowledged) {
      if (!chain.stands(logged.entry) || (await node.holds(logged, index)) !== true) continue;
      if (!(await isElsewhere(logged, index))) return false;
    }
    return true;
  }

  /** Nobody honest gives another peer a bad byte. */
  checkReply(from: string, protocol: string, reply: Uint8Array): void {
    if (protocol !== SEGMENTS_PROTOCOL.id || !this.#simulation.isHonest(from)) return;
    for (const bytes of splitSegmentMessages(reply, MAX_ASKED_SEGMENTS)) {
      const { root, index, data } = parseSegmentMessage(bytes).segment;
      const right = this.#simulation.bank.segment(rootOf(root), index);
      if (right === undefined || Buffer.compare(right, data) !== 0)
        this.#problem(`${from} served bad bytes of segment ${index}`);
    }
  }

  /** An honest node announces only files of which its shard owns something, at some place they had. */
  checkNews(from: string, bytes: Uint8Array): void {
    const { root, shard } = parseFileAnnouncement(bytes);
    const isOwner = this.#simulation
      .placesOf(root)
      .some(({ entry: { startSector, sizeBytes } }) => {
        return countOwnedSegments(shard, startSector, sizeBytes) > 0;
      });
    if (!isOwner) this.#problem(`${from} announces ${root}, of which it holds nothing`);
  }

  /** Nobody keeps out who is honest. */
  checkDrop(by: string, peer: string): void {
    const { isHonest } = this.#simulation;
    if (isHonest(peer) && isHonest(by)) this.#problem(`${by} keeps out ${peer}, which is honest`);
  }

  /** Who has not all yet that it should have; `undefined`: everybody has. */
  async whoLacks(signal: AbortSignal): Promise<string | undefined> {
    const { chain, honest, faults } = this.#simulation;
    const { files } = chain;
    for (const [{ options, diskNumber, scrubbedFromMs = 0 }, rot] of faults.rotted) {
      if (!this.#simulation.isHonest(options.peer) || diskNumber !== rot.diskNumber) continue;
      if (scrubbedFromMs < rot.atMs) return `${options.peer} for a look at its disk`;
    }
    for (const { options, log, isMoving } of honest) {
      if (log === undefined || log.nextSequence !== files.length) return options.peer;
      if (isMoving) return `${options.peer} for its other shard`;
      const [waiting] = await log.pendingFrom(0, { signal, limit: 1 });
      if (waiting !== undefined) return `${options.peer} for entry ${waiting}`;
    }
    return undefined;
  }

  /** Reads everything that honest nodes should hold. */
  async checkBytes(): Promise<void> {
    const { chain, honest } = this.#simulation;
    for (const node of honest) {
      const { peer } = node.options;
      for (const logged of chain.files) {
        const { sizeBytes } = logged.file.commitment.shape;
        for (const index of ownedSegments(node.shard, logged.entry.startSector, sizeBytes)) {
          const data = await node.read(logged, index);
          const right = logged.file.segments[index];
          const isRight = right !== undefined && data !== undefined && isSame(data, right);
          if (!isRight) this.#problem(`${peer} does not hold ${logged.entry.sequence}/${index}`);
        }
      }
    }
  }

  #problem(what: string): void {
    this.#simulation.problem(what);
  }
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left === right || Buffer.compare(left, right) === 0;
}
