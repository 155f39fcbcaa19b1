import type { Rng } from '@cairn/primitives';
import { isGiven } from './seats.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** Kinds of faults, and how often each is drawn. */
const KINDS = [
  'crash',
  'crash',
  'crash at work',
  'crash at work',
  'lost disk',
  'partition',
  'reorg',
  'rot',
  'full disk',
  'change of shard',
] as const;

/** Every kind of fault that there is. */
export const FAULT_KINDS: ReadonlySet<string> = new Set(KINDS);

/** Longest time that a machine is off, a partition lasts, and a disk is full. */
const MAX_DOWN_MS = 15_000;
/** Time from an acknowledgement to the crash that was waiting for it, at most. */
const MAX_AFTER_ACKNOWLEDGED_MS = 30;
const MAX_REORG_BLOCKS = 3;

/** What flipped. */
export interface Rot {
  /** Of the disk that it lies on. */
  readonly diskNumber: number;
  /** When it came, by the nodes' clocks. */
  readonly atMs: number;
}

/** Lets things go wrong: which and when is drawn by a seed. */
export class Faults {
  readonly done: Record<string, number> = {};
  /** Nodes whose disks flipped bits once. */
  readonly rotted = new Map<SimulatedNode, Rot>();
  readonly #simulation: Simulation;
  readonly #rng: Rng;
  /** Nodes that crash right after they acknowledge something. */
  readonly #armed = new Set<SimulatedNode>();
  #partitions = 0;
  #isOver = false;

  constructor(simulation: Simulation, rng: Rng) {
    this.#simulation = simulation;
    this.#rng = rng;
  }

  /** Perhaps does something. Called with each block; about every second time for 16 nodes. */
  async strike(): Promise<void> {
    const { nodes, options } = this.#simulation;
    if (options.isCalm === true || this.#rng.below(32) >= nodes.length) return;
    const node = nodes[this.#rng.below(nodes.length)];
    const kind = KINDS[this.#rng.below(KINDS.length)] ?? 'crash';
    if (node === undefined || !node.isUp) return;
    if (await this.#do(kind, node)) {
      this.done[kind] = (this.done[kind] ?? 0) + 1;
      this.#simulation.note(`${kind} ${node.options.peer}`);
    }
  }

  /** A node acknowledged a segment. */
  onAcknowledged(node: SimulatedNode): void {
    if (!this.#armed.delete(node)) return;
    this.#simulation.clock.after(this.#rng.below(MAX_AFTER_ACKNOWLEDGED_MS), () => {
      if (!this.#isOver && node.isUp) this.#crash(node, true);
    });
  }

  /** Nothing goes wrong from now on; what is off comes back when it is due. */
  end(): void {
    this.#isOver = true;
    this.#simulation.network.heal();
  }

  async #do(kind: (typeof KINDS)[number], node: SimulatedNode): Promise<boolean> {
    switch (kind) {
      case 'crash':
        this.#crash(node, true);
        return true;
      case 'crash at work':
        this.#armed.add(node);
        return true;
      case 'lost disk':
        if (!(await this.#simulation.judge.isSpare(node))) return false;
        this.#crash(node, false);
        return true;
      case 'partition':
        return this.#split();
      case 'reorg':
        this.#simulation.customers.takeBack(1 + this.#rng.below(MAX_REORG_BLOCKS));
        return true;
      case 'rot':
        // Each bit may be of the last good copy: only what others hold too may rot.
        if (this.rotted.size > 0 || !(await this.#simulation.judge.isSpare(node))) return false;
        this.rotted.set(node, {
          diskNumber: node.diskNumber,
          atMs: this.#simulation.clock.now(),
        });
        return node.disk.rot() !== undefined;
      case 'full disk':
        node.disk.fill();
        this.#simulation.clock.after(1000 + this.#rng.below(MAX_DOWN_MS), () =>
          node.disk.makeRoom(),
        );
        return true;
      case 'change of shard':
        return this.#changeShard(node);
    }
  }

  #crash(node: SimulatedNode, keepDisk: boolean): void {
    node.crash({ keepDisk });
    this.#simulation.note(`${node.options.peer} is off`);
    this.#simulation.clock.after(500 + this.#rng.below(MAX_DOWN_MS), () => {
      if (!node.isUp) this.#simulation.start(node);
    });
  }

  #split(): boolean {
    const { nodes, network, clock } = this.#simulation;
    const sides = new Map(nodes.map(({ options }) => [options.peer, this.#rng.below(2)]));
    network.split(sides);
    this.#partitions += 1;
    const mine = this.#partitions;
    clock.after(1000 + this.#rng.below(MAX_DOWN_MS), () => {
      if (this.#partitions === mine) network.heal();
    });
    return true;
  }

  /** To one beside it, to half of it or to its double, where others hold what it gives up. */
  async #changeShard(node: SimulatedNode): Promise<boolean> {
    const { nodes, options, judge } = this.#simulation;
    if (isGiven(nodes.indexOf(node), options.nodes) || node.isMoving) return false;
    if (!(await judge.isSpare(node))) return false;
    const { id, count } = node.shard;
    const choices = [
      { id: (id + 1) % count, count },
      { id: id + count * this.#rng.below(2), count: 2 * count },
      { id: id % Math.max(1, count / 2), count: Math.max(1, count / 2) },
    ];
    const to = choices[this.#rng.below(choices.length)] ?? node.shard;
    await node.changeShard(to).catch(() => undefined); // its disk may be full, or the machine stop
    return true;
  }
}
