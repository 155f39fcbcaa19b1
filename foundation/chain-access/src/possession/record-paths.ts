import { concatBytes, keccak256 } from '@cairn/primitives';

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/**
 * The tree of `LogRecords` over bodies that are all at hand: leaves are keccak-256 of a zero byte and
 * a body, nodes of a one and two children, missing leaves are zero. Holds 64 bytes for each body.
 *
 * @see contracts/src/log/LogRecords.sol
 */
export class RecordPaths {
  readonly #levels: readonly (readonly Uint8Array[])[];

  /** @param bodies - at least one */
  constructor(bodies: readonly Uint8Array[]) {
    let nodes = bodies.map((body) => keccak256(concatBytes(LEAF_PREFIX, body)));
    let empty: Uint8Array = new Uint8Array(32);
    const levels = [nodes];
    while (nodes.length > 1) {
      if (nodes.length % 2 === 1) nodes.push(empty);
      const above: Uint8Array[] = [];
      for (let index = 0; index < nodes.length; index += 2) {
        above.push(keccak256(NODE_PREFIX, nodes[index] ?? empty, nodes[index + 1] ?? empty));
      }
      empty = keccak256(NODE_PREFIX, empty, empty);
      nodes = above;
      levels.push(nodes);
    }
    this.#levels = levels;
  }

  /** 32 bytes. */
  root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? new Uint8Array(32);
  }

  /** The siblings from body `index` up to the root. @throws {RangeError} if there is none */
  pathOf(index: number): readonly Uint8Array[] {
    if (this.#levels[0]?.[index] === undefined) throw new RangeError(`there is no body ${index}`);
    return this.#levels.slice(0, -1).map((nodes, level) => {
      const position = Math.floor(index / 2 ** level);
      const sibling = nodes[position % 2 === 0 ? position + 1 : position - 1];
      if (sibling === undefined) throw new Error('a level of pairs lacks one');
      return sibling;
    });
  }
}
