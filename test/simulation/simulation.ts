import { createHash } from 'node:crypto';
import { describeError, type Rng, rootOf, seededRng } from '@cairn/primitives';
import {
  countOwnedSegments,
  ownedSegments,
  parseSegmentMessage,
  type ShardConfig,
  splitSegmentMessages,
} from '@cairn/wire-protocol';
import {
  MAX_ASKED_SEGMENTS,
  parseFileAnnouncement,
  SEGMENTS_PROTOCOL,
} from '@cairn/wire-protocol/peers';
import { Faults } from './faults.ts';
import type { BankFile, FileBank } from './file-bank.ts';
import { lyingManners } from './lies.ts';
import { type LoggedFile, SimulatedChain } from './simulated-chain.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { type Manners, SimulatedNetwork, type Traffic } from './simulated-network.ts';
import { SimulatedNode } from './simulated-node.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What is simulated. */
export interface SimulationOptions {
  /** All chance comes from it: the same seed is the same run. */
  readonly seed: number;
  readonly nodes: number;
  readonly files: number;
  /** Plants a fault in every node: segments are acknowledged before they are on the disk. */
  readonly acknowledgesEarly?: boolean;
  /** Whether nothing goes wrong, for measuring. */
  readonly isCalm?: boolean;
}

/** What came out. */
export interface SimulationResult {
  /** Of all that happened, in order: equal for equal runs. */
  readonly trace: string;
  /** What should never be; empty for code that works. */
  readonly problems: readonly string[];
  /** Simulated time from the last fault until all honest nodes held what their shards own. */
  readonly convergedAfterMs: number | undefined;
  readonly traffic: Traffic;
  /** Faults that were done, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Bytes on the disks of all nodes at the end. */
  readonly diskBytes: number;
}

/** A segment that a node said it stores. */
interface Acknowledged {
  readonly logged: LoggedFile;
  readonly index: number;
  readonly node: SimulatedNode;
  readonly diskNumber: number;
}

/** Files are paid for, and things go wrong, for so long. */
export const BUSY_MS = 60_000;
/**
 * All honest nodes hold what they should within this simulated time after the last fault: the longest
 * rest of a peer, of an address and of an entry, one after another (3 · 300 s).
 */
export const CONVERGES_WITHIN_MS = 900_000;
/** Time between looks whether they do. */
const LOOK_MS = 2000;
const BLOCK_MS = 2000;
/** Time between looks of a node through all it stores. */
const SCRUB_MS = 30_000;
/** Until an uploader that was turned away tries again. */
const RETRY_MS = 700;
/** Characters of the trace that are kept before they go into its digest. */
const MAX_TRACED = 16_384;
const PEER_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ';

