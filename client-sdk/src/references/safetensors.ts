import { describeError, isRecord, utf8Text } from '@cairn/primitives';
import { parseBoundedJson } from '@cairn/wire-protocol';
import { SdkError } from '../errors.ts';

/** Bytes before the header: its length, little-endian. */
export const SAFETENSORS_PREFIX_BYTES = 8;
/** The longest header that readers of the format take. */
export const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000;

/** Nesting of a header: the file, a tensor, its shape. */
const HEADER_DEPTH = 3;
/** Bits of an element, by the format's names. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  ...{ BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
  ...{ U16: 16, I16: 16, F16: 16, BF16: 16, U32: 32, I32: 32, F32: 32 },
  ...{ U64: 64, I64: 64, F64: 64, C64: 64, F4: 4, F6_E2M3: 6, F6_E3M2: 6 },
};

/** A tensor of a safetensors file, and where its bytes are. */
export interface Tensor {
  readonly name: string;
  /** The format's name of the elements' type, for instance `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte, from the start of the file. */
  readonly offset: number;
  /** Bytes; 0 where an extent of the shape is. */
  readonly length: number;
}

/** @throws {SdkError} SDK_SAFETENSORS unless a header of that length fits a file of `sizeBytes` */
export function safetensorsHeaderBytes(prefix: Uint8Array, sizeBytes: number): number {
  if (prefix.length < SAFETENSORS_PREFIX_BYTES || sizeBytes < SAFETENSORS_PREFIX_BYTES + 2) {
    throw notSafetensors(`${sizeBytes} bytes are too few`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, SAFETENSORS_PREFIX_BYTES);
  const length = view.getBigUint64(0, true);
  const most = Math.min(MAX_SAFETENSORS_HEADER_BYTES, sizeBytes - SAFETENSORS_PREFIX_BYTES);
  if (length < 2n || length > BigInt(most)) {
    throw notSafetensors(`its header would have ${length} bytes, at most ${most} fit`);
  }
  return Number(length);
}

/**
 * The tensors of a file by its header, in the order of their bytes. Those must lie one after
 * another from the end of the header to the end of the file, as the format says: so no byte can be
 * read in two ways.
 *
 * @param header - without the eight bytes before it
 * @throws {SdkError} SDK_SAFETENSORS
 */
export function parseSafetensorsHeader(header: Uint8Array, sizeBytes: number): readonly Tensor[] {
  const dataAt = SAFETENSORS_PREFIX_BYTES + header.length;
  const tensors = Object.entries(headerFields(header))
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => tensorOf(name, value, dataAt));
  const inOrder = tensors.toSorted((a, b) => a.offset - b.offset || a.length - b.length);
  let end = dataAt;
  for (const { name, offset, length } of inOrder) {
    if (offset !== end) {
      throw notSafetensors(
        `tensor "${name}" begins at byte ${offset}, the one before ends at ${end}`,
      );
    }
    end += length;
  }
  if (end === sizeBytes) return inOrder;
  throw notSafetensors(`its tensors end at byte ${end} of ${sizeBytes}`);
}

function headerFields(header: Uint8Array): Readonly<Record<string, unknown>> {
  let fields: unknown;
  try {
    fields = parseBoundedJson(utf8Text(header), HEADER_DEPTH, 'safetensors');
  } catch (error) {
    throw notSafetensors(describeError(error));
  }
  if (isRecord(fields)) return fields;
  throw notSafetensors('its header is no object');
}

function tensorOf(name: string, value: unknown, dataAt: number): Tensor {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  const bits = typeof dtype === 'string' ? DTYPE_BITS[dtype] : undefined;
  if (typeof dtype !== 'string' || bits === undefined) {
    throw notSafetensors(`tensor "${name}" has no type that is known`);
  }
  if (!isNaturals(shape) || !isNaturals(offsets) || offsets.length !== 2) {
    throw notSafetensors(`tensor "${name}" has no shape or no place`);
  }
  const [begin = 0, end = 0] = offsets;
  const wanted = shape.reduce((product, extent) => product * BigInt(extent), BigInt(bits));
  if (wanted !== 8n * (BigInt(end) - BigInt(begin))) {
    const told = `${end - begin} bytes, its shape [${shape.join(', ')}] of ${dtype} takes`;
    throw notSafetensors(`tensor "${name}" has ${told} ${wanted} bits`);
  }
  return { name, dtype, shape, offset: dataAt + begin, length: end - begin };
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function notSafetensors(reason: string): SdkError {
  return new SdkError(
    { code: 'SDK_SAFETENSORS', reason: reason.slice(0, 300) },
    `this is no safetensors file: ${reason.slice(0, 300)}`,
  );
}
