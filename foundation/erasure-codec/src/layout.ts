import { assertNatural } from '@cairn/primitives';
import { CodecError } from './errors.ts';
import {
  CHUNK_BYTES,
  DEFAULT_PARITY_COSETS,
  HEADER_BYTES,
  LAYOUT_CLASSES,
  MAX_PARITY_COSETS,
  MAX_PAYLOAD_BYTES,
} from './params.ts';

/** How a payload of one length lies in rows. It follows from the length and the network alone. */
export interface BlobLayout {
  /** Bytes of the payload. */
  readonly payloadBytes: number;
  readonly log2K: number;
  /** Data rows. */
  readonly dataRows: number;
  /** Parity cosets, each as many rows as there are data rows. */
  readonly cosets: number;
  /** Data and parity rows together. */
  readonly rows: number;
  /** A multiple of 64. */
  readonly rowBytes: number;
}

/** What a network fixes about layouts. */
export interface LayoutNetwork {
  /** Parity cosets, 1 … 3; 3 unless told. */
  readonly cosets?: number;
  /** The least log2 of data rows, from the largest quorum the network allows; 6 unless told. */
  readonly minLog2K?: number;
}

const SMALLEST_LOG2K = 6;
const LARGEST_LOG2K = 12;

/**
 * The layout of a payload.
 *
 * @throws {CodecError} PAYLOAD_TOO_LARGE beyond 128 MiB less the header; LAYOUT for a network that
 *   no blob can have
 */
export function layoutOf(payloadBytes: number, network: LayoutNetwork = {}): BlobLayout {
  assertNatural(payloadBytes, 'payloadBytes');
  const { cosets = DEFAULT_PARITY_COSETS, minLog2K = SMALLEST_LOG2K } = network;
  if (payloadBytes > MAX_PAYLOAD_BYTES) {
    throw new CodecError(
      { code: 'PAYLOAD_TOO_LARGE', actualBytes: payloadBytes, maxBytes: MAX_PAYLOAD_BYTES },
      `a blob holds up to ${MAX_PAYLOAD_BYTES} bytes, not ${payloadBytes}`,
    );
  }
  if (!Number.isInteger(cosets) || cosets < 1 || cosets > MAX_PARITY_COSETS) {
    throw layoutFault('cosets', cosets, `1 to ${MAX_PARITY_COSETS}`);
  }
  if (!Number.isInteger(minLog2K) || minLog2K < SMALLEST_LOG2K || minLog2K > LARGEST_LOG2K) {
    throw layoutFault('minLog2K', minLog2K, `${SMALLEST_LOG2K} to ${LARGEST_LOG2K}`);
  }
  const usedBytes = HEADER_BYTES + payloadBytes;
  const byLength = LAYOUT_CLASSES.find(({ maxBytes }) => usedBytes <= maxBytes)?.log2K;
  const log2K = Math.max(byLength ?? LARGEST_LOG2K, minLog2K);
  const dataRows = 2 ** log2K;
  return {
    payloadBytes,
    log2K,
    dataRows,
    cosets,
    rows: dataRows * (1 + cosets),
    rowBytes: Math.ceil(usedBytes / dataRows / CHUNK_BYTES) * CHUNK_BYTES,
  };
}

function layoutFault(field: string, actual: number, allowed: string): CodecError {
  return new CodecError(
    { code: 'LAYOUT', field, actual },
    `a layout's ${field} is ${allowed}, not ${actual}`,
  );
}
