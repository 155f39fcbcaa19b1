import type { Rng } from '@cairn/primitives';
import type { ShardConfig } from './shard.ts';

/** Which holders are tried first: `min` the fullest nodes, `max` the smallest shards. */
export type HolderOrder = 'min' | 'max' | 'random';

/**
 * The fewest first nodes, in `order`, that together keep every segment `replicas` times.
 *
 * The rule is the 0G clients': nodes enter a binary trie of shards one by one; one that adds no
 * missing replica is left out; it ends when all is covered.
 *
 * @param replicas - copies wanted, from 1
 * @param rng - used for `random` only
 * @returns `undefined` if the nodes cannot cover all shards so often, or `replicas` is below 1
 */
export function chooseHolders<Node extends { readonly shard: ShardConfig }>(
  nodes: readonly Node[],
  replicas: number,
  order: HolderOrder,
  rng: Pick<Rng, 'below'>,
): Node[] | undefined {
  if (!Number.isSafeInteger(replicas) || replicas < 1) return undefined;
  const root = vertex();
  const chosen: Node[] = [];
  for (const node of ordered(nodes, order, rng)) {
    if (insert(root, node.shard, replicas)) chosen.push(node);
    if (root.replicas >= replicas) return chosen;
  }
  return undefined;
}

/** Whether the shards together keep every segment at least `replicas` times (once unless told). */
export function coversAllShards(shards: Iterable<ShardConfig>, replicas = 1): boolean {
  const root = vertex();
  for (const shard of shards) {
    insert(root, shard, replicas);
    if (root.replicas >= replicas) return true;
  }
  return false;
}

/** The segments of one residue: how often all of them are kept, by themselves and through halves. */
interface Vertex {
  whole: number;
  replicas: number;
  even: Vertex | undefined;
  odd: Vertex | undefined;
}

function vertex(): Vertex {
  return { whole: 0, replicas: 0, even: undefined, odd: undefined };
}

function insert(root: Vertex, { id, count }: ShardConfig, wanted: number): boolean {
  const path: Vertex[] = [];
  let at = root;
  let above = 0; // replicas that ancestors give to everything below them
  let rest = id;
  for (let modulus = 1; ; modulus *= 2) {
    if (above + at.replicas >= wanted) return false;
    path.push(at);
    if (modulus === count) break;
    above += at.whole;
    const side = rest % 2 === 0 ? 'even' : 'odd';
    const child = at[side] ?? vertex();
    at[side] = child;
    at = child;
    rest = Math.floor(rest / 2);
  }
  at.whole += 1;
  for (const passed of path.reverse()) {
    passed.replicas =
      passed.whole + Math.min(passed.even?.replicas ?? 0, passed.odd?.replicas ?? 0);
  }
  return true;
}

function ordered<Node extends { readonly shard: ShardConfig }>(
  nodes: readonly Node[],
  order: HolderOrder,
  rng: Pick<Rng, 'below'>,
): readonly Node[] {
  const sign = order === 'max' ? -1 : 1;
  if (order !== 'random') {
    return nodes.toSorted(
      (left, right) =>
        sign * (left.shard.count - right.shard.count) || left.shard.id - right.shard.id,
    );
  }
  const shuffled = [...nodes];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = rng.below(last + 1);
    const [here, there] = [shuffled[last], shuffled[other]];
    if (here !== undefined && there !== undefined) {
      shuffled[last] = there;
      shuffled[other] = here;
    }
  }
  return shuffled;
}
