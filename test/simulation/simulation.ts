import { createHash } from 'node:crypto';
import { describeError, type Rng, type Root, seededRng } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { Customers } from './customers.ts';
import { Faults } from './faults.ts';
import type { FileBank } from './file-bank.ts';
import { Judge } from './judge.ts';
import { lyingManners } from './lies.ts';
import { addressOf, isGiven, peerOf, shardsOf } from './seats.ts';
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
  /** Shards that calm networks are cut into, a power of two; at least four nodes each unless told. */
  readonly shards?: number;
  /** Told at the end, while all nodes that are up still run. */
  readonly onEnd?: () => void;
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
  /** Segments that readers asked for, and those of them that came. */
  readonly reads: { readonly asked: number; readonly given: number };
  /** Faults that were done, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Bytes on the disks of all nodes at the end. */
  readonly diskBytes: number;
}

/**
 * All honest nodes hold what they should within this simulated time after the last fault: the longest
 * rest of a peer, of an address and of an entry, one after another (3 · 300 s).
 */
export const CONVERGES_WITHIN_MS = 900_000;
/** Time between looks whether they do. */
const LOOK_MS = 2000;
/** Between the beginnings of a node's passes through all it stores. */
const SCRUB_MS = 20_000;
/** Characters of the trace that are kept before they go into its digest. */
const MAX_TRACED = 16_384;

/** A network of storage nodes on simulated machines, with people who store files in it. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly bank: FileBank;
  readonly clock = new VirtualClock();
  readonly chain = new SimulatedChain();
  readonly network: SimulatedNetwork;
  readonly rng: Rng;
  readonly nodes: SimulatedNode[] = [];
  readonly judge: Judge;
  readonly customers: Customers;
  readonly faults: Faults;
  /** Those that answer as they should. */
  readonly honest: readonly SimulatedNode[];
  readonly #honest = new Set<string>();
  readonly #trace = createHash('sha256');
  /** The newest part of the trace, that is not in its digest yet. */
  #traced = '';
  readonly #problems: string[] = [];
  readonly #ended = new AbortController();
  /** All places that files ever had. */
  readonly #places = new Map<Root, LoggedFile[]>();
  #convergedAfterMs: number | undefined;

  constructor(bank: FileBank, options: SimulationOptions) {
    this.options = options;
    this.bank = bank;
    this.rng = seededRng(options.seed);
    this.judge = new Judge(this);
    this.customers = new Customers(this);
    this.network = new SimulatedNetwork({
      clock: this.clock,
      rng: this.#chance(),
      note: (what) => this.note(what),
      onReply: (from, protocol, reply) => this.judge.checkReply(from, protocol, reply),
      onPublish: (from, bytes) => this.judge.checkNews(from, bytes),
      onDrop: (by, peer) => this.judge.checkDrop(by, peer),
    });
    this.#makeNodes();
    this.honest = this.nodes.filter(({ options }) => this.isHonest(options.peer));
    this.faults = new Faults(this, this.#chance());
  }

  /** Whether a node of that name answers as it should. */
  readonly isHonest = (peer: string): boolean => this.#honest.has(peer);

  /** Runs until all honest nodes hold what they should, the time for that is over, or a problem. */
  async run(): Promise<SimulationResult> {
    for (const node of this.nodes) this.start(node);
    this.spawn(() => this.customers.payForFiles());
    this.spawn(() => this.customers.read());
    this.spawn(() => this.#watch());
    while (!this.#ended.signal.aborted && (await this.clock.turn()));
    this.options.onEnd?.();
    const diskBytes = this.nodes.reduce((sum, { disk }) => sum + disk.sizeBytes, 0);
    for (const node of this.nodes) node.crash({ keepDisk: true });
    this.#digest();
    return {
      trace: this.#trace.digest('hex'),
      problems: this.#problems,
      convergedAfterMs: this.#convergedAfterMs,
      traffic: this.network.traffic,
      reads: this.customers.reads,
      faults: this.faults.done,
      diskBytes,
    };
  }

  /** Adds to what happened. */
  note(what: string): void {
    this.#traced += `${this.clock.monotonic()} ${what}\n`;
    if (this.#traced.length > MAX_TRACED) this.#digest();
  }

  /** Something that should never be. */
  problem(what: string): void {
    this.#problems.push(`at ${this.clock.monotonic()} ms: ${what}`);
  }

  /** A file got a place in the log. */
  notePlace(logged: LoggedFile): void {
    const { root } = logged.file;
    const places = this.#places.get(root);
    if (places === undefined) this.#places.set(root, [logged]);
    else places.push(logged);
  }

  /** All places that a file ever had in the log. */
  placesOf(root: Root): readonly LoggedFile[] {
    return this.#places.get(root) ?? [];
  }

  /** Lets a node's process begin, and looks whether its disk holds what it should. */
  start(node: SimulatedNode): void {
    this.spawn(async () => {
      try {
        await node.start();
      } catch (error) {
        // It stopped again before it was up; then its disk says no to it.
        if (!describeError(error).includes('the machine stopped')) throw error;
        return;
      }
      this.note(`${node.options.peer} is up`);
      await this.judge.checkAcknowledged(node);
    });
  }

  /** Runs something beside the rest until the end; its failure is a problem. */
  spawn(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.problem(describeError(error));
    });
  }

  #digest(): void {
    this.#trace.update(this.#traced);
    this.#traced = '';
  }

  #chance(): Rng {
    return seededRng(this.rng.below(2 ** 32));
  }

  #makeNodes(): void {
    const { nodes, isCalm = false, shards = shardsOf(nodes) } = this.options;
    const addresses = Array.from({ length: nodes }, (_, number) => addressOf(number));
    for (const [number, address] of addresses.entries()) {
      const kind = isGiven(number, nodes) || isCalm ? 0 : this.rng.below(5);
      if (kind < 4) this.#honest.add(peerOf(number));
      const shard = { id: number % shards, count: shards };
      this.nodes.push(this.#makeNode(number, address, shard, kind));
    }
  }

  #makeNode(number: number, address: string, shard: ShardConfig, kind: number): SimulatedNode {
    const { clock, network, chain, bank } = this;
    const rng = this.#chance();
    const slowMs = kind === 3 ? 8000 : 20;
    const manners: Manners = kind === 4 ? lyingManners(this.#chance()) : { answerMs: slowMs };
    const { nodes, acknowledgesEarly = false, isCalm = false } = this.options;
    return new SimulatedNode(
      {
        clock,
        rng,
        network,
        hasher: bank.hasher,
        known: bank.known,
        chainLog: chain.viewFor(clock, this.#chance()),
        disk: new SimulatedDisk({ clock, rng: this.#chance(), known: bank.known }),
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

  /** Looks until everybody has everything. */
  async #watch(): Promise<void> {
    for (;;) {
      await this.clock.wait(LOOK_MS);
      if (this.#problems.length > 0) break;
      const { calmSinceMs, uploads } = this.customers;
      if (calmSinceMs === undefined) continue;
      const calmMs = this.clock.monotonic() - calmSinceMs;
      const lacking = await this.judge.whoLacks(this.#ended.signal);
      if (uploads === 0 && lacking === undefined) {
        this.#convergedAfterMs = calmMs;
        await this.judge.checkBytes();
        break;
      }
      if (calmMs < CONVERGES_WITHIN_MS) continue;
      this.problem(`${lacking ?? 'an uploader'} waits ${calmMs} ms after the last fault`);
      break;
    }
    this.#ended.abort(new Error('the simulation ended'));
  }
}
