/**
 * Rows of bytes to planes of a strip of columns, and back. 32 bytes are eight words; exchanging bits
 * between them three times leaves bit j of every byte in word j, and undoes itself.
 */
export const SLICE_WGSL: string = /* wgsl */ `
struct Step { rowVectors: u32, firstRow: u32, firstChunk: u32, chunks: u32 }

@group(0) @binding(0) var<uniform> job: Step;
@group(0) @binding(1) var<storage, read> given: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> made: array<vec4u>;

struct Bytes { low: vec4u, high: vec4u }

fn exchanged(bytes: Bytes) -> Bytes {
  var a = bytes.low;
  var b = bytes.high;
  let t4 = ((a >> vec4u(4u)) ^ b) & vec4u(0x0f0f0f0fu);
  b ^= t4;
  a ^= t4 << vec4u(4u);
  let t2 = ((vec4u(a.xy, b.xy) >> vec4u(2u)) ^ vec4u(a.zw, b.zw)) & vec4u(0x33333333u);
  a ^= vec4u(t2.xy << vec2u(2u), t2.xy);
  b ^= vec4u(t2.zw << vec2u(2u), t2.zw);
  let t1 = ((vec4u(a.xz, b.xz) >> vec4u(1u)) ^ vec4u(a.yw, b.yw)) & vec4u(0x55555555u);
  let s1 = t1 << vec4u(1u);
  a ^= vec4u(s1.x, t1.x, s1.y, t1.y);
  b ^= vec4u(s1.z, t1.z, s1.w, t1.w);
  return Bytes(a, b);
}

@compute @workgroup_size(32)
fn slice(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks) { return; }
  let at = id.y * job.rowVectors + (job.firstChunk + id.x) * 4u;
  let low = exchanged(Bytes(given[at], given[at + 1u]));
  let high = exchanged(Bytes(given[at + 2u], given[at + 3u]));
  let to = (job.firstRow + id.y) * 4u * job.chunks + id.x;
  made[to] = low.low;
  made[to + job.chunks] = low.high;
  made[to + 2u * job.chunks] = high.low;
  made[to + 3u * job.chunks] = high.high;
}

@compute @workgroup_size(32)
fn unslice(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks) { return; }
  let at = (job.firstRow + id.y) * 4u * job.chunks + id.x;
  let low = exchanged(Bytes(given[at], given[at + job.chunks]));
  let high = exchanged(Bytes(given[at + 2u * job.chunks], given[at + 3u * job.chunks]));
  let to = id.y * job.rowVectors + (job.firstChunk + id.x) * 4u;
  made[to] = low.low;
  made[to + 1u] = low.high;
  made[to + 2u] = high.low;
  made[to + 3u] = high.high;
}
`;