/** A network of storage nodes on simulated machines, with people who store files in it. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly clock = new VirtualClock();
  readonly chain = new SimulatedChain();
  readonly network: SimulatedNetwork;
  readonly rng: Rng;
  readonly nodes: SimulatedNode[] = [];
  /** Segments that honest nodes said they store. */
  readonly acknowledged: Acknowledged[] = [];
  readonly #bank: FileBank;
  readonly #honest = new Map<string, boolean>();
  readonly #trace = createHash('sha256');
  /** The newest part of the trace, that is not in its digest yet. */
  #traced = '';
  readonly #problems: string[] = [];
  readonly #faults: Faults;
  readonly #ended = new AbortController();
  /** All that was ever in a block. */
  readonly #mined: LoggedFile[] = [];
  /** Files that were paid for and are in no block. */
  #waiting: BankFile[] = [];
  #uploads = 0;
  #calmSinceMs: number | undefined;
  #convergedAfterMs: number | undefined;

  constructor(bank: FileBank, options: SimulationOptions) {
    this.options = options;
    this.#bank = bank;
    this.rng = seededRng(options.seed);
    this.network = new SimulatedNetwork({
      clock: this.clock,
      rng: this.#chance(),
      note: (what) => this.note(what),
      onReply: (from, protocol, reply) => this.#checkReply(from, protocol, reply),
      onPublish: (from, bytes) => this.#checkNews(from, bytes),
      onDrop: (by, peer) => {
        if (this.#honest.get(peer) === true && this.#honest.get(by) === true)
          this.problem(`${by} keeps out ${peer}, which is honest`);
      },
    });
    this.#makeNodes();
    this.#faults = new Faults(this, this.#chance());
  }

  /** Honest nodes. */
  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter(({ options }) => this.#honest.get(options.peer));
  }

  /** Runs until all honest nodes hold what they should, the time for that is over, or a problem. */
  async run(): Promise<SimulationResult> {
    for (const node of this.nodes) this.start(node);
    this.#spawn(() => this.#payForFiles());
    this.#spawn(() => this.#watch());
    while (!this.#ended.signal.aborted && (await this.clock.turn()));
    const diskBytes = this.nodes.reduce((sum, { disk }) => sum + disk.sizeBytes, 0);
    for (const node of this.nodes) node.crash({ keepDisk: true });
    this.#digest();
    return {
      trace: this.#trace.digest('hex'),
      problems: this.#problems,
      convergedAfterMs: this.#convergedAfterMs,
      traffic: this.network.traffic,
      faults: this.#faults.done,
      diskBytes,
    };
  }

  /** Adds to what happened. */
  note(what: string): void {
    this.#traced += `${this.clock.monotonic()} ${what}\n`;
    if (this.#traced.length > MAX_TRACED) this.#digest();
  }

  #digest(): void {
    this.#trace.update(this.#traced);
    this.#traced = '';
  }

  /** Something that should never be. */
  problem(what: string): void {
    this.#problems.push(`at ${this.clock.monotonic()} ms: ${what}`);
  }

  /** Lets a node's process begin, and looks whether its disk holds what it should. */
  start(node: SimulatedNode): void {
    this.#spawn(async () => {
      try {
        await node.start();
      } catch (error) {
        // It stopped again before it was up; then its disk says no to it.
        if (!describeError(error).includes('the machine stopped')) throw error;
        return;
      }
      this.note(`${node.options.peer} is up`);
      await this.#checkAcknowledged(node);
    });
  }

  /** Takes blocks back; their files are paid for again in another order. */
  reorg(depth: number): void {
    const dropped = [...this.chain.reorg(depth)];
    while (dropped.length > 0) {
      this.#waiting.push(...dropped.splice(this.rng.below(dropped.length), 1));
    }
  }

  /** Runs something beside the rest until the end; its failure is a problem. */
  #spawn(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.problem(describeError(error));
    });
  }

  #chance(): Rng {
    return seededRng(this.rng.below(2 ** 32));
  }

  #makeNodes(): void {
    const { nodes, isCalm = false } = this.options;
    const shards = 2 ** Math.max(0, Math.floor(Math.log2(nodes / 4)));
    const addresses = Array.from({ length: nodes }, (_, number) => addressOf(number));
    for (const [number, address] of addresses.entries()) {
      // The first two of each shard are good ones, so that nothing is in the hands of liars alone.
      const kind = number < 2 * shards || isCalm ? 0 : this.rng.below(5);
      this.#honest.set(peerOf(number), kind < 4);
      this.nodes.push(
        this.#makeNode(number, address, { id: number % shards, count: shards }, kind),
      );
    }
  }

  #makeNode(number: number, address: string, shard: ShardConfig, kind: number): SimulatedNode {
    const { clock, network, chain } = this;
    const rng = this.#chance();
    const slowMs = kind === 3 ? 8000 : 20;
    const manners: Manners = kind === 4 ? lyingManners(this.#chance()) : { answerMs: slowMs };
    const { nodes, acknowledgesEarly = false, isCalm = false } = this.options;
    return new SimulatedNode(
      {
        clock,
        rng,
        network,
        hasher: this.#bank.hasher,
        known: this.#bank.known,
        chainLog: chain.viewFor(clock, this.#chance()),
        disk: new SimulatedDisk({ clock, rng: this.#chance(), known: this.#bank.known }),
        onFailure: (reason) => this.problem(`${peerOf(number)} ended: ${reason}`),
      },
      {
        peer: peerOf(number),
        address,
        shard,
        boot: [0, 1, 2].map((at) => addressOf((number + 1 + at * at) % nodes)),
        manners,
        targetPeers: 8,
        acknowledgesEarly,
        scrubMs: isCalm ? undefined : SCRUB_MS,
      },
    );
  }

  /** Mines blocks with files, each of which somebody uploads. */
  async #payForFiles(): Promise<void> {
    const { files, seed } = this.options;
    const blocks = BUSY_MS / BLOCK_MS;
    let paid = 0;
    for (let block = 1; block <= blocks || this.#waiting.length > 0; block += 1) {
      await this.clock.wait(BLOCK_MS);
      const due = Math.min(files, Math.round((files * block) / blocks));
      for (; paid < due; paid += 1)
        this.#waiting.push(this.#bank.file((seed * 7 + paid) % BANK_FILES));
      if (block <= blocks) await this.#faults.strike();
      if (block === blocks) this.#faults.end();
      const mined = this.chain.mine(this.#waiting.splice(0));
      this.#mined.push(...mined);
      this.note(`block ${this.chain.head.number} of ${mined.length} files`);
      for (const logged of mined) {
        for (const index of logged.file.segments.keys()) {
          this.#uploads += 1;
          this.#spawn(() => this.#upload(logged, index));
        }
      }
    }
    this.#calmSinceMs = this.clock.monotonic();
  }

  /** Brings one segment to an honest node of its shard, as often as it takes. */
  async #upload(logged: LoggedFile, index: number): Promise<void> {
    const { startSector } = logged.entry;
    const { sizeBytes } = logged.file.commitment.shape;
    const owners = this.honest.filter(({ options: { shard } }) =>
      [...ownedSegments(shard, startSector, sizeBytes)].includes(index),
    );
    for (;;) {
      await this.clock.wait(this.rng.below(RETRY_MS));
      if (!this.chain.stands(logged.entry)) break;
      const node = owners[this.rng.below(owners.length)];
      if (node?.isUp !== true) continue;
      const { diskNumber } = node;
      const outcome = await node.accept(logged, index).catch(describeError);
      this.note(`${node.options.peer} ${logged.entry.sequence}/${index} ${outcome}`);
      if (outcome === 'foreign') this.problem(`${node.options.peer} refuses its own segment`);
      if (outcome !== 'stored' && outcome !== 'already' && outcome !== 'finalized') continue;
      this.acknowledged.push({ logged, index, node, diskNumber });
      this.#faults.onAcknowledged(node);
      break;
    }
    this.#uploads -= 1;
  }

  /** A process that starts on a disk that was kept holds what it acknowledged, unless blocks went. */
  async #checkAcknowledged(node: SimulatedNode): Promise<void> {
    for (const { logged, index, node: by, diskNumber } of this.acknowledged) {
      if (by !== node || diskNumber !== node.diskNumber || !this.chain.stands(logged.entry))
        continue;
      if (this.#faults.rotted.has(node)) continue;
      if ((await node.holds(logged, index)) === false) {
        const { sequence } = logged.entry;
        this.problem(`${node.options.peer} lost ${sequence}/${index}, which it acknowledged`);
      }
    }
  }

  #checkReply(from: string, protocol: string, reply: Uint8Array): void {
    if (protocol !== SEGMENTS_PROTOCOL.id || this.#honest.get(from) !== true) return;
    for (const bytes of splitSegmentMessages(reply, MAX_ASKED_SEGMENTS)) {
      const { root, index, data } = parseSegmentMessage(bytes).segment;
      const right = this.#bank.segment(rootOf(root), index);
      if (right === undefined || Buffer.compare(right, data) !== 0)
        this.problem(`${from} served bad bytes of segment ${index}`);
    }
  }

  /** An honest node announces only files of which its shard owns something, at some place they had. */
  #checkNews(from: string, bytes: Uint8Array): void {
    const { root, shard } = parseFileAnnouncement(bytes);
    const places = this.#mined.filter(({ file }) => file.root === root);
    const isOwner = places.some(({ entry: { startSector, sizeBytes } }) => {
      return countOwnedSegments(shard, startSector, sizeBytes) > 0;
    });
    if (!isOwner) this.problem(`${from} announces ${root}, of which it holds nothing`);
  }

  /** Looks until everybody has everything. */
  async #watch(): Promise<void> {
    for (;;) {
      await this.clock.wait(LOOK_MS);
      if (this.#problems.length > 0) break;
      if (this.#calmSinceMs === undefined) continue;
      const calmMs = this.clock.monotonic() - this.#calmSinceMs;
      if (this.#faults.rotted.size > 0 && calmMs <= SCRUB_MS) continue; // not everybody has looked
      const lacking = await this.#whoLacks();
      if (this.#uploads === 0 && lacking === undefined) {
        this.#convergedAfterMs = calmMs;
        await this.#checkBytes();
        break;
      }
      if (calmMs < CONVERGES_WITHIN_MS) continue;
      this.problem(`${lacking ?? 'an uploader'} waits ${calmMs} ms after the last fault`);
      break;
    }
    this.#ended.abort(new Error('the simulation ended'));
  }

  async #whoLacks(): Promise<string | undefined> {
    const { files } = this.chain;
    for (const { options, log } of this.honest) {
      if (log === undefined || log.nextSequence !== files.length) return options.peer;
      const [waiting] = await log.pendingFrom(0, { signal: this.#ended.signal });
      if (waiting !== undefined) return `${options.peer} for entry ${waiting}`;
    }
    return undefined;
  }

  /** Reads everything that honest nodes should hold. */
  async #checkBytes(): Promise<void> {
    for (const node of this.honest) {
      for (const logged of this.chain.files) {
        const { sizeBytes } = logged.file.commitment.shape;
        const { shard, peer } = node.options;
        for (const index of ownedSegments(shard, logged.entry.startSector, sizeBytes)) {
          const data = await node.read(logged, index);
          const right = logged.file.segments[index] ?? new Uint8Array(0);
          if (data === undefined || Buffer.compare(data, right) !== 0)
            this.problem(`${peer} does not hold ${logged.entry.sequence}/${index}`);
        }
      }
    }
  }
}

/** Different files that runs draw from. */
const BANK_FILES = 120;

/** The name of a node: a peer id has at least 32 characters of base58. */
export function peerOf(number: number): string {
  const letters = PEER_ALPHABET.length;
  const tail = `${PEER_ALPHABET[Math.floor(number / letters)]}${PEER_ALPHABET[number % letters]}`;
  return `SimPeer${'x'.repeat(30)}${tail}`;
}

function addressOf(number: number): string {
  return `/ip4/10.0.${number >> 8}.${number & 255}/tcp/4001/p2p/${peerOf(number)}`;
}
