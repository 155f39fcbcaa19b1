import { CHUNK_BYTES } from '../params.ts';
import type { MatrixShape } from '../row-codec.ts';
import type { Step } from './gpu-runner.ts';
import type { MatrixPlan, RowPart } from './matrix-plan.ts';
import { NARROW, WIDE } from './shaders/transform-wgsl.ts';

/** Chunks that a workgroup of `slice` and `unslice` does. */
const GROUP_CHUNKS = 32;
/** Rows of up to so many chunks are transformed by narrow groups. */
const NARROW_CHUNKS = 16;
const VECTOR_BYTES = 16;

/** What the transform works with. */
export interface TransformBuffers {
  /** For each part of the plan its rows. */
  readonly rows: readonly GPUBuffer[];
  /** Three matrices of planes, each a strip of one coset. */
  readonly planes: readonly GPUBuffer[];
  /** The images of the butterflies' factors. */
  readonly images: GPUBuffer;
}

/**
 * The steps that make parity rows of data rows, strip after strip: slice the data, interpolate, and
 * for each parity coset evaluate and lay the bytes together again.
 */
export function encodeSteps(
  shape: MatrixShape,
  plan: MatrixPlan,
  { rows, planes, images }: TransformBuffers,
): Step[] {
  const steps: Step[] = [];
  const chunks = shape.rowBytes / CHUNK_BYTES;
  for (let first = 0; first < chunks; first += plan.stripChunks) {
    const strip = { first, chunks: Math.min(plan.stripChunks, chunks - first) };
    const bytes = shape.dataRows * strip.chunks * CHUNK_BYTES;
    const isNarrow = strip.chunks <= NARROW_CHUNKS;
    const { width, height } = isNarrow ? NARROW : WIDE;
    const transform = (name: 'interpolate' | 'evaluate', pass: Pass, offset: number): Step => {
      const groups = shape.dataRows >> pass.layers;
      return {
        kernel: `${name}${pass.layers === 2 ? 4 : 2}${isNarrow ? 'Narrow' : ''}`,
        params: [strip.chunks, pass.layer, offset, groups],
        buffers: [planesAt(planes, pass.given), planesAt(planes, pass.made), images],
        groups: [Math.ceil(strip.chunks / width), Math.ceil(groups / height)],
        bytes,
      };
    };
    const move = (kernel: 'slice' | 'unslice', coset: number, buffer: GPUBuffer): Step[] =>
      plan.parts.flatMap((part, index) => {
        const row = rows[index];
        if (part.coset !== coset || row === undefined) return [];
        const buffers = kernel === 'slice' ? [row, buffer] : [buffer, row];
        return [moveStep(kernel, shape, part, strip, buffers)];
      });
    const up = passes(shape.log2K, 0, [1, 0]);
    const coefficients = up.at(-1)?.made ?? 0;
    const spare = [0, 1, 2].filter((index) => index !== coefficients);
    const down = passes(shape.log2K, coefficients, spare, true);
    steps.push(...move('slice', 0, planesAt(planes, 0)));
    steps.push(...up.map((pass) => transform('interpolate', pass, 0)));
    for (let coset = 1; coset <= shape.cosets; coset += 1) {
      steps.push(...down.map((pass) => transform('evaluate', pass, coset * shape.dataRows)));
      steps.push(...move('unslice', coset, planesAt(planes, down.at(-1)?.made ?? 0)));
    }
  }
  return steps;
}

/** One pass over a matrix of planes. */
interface Pass {
  /** The lower of its layers. */
  readonly layer: number;
  /** How many layers it does. */
  readonly layers: 1 | 2;
  /** Which planes it reads and which it writes. */
  readonly given: number;
  readonly made: number;
}

/** All layers, two by two, from `given` to the planes named in `turns`, which take turns. */
function passes(log2K: number, given: number, turns: readonly number[], isDown = false): Pass[] {
  const found: Pass[] = [];
  for (let done = 0; done < log2K; ) {
    const layers = log2K - done > 1 ? 2 : 1;
    const layer = isDown ? log2K - done - layers : done;
    const made = turns[found.length % turns.length] ?? 0;
    found.push({ layer, layers, given: found.at(-1)?.made ?? given, made });
    done += layers;
  }
  return found;
}

function moveStep(
  kernel: 'slice' | 'unslice',
  { dataRows, rowBytes }: MatrixShape,
  part: RowPart,
  strip: { readonly first: number; readonly chunks: number },
  buffers: readonly GPUBuffer[],
): Step {
  return {
    kernel,
    params: [rowBytes / VECTOR_BYTES, part.firstRow % dataRows, strip.first, strip.chunks],
    buffers,
    groups: [Math.ceil(strip.chunks / GROUP_CHUNKS), part.rows],
    bytes: part.rows * strip.chunks * CHUNK_BYTES,
  };
}

function planesAt(planes: readonly GPUBuffer[], index: number): GPUBuffer {
  const buffer = planes[index];
  if (buffer === undefined) throw new RangeError(`there are no planes ${index}`);
  return buffer;
}
