/**
 * Writes the AssemblyScript source of the row codec's kernels.
 *
 * A panel, some columns of all rows, is worked on in strips: each is copied to contiguous scratch
 * memory, transformed there and copied out. What makes that fast:
 *
 * - A factor with an index below 256 lies in GF(2^8) and acts on low and high bytes alike: two
 *   look-ups of 16 products for each vector of bytes, whichever half of the symbols it holds.
 * - A general factor t0 + t1·b_8 takes three multiplications of bytes, not four: with b_8² = b_8 +
 *   b_7 and p = t0·x0, the product's low bytes are p + (t1·b_7)·x1, its high bytes
 *   p + (t0 + t1)·(x0 + x1).
 * - Both kinds take their products from one table by element, 8 KiB, that stays in the L1 cache.
 * - Two layers at a time (radix 4): half the loads and stores, and the factors' products stay in
 *   registers along a run of rows.
 * - Blocks of rows that fit the L1 cache go through all their layers before the next block.
 * - A block whose first factors are zero, most of the last layers over the data, skips them.
 * - Where all factors lie in GF(2^8), which few rows have, transforms take so little that copies would
 *   cost as much: the first two layers read the panel itself, and the last two write it.
 */
import { lookUpOf, nibbles, xor } from './vector-terms.mjs';

/** Factors of two layers: of the upper one, and of the lower one's two halves. */
const KINDS = {
  First: { upper: 'zero', left: 'zero', right: 'subfield' },
  Subfield: { upper: 'subfield', left: 'subfield', right: 'subfield' },
  Mixed: { upper: 'subfield', left: 'general', right: 'general' },
  General: { upper: 'general', left: 'general', right: 'general' },
};

const same = (pointer) => pointer;

