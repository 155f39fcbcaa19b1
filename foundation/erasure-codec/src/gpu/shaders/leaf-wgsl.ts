import { BLAKE3_KEYS } from '@cairn/commitments/rows';

/** Bytes that BLAKE3 hashes one block after another; above them it is a tree. */
export const HASH_CHUNK_BYTES = 1024;

/** The order of a block's words in one round from that in the round before. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8] as const;
const ROUNDS = 7;

/**
 * The leaves of rows: BLAKE3 under the leaf key. `hashChunks` makes the chaining value of each
 * kibibyte, a thread each; `hashParents` one level of the tree above, pairing neighbours and
 * carrying a last odd one up, until one value a row is left. The value that is the row's only one
 * is made as the root.
 */
export const LEAF_WGSL: string = /* wgsl */ `
struct Step { rows: u32, values: u32, rowVectors: u32, unused: u32 }

@group(0) @binding(0) var<uniform> job: Step;
@group(0) @binding(1) var<storage, read> given: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> made: array<vec4u>;

const CHUNK_START = 1u;
const CHUNK_END = 2u;
const PARENT = 4u;
const ROOT = 8u;
const KEYED = 16u;
const BLOCK_VECTORS = 4u;
const HASH_CHUNK_VECTORS = 64u;

struct Value { first: vec4u, second: vec4u }
struct Block { m0: vec4u, m1: vec4u, m2: vec4u, m3: vec4u }
struct State { a: vec4u, b: vec4u, c: vec4u, d: vec4u }

fn leafKey() -> Value {
  return Value(${keyVectors(BLAKE3_KEYS.leaf)});
}

fn turned(words: vec4u, bits: u32) -> vec4u {
  return (words >> vec4u(bits)) | (words << vec4u(32u - bits));
}

fn mixed(state: State, x: vec4u, y: vec4u) -> State {
  var s = state;
  s.a += s.b + x;
  s.d = turned(s.d ^ s.a, 16u);
  s.c += s.d;
  s.b = turned(s.b ^ s.c, 12u);
  s.a += s.b + y;
  s.d = turned(s.d ^ s.a, 8u);
  s.c += s.d;
  s.b = turned(s.b ^ s.c, 7u);
  return s;
}

fn oneRound(state: State, x0: vec4u, y0: vec4u, x1: vec4u, y1: vec4u) -> State {
  var s = mixed(state, x0, y0);
  s = mixed(State(s.a, s.b.yzwx, s.c.zwxy, s.d.wxyz), x1, y1);
  return State(s.a, s.b.wxyz, s.c.zwxy, s.d.yzwx);
}

fn compressed(value: Value, block: Block, counter: u32, flags: u32) -> Value {
  let iv = vec4u(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au);
  var s = State(value.first, value.second, iv, vec4u(counter, 0u, 64u, flags));
${rounds()}
  return Value(s.a ^ s.c, s.b ^ s.d);
}

@compute @workgroup_size(64)
fn hashChunks(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.rows * job.values) { return; }
  let row = id.x / job.values;
  let chunk = id.x % job.values;
  let start = chunk * HASH_CHUNK_VECTORS;
  let end = min(start + HASH_CHUNK_VECTORS, job.rowVectors);
  let base = row * job.rowVectors;
  let last = select(CHUNK_END, CHUNK_END | ROOT, job.values == 1u);
  var value = leafKey();
  for (var at = start; at < end; at += BLOCK_VECTORS) {
    let source = base + at;
    let block = Block(given[source], given[source + 1u], given[source + 2u], given[source + 3u]);
    let flags = KEYED | select(0u, CHUNK_START, at == start) | select(0u, last, at + BLOCK_VECTORS == end);
    value = compressed(value, block, chunk, flags);
  }
  made[id.x * 2u] = value.first;
  made[id.x * 2u + 1u] = value.second;
}

@compute @workgroup_size(64)
fn hashParents(@builtin(global_invocation_id) id: vec3u) {
  let parents = (job.values + 1u) / 2u;
  if (id.x >= job.rows * parents) { return; }
  let row = id.x / parents;
  let pair = id.x % parents;
  let source = (row * job.values + 2u * pair) * 2u;
  var value = Value(given[source], given[source + 1u]);
  if (2u * pair + 1u < job.values) {
    let block = Block(value.first, value.second, given[source + 2u], given[source + 3u]);
    value = compressed(leafKey(), block, 0u, KEYED | PARENT | select(0u, ROOT, parents == 1u));
  }
  made[id.x * 2u] = value.first;
  made[id.x * 2u + 1u] = value.second;
}
`;

/** The key as two vectors of little-endian words. */
function keyVectors(key: Uint8Array): string {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const words = Array.from({ length: 8 }, (_, word) => `${view.getUint32(word * 4, true)}u`);
  return `vec4u(${words.slice(0, 4).join(', ')}), vec4u(${words.slice(4).join(', ')})`;
}

/** Seven rounds, each with the words of the block in its own order. */
function rounds(): string {
  let order = Array.from({ length: 16 }, (_, word) => word);
  const lines: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const vectors = [0, 1, 8, 9].map((first) => {
      const words = [0, 2, 4, 6].map((step) => wordName(order[first + step] ?? 0));
      return `vec4u(${words.join(', ')})`;
    });
    lines.push(`  s = oneRound(s, ${vectors.join(', ')});`);
    order = PERMUTATION.map((word) => order[word] ?? 0);
  }
  return lines.join('\n');
}

function wordName(word: number): string {
  return `block.m${word >> 2}.${'xyzw'.charAt(word % 4)}`;
}
