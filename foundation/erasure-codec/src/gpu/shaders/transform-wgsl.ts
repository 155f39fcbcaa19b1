import { PLANES_WGSL, PRODUCT_WGSL } from './planes-wgsl.ts';

/** How many chunks and groups of rows a workgroup does. */
export interface GroupSize {
  readonly width: number;
  readonly height: number;
}

/** For rows of many chunks: the factors are the same for the whole workgroup. */
export const WIDE: GroupSize = { width: 32, height: 1 };
/** For rows of up to sixteen chunks, which would leave most of a wide group's threads idle. */
export const NARROW: GroupSize = { width: 4, height: 8 };

/**
 * Two layers, or one, of the additive transform over planes: threads along x are chunks, which lie
 * beside each other, and y is a group of four rows, or two, that the layers mix. A group's factors
 * follow from y alone.
 *
 * Reads one matrix and writes another, so that the coefficients serve every coset.
 */
export const TRANSFORM_WGSL: string = /* wgsl */ `
struct Step { chunks: u32, layer: u32, offset: u32, groups: u32 }

override width: u32;
override height: u32;

@group(0) @binding(0) var<uniform> job: Step;
@group(0) @binding(1) var<storage, read> given: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> made: array<vec4u>;
@group(0) @binding(3) var<storage, read> images: array<vec4u>;
${PLANES_WGSL}${PRODUCT_WGSL}
fn loaded(row: u32, chunk: u32) -> Planes {
  let at = row * 4u * job.chunks + chunk;
  return Planes(given[at], given[at + job.chunks], given[at + 2u * job.chunks], given[at + 3u * job.chunks]);
}

fn store(row: u32, chunk: u32, value: Planes) {
  let at = row * 4u * job.chunks + chunk;
  made[at] = value.low0;
  made[at + job.chunks] = value.low1;
  made[at + 2u * job.chunks] = value.high0;
  made[at + 3u * job.chunks] = value.high1;
}

/* The first row of a group whose blocks have 2^(layer + width) rows. */
fn firstRow(group: u32, width: u32) -> u32 {
  return ((group >> job.layer) << (job.layer + width)) + (group & ((1u << job.layer) - 1u));
}

/* A layer at a time: exchanging r1 and r2 brings the next layer's pairs together, and back. */
@compute @workgroup_size(width, height)
fn interpolate4(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks || id.y >= job.groups) { return; }
  let first = firstRow(id.y, 2u);
  let apart = 1u << job.layer;
  var low = (job.offset >> job.layer) + ((id.y >> job.layer) << 2u);
  var high = low + 2u;
  var r0 = loaded(first, id.x);
  var r1 = loaded(first + apart, id.x);
  var r2 = loaded(first + 2u * apart, id.x);
  var r3 = loaded(first + 3u * apart, id.x);
  for (var layer = 0u; layer < 2u; layer++) {
    let s1 = sum(r1, r0);
    r0 = sum(r0, product(s1, low));
    r3 = sum(r3, r2);
    r1 = sum(r2, product(r3, high));
    r2 = s1;
    low = low >> 1u;
    high = low;
  }
  store(first, id.x, r0);
  store(first + apart, id.x, r1);
  store(first + 2u * apart, id.x, r2);
  store(first + 3u * apart, id.x, r3);
}

@compute @workgroup_size(width, height)
fn evaluate4(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks || id.y >= job.groups) { return; }
  let first = firstRow(id.y, 2u);
  let apart = 1u << job.layer;
  let bottom = (job.offset >> job.layer) + ((id.y >> job.layer) << 2u);
  var low = bottom >> 1u;
  var high = low;
  var r0 = loaded(first, id.x);
  var r1 = loaded(first + apart, id.x);
  var r2 = loaded(first + 2u * apart, id.x);
  var r3 = loaded(first + 3u * apart, id.x);
  for (var layer = 0u; layer < 2u; layer++) {
    let s2 = r1;
    r0 = sum(r0, product(r2, low));
    r1 = sum(r2, r0);
    r2 = sum(s2, product(r3, high));
    r3 = sum(r3, r2);
    low = bottom;
    high = bottom + 2u;
  }
  store(first, id.x, r0);
  store(first + apart, id.x, r1);
  store(first + 2u * apart, id.x, r2);
  store(first + 3u * apart, id.x, r3);
}

@compute @workgroup_size(width, height)
fn interpolate2(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks || id.y >= job.groups) { return; }
  let first = firstRow(id.y, 1u);
  let factor = (job.offset >> job.layer) + ((id.y >> job.layer) << 1u);
  let apart = 1u << job.layer;
  let r0 = loaded(first, id.x);
  let r1 = sum(loaded(first + apart, id.x), r0);
  store(first, id.x, sum(r0, product(r1, factor)));
  store(first + apart, id.x, r1);
}

@compute @workgroup_size(width, height)
fn evaluate2(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= job.chunks || id.y >= job.groups) { return; }
  let first = firstRow(id.y, 1u);
  let factor = (job.offset >> job.layer) + ((id.y >> job.layer) << 1u);
  let apart = 1u << job.layer;
  let r1 = loaded(first + apart, id.x);
  let r0 = sum(loaded(first, id.x), product(r1, factor));
  store(first, id.x, r0);
  store(first + apart, id.x, sum(r1, r0));
}
`;