/** @param {'strict' | 'relaxed'} build */
export function codecSource(build) {
  const lookUp = lookUpOf(build);

  /** Declares the products of a factor: `a0, a1`, and two more pairs for a general one. */
  function products(name, kind, element) {
    if (kind === 'zero') return '';
    const table = (suffix, of) =>
      `    const ${name}${suffix}At = PRODUCTS + (<usize>(${of}) << 5);\n` +
      `    const ${name}${suffix}0 = v128.load(${name}${suffix}At), ${name}${suffix}1 = v128.load(${name}${suffix}At, 16);\n`;
    const at = `${name}Element`;
    if (kind === 'subfield') return `    const ${at} = ${element};\n${table('', `${at} & 255`)}`;
    return (
      `    const ${at} = ${element};\n${table('', `${at} & 255`)}` +
      `${table('f', `load<u8>(FOLDED + <usize>(${at} >> 8))`)}${table('s', `(${at} ^ (${at} >> 8)) & 255`)}`
    );
  }

  /** `to = addend + factor · from` over vectors of bytes: one each, or low and high ones. */
  function accumulate(to, factor, kind, from, isGeneral, addend = to) {
    if (kind === 'zero') return '';
    if (kind === 'subfield') {
      return halves(isGeneral)
        .map(
          (half) =>
            `      ${to}${half} = ${xor(addend + half, lookUp(factor, from + half, nibbles))};\n`,
        )
        .join('');
    }
    const given = [(value) => `${value}0`, (value) => `${value}1`];
    return (
      `      l0 = ${nibbles[0](`${from}l`)}; l1 = ${nibbles[1](`${from}l`)};\n` +
      `      h0 = ${nibbles[0](`${from}h`)}; h1 = ${nibbles[1](`${from}h`)};\n` +
      `      shared = ${lookUp(factor, 'l', given)};\n` +
      `      ${to}l = ${xor(`${addend}l`, xor('shared', lookUp(`${factor}f`, 'h', given)))};\n` +
      `      h0 = ${xor('h0', 'l0')}; h1 = ${xor('h1', 'l1')};\n` +
      `      ${to}h = ${xor(`${addend}h`, xor('shared', lookUp(`${factor}s`, 'h', given)))};\n`
    );
  }

  const halves = (isGeneral) => (isGeneral ? ['l', 'h'] : ['']);
  const add = (to, from, isGeneral) =>
    halves(isGeneral)
      .map((half) => `      ${to}${half} = ${xor(to + half, from + half)};\n`)
      .join('');

  /**
   * A loop over a run of rows: `body` on vectors at the same place of each of `names`.
   *
   * @param load, store - where row `p0`, `p1`, … is loaded from and stored to
   * @param moved - pointers that go along with `p0`, `p1`, …
   */
  function loop(names, isGeneral, body, { load = same, store = same, moved = [] } = {}) {
    const offsets = isGeneral ? [0, 16] : [0, 16, 32, 48];
    const declared = names.flatMap((name) => halves(isGeneral).map((half) => `${name}${half}`));
    const each = (make) =>
      names.flatMap((name, row) =>
        halves(isGeneral).map((half) => make(`${name}${half}`, `p${row}`, half === 'h' ? 32 : 0)),
      );
    let code = `    let ${declared.map((name) => `${name} = nibble`).join(', ')};\n`;
    code += '    for (const stop = p0 + run; p0 < stop; ) {\n';
    for (const offset of offsets) {
      code += `      ${each((name, pointer, half) => `${name} = v128.load(${load(pointer)}, ${offset + half});`).join(' ')}\n`;
      code += body;
      code += `      ${each((name, pointer, half) => `v128.store(${store(pointer)}, ${name}, ${offset + half});`).join(' ')}\n`;
    }
    const pointers = [...names.map((_, row) => `p${row}`), ...moved];
    code += `      ${pointers.map((pointer) => `${pointer} += 64;`).join(' ')}\n    }\n`;
    return code;
  }

  const temporaries =
    '  let l0 = nibble, l1 = nibble, h0 = nibble, h1 = nibble, shared = nibble;\n';

  /** Two layers over blocks of four runs, from `p0` to `end`. */
  function pass(direction, kind) {
    const { upper, left, right } = KINDS[kind];
    const isGeneral = left === 'general';
    const hasShift = direction === 'forward' && kind === 'Subfield';
    const lowerLayer = {
      forward:
        accumulate('a', 'left', left, 'b', isGeneral) +
        add('b', 'a', isGeneral) +
        accumulate('c', 'right', right, 'd', isGeneral) +
        add('d', 'c', isGeneral),
      inverse:
        add('b', 'a', isGeneral) +
        accumulate('a', 'left', left, 'b', isGeneral) +
        add('d', 'c', isGeneral) +
        accumulate('c', 'right', right, 'd', isGeneral),
    };
    const products4 =
      accumulate('a', 'upper', upper, 'c', isGeneral) +
      accumulate('b', 'upper', upper, 'd', isGeneral);
    const sums4 = add('c', 'a', isGeneral) + add('d', 'b', isGeneral);
    const body =
      direction === 'forward'
        ? products4 + sums4 + lowerLayer.forward
        : lowerLayer.inverse + sums4 + products4;
    return `
function ${direction}${kind}(p0: usize, end: usize, run: usize, index: u32${hasShift ? ', shift: usize' : ''}): void {
  const nibble = v128.load(NIBBLE);
${isGeneral ? temporaries : ''}  while (p0 < end) {
${products('upper', upper, 'elementOf(index >> 1)')}${products('left', left, 'elementOf(index)')}${products('right', right, 'elementOf(index + 2)')}    let p1 = p0 + run, p2 = p1 + run, p3 = p2 + run;
${loop(['a', 'b', 'c', 'd'], isGeneral, body, hasShift ? { store: (pointer) => `${pointer} + shift` } : {})}    p0 += 3 * run;
    index += 4;
  }
}
${isGeneral || (direction === 'forward' && kind === 'First') ? '' : panelPass()}`;

    /** The same where the panel's rows, `stride` bytes apart from q0 on, are read or written. */
    function panelPass() {
      const inPanel = (pointer) => pointer.replace('p', 'q');
      const where = direction === 'forward' ? { store: inPanel } : { load: inPanel };
      const name = direction === 'forward' ? 'forwardTo' : 'inverseFrom';
      return `
function ${name}${kind}(p0: usize, end: usize, run: usize, index: u32, q0: usize, stride: usize): void {
  const nibble = v128.load(NIBBLE);
  while (p0 < end) {
${products('upper', upper, 'elementOf(index >> 1)')}${products('left', left, 'elementOf(index)')}${products('right', right, 'elementOf(index + 2)')}    let p1 = p0 + run, p2 = p1 + run, p3 = p2 + run;
    let q1 = q0 + stride, q2 = q1 + stride, q3 = q2 + stride;
${loop(['a', 'b', 'c', 'd'], false, body, { ...where, moved: ['q0', 'q1', 'q2', 'q3'] })}    p0 += 3 * run;
    q0 += 4 * stride - run;
    index += 4;
  }
}
`;
    }
  }

  /** The odd layer, always the topmost: its factor lies in the subfield. */
  function pair(direction) {
    const body =
      direction === 'forward'
        ? accumulate('a', 'upper', 'subfield', 'b', false) + add('b', 'a', false)
        : add('b', 'a', false) + accumulate('a', 'upper', 'subfield', 'b', false);
    const hasShift = direction === 'forward';
    return `
function ${direction}Top(p0: usize, run: usize, index: u32${hasShift ? ', shift: usize' : ''}): void {
  const nibble = v128.load(NIBBLE);
${products('upper', 'subfield', 'elementOf(index)')}  let p1 = p0 + run;
${loop(['a', 'b'], false, body, hasShift ? { store: (pointer) => `${pointer} + shift` } : {})}}
`;
  }

  function dispatch(direction) {
    const hasShift = direction === 'forward';
    return `
/** Two layers, the lower of which has runs of \`run\` bytes and begins with factor \`index\`. */
function ${direction}Pass(p: usize, end: usize, run: usize, index: u32${hasShift ? ', shift: usize' : ''}): void {
  if (index == 0) {
    ${direction}First(p, p + 4 * run, run, 0);
    p += 4 * run;
    index = 4;
  }
  if (index < 256) {
    const stop = min<usize>(end, p + <usize>(256 - index) * run);
    ${direction}Subfield(p, stop, run, index${hasShift ? ', shift' : ''});
    p = stop;
    index = 256;
  }
  if (index < 512) {
    const stop = min<usize>(end, p + <usize>(512 - index) * run);
    ${direction}Mixed(p, stop, run, index);
    p = stop;
    index = 512;
  }
  ${direction}General(p, end, run, index);
}
`;
  }

  const passes = ['forward', 'inverse']
    .map(
      (direction) =>
        Object.keys(KINDS)
          .map((kind) => pass(direction, kind))
          .join('') +
        pair(direction) +
        dispatch(direction),
    )
    .join('');

  return `// Generated by scripts/codec-source.mjs; do not edit. See there for the why.
// Kernels of the row codec, ${build} SIMD.

const NIBBLE: usize = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);
/** For each element of GF(2^8) its products with 0 … 15 and with 0, 16 … 240; the host writes all tables. */
export const PRODUCTS: usize = memory.data(8192, 64);
/** Points 0 … 255: bytes. */
export const LOW_POINTS: usize = memory.data(256, 64);
/** Points 0, 256 … 65,280: two bytes each. */
export const HIGH_POINTS: usize = memory.data(512, 64);
/** The product of each element of GF(2^8) and b_7: bytes. */
export const FOLDED: usize = memory.data(256, 64);
/** Where the host's memory begins: scratch rows and panels. */
export const FREE: usize = (__heap_base + 63) & ~63;

@inline
function elementOf(index: u32): u32 {
  return <u32>load<u8>(LOW_POINTS + <usize>(index & 255)) ^ <u32>load<u16>(HIGH_POINTS + (<usize>(index >> 8) << 1));
}
${passes}
@inline
function copy(from: usize, to: usize, width: usize): void {
  for (const stop = from + width; from < stop; from += 64) {
    const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from, 32), d = v128.load(from, 48);
    v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    to += 64;
  }
}

function copyRows(from: usize, fromStride: usize, to: usize, toStride: usize, width: usize, rows: u32): void {
  for (; rows > 0; rows -= 1) {
    copy(from, to, width);
    from += fromStride;
    to += toStride;
  }
}

/** Values of a block of rows become coefficients as far as the block's own layers go, from \`layer\` on. */
function inverseBlock(at: usize, width: usize, blockLog: u32, point: u32, layer: u32 = 0): void {
  const end = at + (width << blockLog);
  for (; layer < blockLog; layer += 2) inversePass(at, end, width << layer, point >> layer);
}

/** The first two layers of a block of data rows, from the panel's rows at q on. */
function inverseFromPanel(at: usize, width: usize, blockLog: u32, point: u32, q: usize, stride: usize): void {
  const end = at + (width << blockLog);
  if (point == 0) {
    inverseFromFirst(at, at + 4 * width, width, 0, q, stride);
    at += 4 * width;
    q += 4 * stride;
    point = 4;
  }
  inverseFromSubfield(at, end, width, point, q, stride);
}

/** The layers above blocks: all 2^log rows' coefficients. */
function inverseUpper(at: usize, width: usize, log: u32, blockLog: u32, point: u32): void {
  const end = at + (width << log);
  let layer = blockLog;
  for (; layer + 1 < log; layer += 2) inversePass(at, end, width << layer, point >> layer);
  if (layer < log) inverseTop(at, width << layer, point >> layer);
}

/** From coefficients down to where blocks are on their own; \`shift\` bytes further, if not zero. */
function forwardUpper(at: usize, width: usize, log: u32, blockLog: u32, point: u32, shift: usize): void {
  let layer = log;
  if ((log - blockLog) & 1) {
    layer -= 1;
    forwardTop(at, width << layer, point >> layer, shift);
    at += shift;
    shift = 0;
  }
  while (layer > blockLog) {
    layer -= 2;
    forwardPass(at, at + (width << log), width << layer, point >> layer, shift);
    at += shift;
    shift = 0;
  }
}

/** From a block's coefficients down to those of \`last\`: to its values, unless told. */
function forwardBlock(at: usize, width: usize, blockLog: u32, point: u32, last: u32 = 0): void {
  const end = at + (width << blockLog);
  for (let layer = blockLog; layer > last; ) {
    layer -= 2;
    forwardPass(at, end, width << layer, point >> layer, 0);
  }
}

/**
 * Parity of a panel of \`width\` columns of 2^log data rows, rows \`stride\` bytes apart: \`cosets\`
 * panels one after another. Scratch holds twice 2^log strips.
 *
 * @param blockLog - even, below \`log\`
 */
export function encodePanel(
  input: usize, output: usize, stride: usize, width: usize,
  log: u32, cosets: u32, blockLog: u32, strip: usize, scratch: usize,
): void {
  const rows: u32 = 1 << log, blockRows: u32 = 1 << blockLog;
  const isSubfield = blockLog >= 2 && rows * (1 + cosets) <= 256;
  for (let column: usize = 0; column < width; column += strip) {
    const size = min<usize>(strip, width - column);
    const values = scratch + (size << log);
    for (let row: u32 = 0; row < rows; row += blockRows) {
      const at = scratch + <usize>row * size, from = input + <usize>row * stride + column;
      if (isSubfield) {
        inverseFromPanel(at, size, blockLog, row, from, stride);
        inverseBlock(at, size, blockLog, row, 2);
      } else {
        copyRows(from, stride, at, size, size, blockRows);
        inverseBlock(at, size, blockLog, row);
      }
    }
    inverseUpper(scratch, size, log, blockLog, 0);
    for (let coset: u32 = 1; coset <= cosets; coset += 1) {
      const point = coset << log;
      const parity = output + <usize>(point - rows) * stride + column;
      forwardUpper(scratch, size, log, blockLog, point, values - scratch);
      for (let row: u32 = 0; row < rows; row += blockRows) {
        const at = values + <usize>row * size, to = parity + <usize>row * stride;
        if (isSubfield) {
          forwardBlock(at, size, blockLog, point + row, 2);
          forwardToSubfield(at, at + (size << blockLog), size, point + row, to, stride);
        } else {
          forwardBlock(at, size, blockLog, point + row);
          copyRows(at, size, to, stride, size, blockRows);
        }
      }
    }
  }
}

/** A row times an element. */
function scale(p: usize, to: usize, width: usize, element: u32): void {
  const nibble = v128.load(NIBBLE), zero = i64x2.splat(0);
${temporaries}  let al = nibble, ah = nibble, bl = nibble, bh = nibble;
${products('factor', 'general', 'element')}  for (const stop = p + width; p < stop; ) {
${[0, 16]
  .map(
    (offset) =>
      `      al = v128.load(p, ${offset}); ah = v128.load(p, ${offset + 32});\n` +
      accumulate('b', 'factor', 'general', 'a', true, 'zero').replaceAll(/zero[lh]/g, 'zero') +
      `      v128.store(to, bl, ${offset}); v128.store(to, bh, ${offset + 32});\n`,
  )
  .join('')}      p += 64;
      to += 64;
  }
}

/** Adds rows to others. */
function addRows(from: usize, to: usize, bytes: usize): void {
  for (const stop = from + bytes; from < stop; from += 64) {
    const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from, 32), d = v128.load(from, 48);
    v128.store(to, v128.xor(v128.load(to), a));
    v128.store(to, v128.xor(v128.load(to, 16), b), 16);
    v128.store(to, v128.xor(v128.load(to, 32), c), 32);
    v128.store(to, v128.xor(v128.load(to, 48), d), 48);
    to += 64;
  }
}

/**
 * Coefficients become their formal derivative's: row i the sum of the rows i + 2^b over its clear
 * bits b. With \`keeps\` they are added to it.
 */
function differentiate(at: usize, width: usize, log: u32, keeps: bool): void {
  const rows: u32 = 1 << log;
  for (let row: u32 = 0; row < rows; row += 1) {
    const to = at + <usize>row * width;
    for (let column: usize = 0; column < width; column += 64) {
      const p = to + column;
      let a = i64x2.splat(0), b = a, c = a, d = a;
      if (keeps) {
        a = v128.load(p); b = v128.load(p, 16); c = v128.load(p, 32); d = v128.load(p, 48);
      }
      for (let clear = ~row & (rows - 1); clear != 0; clear &= clear - 1) {
        const q = p + <usize>(clear & (0 - clear)) * width;
        a = v128.xor(a, v128.load(q)); b = v128.xor(b, v128.load(q, 16));
        c = v128.xor(c, v128.load(q, 32)); d = v128.xor(d, v128.load(q, 48));
      }
      v128.store(p, a); v128.store(p, b, 16); v128.store(p, c, 32); v128.store(p, d, 48);
    }
  }
}

/**
 * Brings a block of a coset's rows to \`at\`, each times its factor; zero for those not there.
 *
 * @param plan - for each row its place in the panel · 2^16 + its factor; 0 if it is not there
 * @returns whether any is there
 */
function gather(input: usize, stride: usize, at: usize, size: usize, plan: usize, rows: u32): bool {
  let isAny = false;
  for (const end = plan + (<usize>rows << 2); plan < end; plan += 4) {
    const entry = load<u32>(plan), element = entry & 0xffff;
    const from = input + <usize>(entry >> 16) * stride;
    if (element == 0) memory.fill(at, 0, size);
    else if (element == 1) copy(from, at, size);
    else scale(from, at, size, element);
    isAny = isAny || element != 0;
    at += size;
  }
  return isAny;
}

/**
 * Data rows of a panel of rows that are there: the sum over the cosets j with a bit set in
 * \`present\` of their coefficients, those of coset 0 differentiated, evaluated at the data rows'
 * points. Why that is all it takes: \`src/wasm/decode-plan.ts\`.
 *
 * @param plan - for each row of every coset its place in the panel and its factor; see \`gather\`
 * @param missing - for each data row to be written, in order, its index · 2^16 + its factor; they
 *   go to \`output\` one after another
 * @param keeps - whether coset 0 is added once more, not differentiated
 */
export function decodePanel(
  input: usize, output: usize, stride: usize, width: usize,
  log: u32, present: u32, blockLog: u32, strip: usize, scratch: usize,
  plan: usize, missing: usize, missingRows: u32, keeps: bool,
): void {
  const rows: u32 = 1 << log, blockRows: u32 = 1 << blockLog;
  const missingEnd = missing + (<usize>missingRows << 2);
  for (let column: usize = 0; column < width; column += strip) {
    const size = min<usize>(strip, width - column), bytes = size << log;
    let values = scratch;
    for (let coset: u32 = 0; present >> coset != 0; coset += 1) {
      if ((present >> coset & 1) == 0) continue;
      const point = coset << log;
      for (let row: u32 = 0; row < rows; row += blockRows) {
        const at = values + <usize>row * size, entries = plan + (<usize>(point + row) << 2);
        if (gather(input + column, stride, at, size, entries, blockRows)) {
          inverseBlock(at, size, blockLog, point + row);
        }
      }
      inverseUpper(values, size, log, blockLog, point);
      if (coset == 0) differentiate(values, size, log, keeps);
      if (values != scratch) addRows(values, scratch, bytes);
      values = scratch + bytes;
    }
    forwardUpper(scratch, size, log, blockLog, 0, 0);
    let to = output + column, next = missing;
    for (let row: u32 = 0; row < rows && next < missingEnd; row += blockRows) {
      if (load<u32>(next) >> 16 >= row + blockRows) continue;
      forwardBlock(scratch + <usize>row * size, size, blockLog, row);
      for (; next < missingEnd; next += 4) {
        const entry = load<u32>(next), index = entry >> 16, element = entry & 0xffff;
        if (index >= row + blockRows) break;
        const from = scratch + <usize>index * size;
        if (element == 1) copy(from, to, size);
        else scale(from, to, size, element);
        to += stride;
      }
    }
  }
}
`;
}
