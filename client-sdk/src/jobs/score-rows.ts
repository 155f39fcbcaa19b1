import { stringifyJson, utf8Bytes, viewOf } from '@cairn/primitives';
import { type ContentReference, contentReferenceId } from '@cairn/wire-protocol';
import type { DirectoryEntry } from '../directories.ts';
import { SdkError } from '../errors.ts';
import { referTensors, resolveReference } from '../references/resolve-reference.ts';
import { SAFETENSORS_PREFIX_BYTES } from '../references/safetensors.ts';
import { badInput } from './errors.ts';
import type { JobInput, JobProgram, PreparedJob } from './program.ts';
import { rowsTimes } from './rows-times.ts';

/** Ending of the dataset's files that hold rows; others are passed by. */
const ROWS = '.f32';
const F32_BYTES = 4;
/** The largest tensor that is held in memory. */
const MAX_WEIGHTS_BYTES: number = 64 * 2 ** 20;
/** Files of a dataset at most. */
const MAX_FILES = 100_000;
/** The largest result: a file that any node takes in one piece. */
const MAX_RESULT_BYTES: number = 2 ** 30;

/** A matrix of a model, [outputs, width], row by row. */
interface Weights {
  readonly values: Float32Array;
  readonly outputs: number;
  readonly width: number;
}

type RowsFile = Extract<DirectoryEntry, { readonly kind: 'file' }>;

/**
 * The example program: scores the rows of a dataset with a matrix of a model.
 *
 * Inputs: a directory, and a tensor of a safetensors file, cited by its byte range, of type F32 and shape [outputs, width]. The files of
 * the directory whose names end in `.f32`, in the order of the manifest, hold rows of `width` F32 values, little-endian.
 * Result: a safetensors file with one tensor `scores`, F32 [rows, outputs]: score o of row x is the sum of weights[o][i] · x[i]
 * over rising i, added in 64-bit floats and rounded to 32 bits once; every NaN is 0x7fc00000. So the bytes are the same
 * wherever they are made. Metadata: `program`, and `inputs` with the ids of both references.
 *
 * Memory: the matrix, at most 64 MiB, and some 256 KiB pieces of the dataset.
 */
export const scoreRows: JobProgram = {
  name: 'cairn/score-rows/1',
  async prepare(inputs, { signal }) {
    const [dataset, model, ...others] = inputs;
    if (dataset === undefined || model === undefined || others.length > 0) {
      throw badInput(undefined, `it takes a dataset and a tensor, not ${inputs.length} inputs`);
    }
    const shape = await shapeOf(model, { signal });
    const files = await rowsFiles(dataset, shape.width, { signal });
    return plan(dataset, model, { ...shape, files });
  },
};

function plan(
  dataset: JobInput,
  model: JobInput,
  { outputs, width, files }: Omit<Weights, 'values'> & { readonly files: readonly RowsFile[] },
): PreparedJob {
  const { root } = dataset.content;
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rows = bytes / (F32_BYTES * width);
  const head = headOf(rows, outputs, [dataset.content, model.content]);
  const resultBytes = head.length + rows * outputs * F32_BYTES;
  if (resultBytes > MAX_RESULT_BYTES) {
    throw badInput(root, `its ${rows} rows give ${resultBytes} bytes, ${MAX_RESULT_BYTES} at most`);
  }
  return {
    resultBytes,
    async *result({ signal }) {
      const values = await readWeights(model, { signal });
      yield head;
      for (const file of files) {
        const pieces = readRows(dataset, file, { signal });
        yield* rowsTimes(pieces, { values, outputs, width }, { signal });
      }
    },
  };
}

/** The tensor that a reference means, out of its model's header. */
async function shapeOf(
  { content, client }: JobInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<Omit<Weights, 'values'>> {
  const { root, sizeBytes, offset, length } = content;
  const whole = { ...content, offset: 0, length: sizeBytes };
  const tensors = await referTensors(client, whole, { signal });
  const found = tensors.find((tensor) => tensor.offset === offset && tensor.length === length);
  if (found === undefined) {
    throw badInput(root, `its bytes ${offset} to ${offset + length - 1} are none of its tensors`);
  }
  const { name, dtype, shape } = found;
  const [outputs, width] = shape;
  if (dtype !== 'F32' || shape.length !== 2 || outputs === undefined || width === undefined) {
    throw badInput(root, `tensor "${name}" is ${dtype} [${shape.join(', ')}], not F32 of two axes`);
  }
  if (length > MAX_WEIGHTS_BYTES) {
    throw badInput(root, `tensor "${name}" has ${length} bytes, ${MAX_WEIGHTS_BYTES} at most`);
  }
  return { outputs, width };
}

async function rowsFiles(
  { content, client }: JobInput,
  width: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly RowsFile[]> {
  const { root } = content;
  const entries = await client.files.ls(root, { recursive: true, signal });
  if (entries.length > MAX_FILES) {
    throw badInput(root, `it has ${entries.length} entries, ${MAX_FILES} at most`);
  }
  const files: RowsFile[] = [];
  for (const entry of entries) {
    if (entry.kind !== 'file' || !entry.path.endsWith(ROWS)) continue;
    if (entry.sizeBytes % (F32_BYTES * width) !== 0) {
      const reason = `${entry.path} has ${entry.sizeBytes} bytes, not whole rows of ${width} values`;
      throw badInput(root, reason);
    }
    files.push(entry);
  }
  if (files.some(({ sizeBytes }) => sizeBytes > 0)) return files;
  throw badInput(root, `no file of the directory that ends in ${ROWS} has a row`);
}

async function readWeights(
  { content, client }: JobInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<Float32Array> {
  const bytes = new Uint8Array(content.length);
  let filled = 0;
  for await (const piece of resolveReference(client, content, { signal })) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  const view = viewOf(bytes);
  return Float32Array.from({ length: bytes.length / F32_BYTES }, (_, at) =>
    view.getFloat32(at * F32_BYTES, true),
  );
}

/** The bytes of a file of the dataset: what its manifest says, which the dataset's root commits to. */
async function* readRows(
  { content, client }: JobInput,
  { path, roots, sizeBytes }: RowsFile,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  if (sizeBytes === 0) return;
  const file = await client.files.open({ roots }, { signal });
  if (file.sizeBytes < sizeBytes) {
    const reason = `${file.sizeBytes} bytes of ${path}, not ${sizeBytes}`;
    throw new SdkError(
      { code: 'SDK_REFERENCE', root: content.root, reason },
      `the network has ${reason} as the dataset ${content.root} says`,
    );
  }
  yield* file.stream({ signal }, { offset: 0, length: sizeBytes });
}

/** What stands before the scores: the header of a safetensors file, padded with spaces to whole eights. */
function headOf(
  rows: number,
  outputs: number,
  inputs: readonly ContentReference[],
): Uint8Array<ArrayBuffer> {
  const ids = inputs.map(contentReferenceId).join(' ');
  const fields = {
    __metadata__: { program: scoreRows.name, inputs: ids },
    scores: {
      dtype: 'F32',
      shape: [rows, outputs],
      data_offsets: [0, rows * outputs * F32_BYTES],
    },
  };
  const text = stringifyJson(fields);
  const header = utf8Bytes(text.padEnd(Math.ceil(text.length / 8) * 8));
  const head = new Uint8Array(SAFETENSORS_PREFIX_BYTES + header.length);
  viewOf(head).setBigUint64(0, BigInt(header.length), true);
  head.set(header, SAFETENSORS_PREFIX_BYTES);
  return head;
}
