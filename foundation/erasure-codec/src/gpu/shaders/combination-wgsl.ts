import { multiply } from '../../field.ts';

const SYMBOL_BITS = 16;

/**
 * Random combinations of rows. `expandCoefficients` makes of each column's 16 symbols their products
 * with the 16 basis elements: then each bit of a row's symbol that is set adds 32 bytes. A thread of
 * `combineRows` does two rows and some chunks of a block of columns, and adds what it has to those
 * rows' results, which begin as zeros.
 */
export const EXPAND_WGSL: string = /* wgsl */ `
struct Step { words: u32, unused0: u32, unused1: u32, unused2: u32 }

@group(0) @binding(0) var<uniform> job: Step;
@group(0) @binding(1) var<storage, read> given: array<u32>;
@group(0) @binding(2) var<storage, read_write> made: array<u32>;

/* A word is two symbols; each of its bits is multiplied in both halves at once. */
@compute @workgroup_size(64)
fn expandCoefficients(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.words) { return; }
  let word = given[id.x];
  let to = (id.x >> 3u) * ${8 * SYMBOL_BITS}u + (id.x & 7u);
${bits((bit) => `  let e${bit} = (word >> ${bit}u) & 0x00010001u;`)}
${bits((bit) => `  made[to + ${8 * bit}u] = ${productOf(bit)};`)}
}
`;

/** @see EXPAND_WGSL */
export const COMBINE_WGSL: string = /* wgsl */ `
struct Step {
  rowWords: u32,
  rows: u32,
  firstChunk: u32,
  chunks: u32,
  tileChunks: u32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
}

@group(0) @binding(0) var<uniform> job: Step;
@group(0) @binding(1) var<storage, read> given: array<u32>;
@group(0) @binding(2) var<storage, read_write> made: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read> products: array<vec4u>;

const CHUNK_WORDS = 16u;
const CHUNK_COLUMNS = 32u;
const COLUMN_VECTORS = ${2 * SYMBOL_BITS}u;

fn mask(word: u32, bit: u32) -> vec4u {
  return vec4u(bitcast<u32>(bitcast<i32>(word << (31u - bit)) >> 31u));
}

fn add(row: u32, first: vec4u, second: vec4u) {
${Array.from({ length: 8 }, (_, word) => `  atomicXor(&made[row * 8u + ${word}u], ${word < 4 ? 'first' : 'second'}.${'xyzw'.charAt(word % 4)});`).join('\n')}
}

@compute @workgroup_size(32)
fn combineRows(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x * 2u;
  if (row >= job.rows) { return; }
  let hasNext = row + 1u < job.rows;
  let end = min((id.y + 1u) * job.tileChunks, job.chunks);
  var first0 = vec4u();
  var second0 = vec4u();
  var first1 = vec4u();
  var second1 = vec4u();
  for (var chunk = id.y * job.tileChunks; chunk < end; chunk++) {
    let at0 = row * job.rowWords + (job.firstChunk + chunk) * CHUNK_WORDS;
    let at1 = select(at0, at0 + job.rowWords, hasNext);
    for (var word = 0u; word < 8u; word++) {
      let low0 = given[at0 + word];
      let high0 = given[at0 + 8u + word];
      let low1 = given[at1 + word];
      let high1 = given[at1 + 8u + word];
      let columns = (chunk * CHUNK_COLUMNS + word * 4u) * COLUMN_VECTORS;
      for (var bit = 0u; bit < 32u; bit++) {
        let source = columns + (bit >> 3u) * COLUMN_VECTORS + (bit & 7u) * 2u;
        let lowFirst = products[source];
        let lowSecond = products[source + 1u];
        let highFirst = products[source + 16u];
        let highSecond = products[source + 17u];
        first0 ^= (mask(low0, bit) & lowFirst) ^ (mask(high0, bit) & highFirst);
        second0 ^= (mask(low0, bit) & lowSecond) ^ (mask(high0, bit) & highSecond);
        first1 ^= (mask(low1, bit) & lowFirst) ^ (mask(high1, bit) & highFirst);
        second1 ^= (mask(low1, bit) & lowSecond) ^ (mask(high1, bit) & highSecond);
      }
    }
  }
  add(row, first0, second0);
  if (hasNext) { add(row + 1u, first1, second1); }
}
`;

/** The products of a word's two symbols with basis element `bit`. */
function productOf(bit: number): string {
  const terms = Array.from(
    { length: SYMBOL_BITS },
    (_, other) => `(e${other} * ${multiply(1 << other, 1 << bit)}u)`,
  );
  return terms.join(' ^ ');
}

function bits(line: (bit: number) => string): string {
  return Array.from({ length: SYMBOL_BITS }, (_, bit) => line(bit)).join('\n');
}
