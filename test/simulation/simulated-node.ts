import { type VerifiedSegment, verifySegment } from '@cairn/commitments';
import type { LogStore } from '@cairn/log-layer';
import { describeError, type PeerNetwork } from '@cairn/primitives';
import { formatShard, type ShardConfig } from '@cairn/wire-protocol';
import type { AcceptOutcome } from '../../storage-node/src/journeys/accept-segment.ts';
import { type OpenNode, type OpenNodeDeps, type OpenNodeOptions, openNode } from './open-node.ts';
import type { LoggedFile } from './simulated-chain.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { Manners, SimulatedNetwork } from './simulated-network.ts';

/** What a simulated node lives on. */
export interface SimulatedNodeDeps extends Omit<OpenNodeDeps, 'join'> {
  readonly network: SimulatedNetwork;
  /** Told of a part that ended by itself. */
  readonly onFailure: (reason: string) => void;
}

/** Who a node is. */
export interface SimulatedNodeOptions extends OpenNodeOptions {
  readonly peer: string;
  readonly address: string;
  readonly manners: Manners;
}

/** Time between listening and answering, at most. */
const MAX_OPENING_MS = 100;

interface Running extends OpenNode {
  readonly stop: AbortController;
}

/** A storage node on a simulated machine: its process comes and goes, its disk stays. */
export class SimulatedNode {
  readonly options: SimulatedNodeOptions;
  /** Counts the disks it has had: what one acknowledged, another need not hold. */
  diskNumber = 0;
  /** The shards that it was told to keep since its disk was new, the first one among them. */
  readonly shards: ShardConfig[];
  readonly #deps: SimulatedNodeDeps;
  #running: Running | undefined;
  /** Ends the process, also one that is still starting. */
  #stop = new AbortController();

  constructor(deps: SimulatedNodeDeps, options: SimulatedNodeOptions) {
    this.#deps = deps;
    this.options = options;
    this.shards = [options.shard];
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  get disk(): SimulatedDisk {
    return this.#deps.disk;
  }

  /** What it keeps, or will once a change is carried out. */
  get shard(): ShardConfig {
    return this.shards.at(-1) ?? this.options.shard;
  }

  /** What it says that it keeps: the old shard for a while, where it changes to another. */
  get toldShard(): ShardConfig {
    return this.#running?.keeper.current ?? this.shard;
  }

  /** Whether it is changing its shard now; `false` while it is down. */
  get isMoving(): boolean {
    return this.#running?.keeper.move !== undefined;
  }

  /** When it began to look through all that it stores, the last time it came to the end of that. */
  get scrubbedFromMs(): number | undefined {
    return this.#running?.scrubber?.report.lastPass?.startedAt;
  }

  /** The log as it knows it; `undefined` while it is down. */
  get log(): LogStore | undefined {
    return this.#running?.log;
  }

  /** Opens the stores and begins to take part. */
  async start(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    const { clock, rng, network, onFailure } = this.#deps;
    const { peer, address, manners } = this.options;
    const join = (): PeerNetwork => network.join(peer, address, manners);
    const parts = await openNode({ ...this.#deps, join }, this.options, stop.signal);
    this.#noteShard(parts.keeper.move?.to ?? parts.keeper.current);
    // A host listens before all its questions are answered.
    await clock.sleep(rng.below(MAX_OPENING_MS), stop.signal);
    await parts.sync.open();
    stop.signal.throwIfAborted();
    this.#running = { ...parts, stop };
    for (const loop of parts.loops) {
      loop(stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) onFailure(describeError(error));
      });
    }
  }

  /** The process ends at once. */
  crash({ keepDisk }: { readonly keepDisk: boolean }): void {
    this.#stop.abort(new Error('the machine stopped'));
    this.#running = undefined;
    this.#deps.network.leave(this.options.peer);
    this.#deps.disk.crash();
    if (keepDisk) return;
    this.#deps.disk.wipe();
    this.diskNumber += 1;
    this.shards.splice(0, this.shards.length, this.options.shard);
  }

  /** Tells it to keep another shard; durable once this resolves. @throws while it changes already */
  async changeShard(to: ShardConfig): Promise<void> {
    const { keeper } = this.#requireRunning();
    this.#noteShard(to); // before it is certain: what is given up need not be held from here on
    try {
      await keeper.begin(to, 'admin');
    } finally {
      if (this.isUp) this.#noteShard(keeper.move?.to ?? keeper.current);
    }
  }

  /** Takes a segment as a door does. @throws as `SegmentAcceptor.accept`, and while it is down */
  async accept({ entry, file }: LoggedFile, index: number): Promise<AcceptOutcome> {
    const { acceptor, stop } = this.#requireRunning();
    const { commitment, root } = file;
    const { sizeBytes } = commitment.shape;
    const claim = {
      root: commitment.root,
      sizeBytes,
      index,
      data: file.segments[index] ?? new Uint8Array(0),
      proof: commitment.tree.proofAt(index),
    };
    const prove = (): VerifiedSegment => verifySegment(claim, this.#deps.hasher);
    const offer = { root, sizeBytes, index, sequence: entry.sequence };
    return acceptor.accept(offer, prove, { signal: stop.signal });
  }

  /** Reads a segment of a file by its root, as a door does; `undefined` where it is not held. */
  async serve({ file }: LoggedFile, index: number): Promise<Uint8Array | undefined> {
    const { finder, reader, stop } = this.#requireRunning();
    const { signal } = stop;
    const known = await finder.byRoot(file.root, signal);
    if (known === undefined) return undefined;
    return (await reader.read(known.entry, index, { signal }))?.data;
  }

  /** Whether the chain as this node knows it has a file at that place. */
  async sees({ entry }: LoggedFile): Promise<boolean> {
    const known = await this.log?.entryAt(entry.sequence);
    return known?.block.hash === entry.block.hash;
  }

  /** Whether a segment is held at its place; `undefined` while the node is down. */
  async holds({ entry, file }: LoggedFile, index: number): Promise<boolean | undefined> {
    const place = { ...entry, root: file.root };
    return this.#running?.segments.has(place, index);
  }

  /** The bytes of a segment as they would be served. */
  async read({ entry, file }: LoggedFile, index: number): Promise<Uint8Array | undefined> {
    const { segments, stop } = this.#requireRunning();
    const place = { ...entry, root: file.root };
    return (await segments.get(place, index, { signal: stop.signal }))?.data;
  }

  #noteShard(shard: ShardConfig): void {
    if (formatShard(shard) !== formatShard(this.shard)) this.shards.push(shard);
  }

  #requireRunning(): Running {
    if (this.#running === undefined) throw new Error('the machine is off');
    return this.#running;
  }
}
