/** What a node cost in one measured network: of `requests` on, all are a node's share. */
export interface ScaleRow {
  readonly nodes: number;
  readonly shards: number;
  readonly files: number;
  /** Segments of all files, and their bytes. */
  readonly segments: number;
  readonly segmentBytes: number;
  /** Simulated time. */
  readonly seconds: number;
  /** Requests answered, and the bytes of the answers. */
  readonly requests: number;
  readonly requestBytes: number;
  /** Messages of gossip sent, and their bytes. */
  readonly gossip: number;
  readonly gossipBytes: number;
  readonly diskBytes: number;
  /** Objects in use at the end, without the simulated disk. */
  readonly heapBytes: number;
}

/** What a network is like, measured or not. */
export type ScalePlace = Pick<
  ScaleRow,
  'nodes' | 'shards' | 'files' | 'segments' | 'segmentBytes' | 'seconds'
>;

/** Something that cost grows with. */
interface Term {
  readonly text: string;
  readonly of: (place: ScalePlace) => number;
}

/** How a cost is modelled: a sum of terms, each times a factor that is fitted. */
export interface ScaleCost {
  readonly name: string;
  readonly of: (row: ScaleRow) => number;
  readonly terms: readonly Term[];
}

const ONE: Term = { text: '', of: () => 1 };
const FILES: Term = { text: 'files', of: ({ files }) => files };
const SEGMENTS: Term = { text: 'segments', of: ({ segments }) => segments };
const OWN_SEGMENTS: Term = {
  text: 'segments / shards',
  of: ({ segments, shards }) => segments / shards,
};
const OWN_BYTES: Term = {
  text: 'bytes of segments / shards',
  of: ({ segmentBytes, shards }) => segmentBytes / shards,
};
const COPIES: Term = {
  text: 'segments · nodes / shards',
  of: ({ segments, nodes, shards }) => (segments * nodes) / shards,
};
const NODES: Term = { text: 'nodes', of: ({ nodes }) => nodes };
const SECONDS: Term = { text: 'seconds', of: ({ seconds }) => seconds };

/** What is modelled. */
export const COSTS: readonly ScaleCost[] = [
  { name: 'gossip messages sent', of: ({ gossip }) => gossip, terms: [SEGMENTS, COPIES] },
  {
    name: 'requests answered',
    of: ({ requests }) => requests,
    terms: [SECONDS, NODES, OWN_SEGMENTS],
  },
  { name: 'disk, bytes', of: ({ diskBytes }) => diskBytes, terms: [ONE, FILES, OWN_BYTES] },
  { name: 'memory, bytes', of: ({ heapBytes }) => heapBytes, terms: [ONE, FILES, NODES] },
];

/** A model with its factors. */
export interface FittedCost {
  readonly cost: ScaleCost;
  /** One for each term. */
  readonly factors: readonly number[];
  /** The largest share by which a row differs from the model. */
  readonly residual: number;
  readonly at: (place: ScalePlace) => number;
}

/** Least squares over all rows, each weighed by its own size, so that all count by their share. */
export function fit(cost: ScaleCost, rows: readonly ScaleRow[]): FittedCost {
  const scaled = rows.map((row) => cost.terms.map((term) => term.of(row) / cost.of(row)));
  // Normal equations: sums of products of the terms, and of each with the 1 that all are scaled to.
  const matrix = cost.terms.map((_, left) => [
    ...cost.terms.map((__, right) => sumOf(scaled, (row) => (row[left] ?? 0) * (row[right] ?? 0))),
    sumOf(scaled, (row) => row[left] ?? 0),
  ]);
  const factors = solve(matrix);
  const at = (place: ScalePlace): number =>
    cost.terms.reduce((sum, term, index) => sum + (factors[index] ?? 0) * term.of(place), 0);
  const residual = Math.max(...rows.map((row) => Math.abs(at(row) / cost.of(row) - 1)));
  return { cost, factors, residual, at };
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

/** Gaussian elimination with pivots; the last column is the right-hand side. */
function solve(matrix: number[][]): number[] {
  const size = matrix.length;
  for (let column = 0; column < size; column += 1) {
    const rest = matrix.slice(column);
    const pivot = rest.reduce((best, row) => {
      return Math.abs(row[column] ?? 0) > Math.abs(best[column] ?? 0) ? row : best;
    });
    matrix.splice(matrix.indexOf(pivot), 1);
    matrix.splice(column, 0, pivot);
    for (const row of matrix) {
      if (row === pivot) continue;
      const share = (row[column] ?? 0) / (pivot[column] ?? 1);
      for (let at = column; at <= size; at += 1)
        row[at] = (row[at] ?? 0) - share * (pivot[at] ?? 0);
    }
  }
  return matrix.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
