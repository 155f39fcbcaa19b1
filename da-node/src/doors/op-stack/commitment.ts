import { bigEndianBytes, concatBytes, fromHex, viewOf } from '@cairn/primitives';
import type { WantedBlob } from '../../retriever/read-blob.ts';
import { OpStackError } from './errors.ts';

/** Type byte of a commitment that is keccak-256 of the input. */
const KECCAK_TYPE = 0x00;
/** Type byte of a commitment that only its layer understands. */
const GENERIC_TYPE = 0x01;
/**
 * The layer byte of this network: "C". Registered are 0x00, 0x0a and 0x0c; 127 and above are reserved.
 */
export const OP_LAYER_BYTE = 0x43;
/** The layer byte of 0G's server: "G". Commitments framed so are read, and never made. */
const ZG_LAYER_BYTE = 0x47;

/** Bytes of a generic commitment, this network's and 0G's. */
export const GENERIC_COMMITMENT_BYTES = 50;
const KECCAK_COMMITMENT_BYTES = 33;

/** A blob and where it is kept, as a rollup's chain names it. */
export interface GenericCommitment extends WantedBlob {
  /** `undefined` in 0G's frame, which names none. */
  readonly shardId: number | undefined;
}

/** What a client asks for. */
export type OpCommitment =
  | { readonly kind: 'keccak'; readonly hash: Uint8Array }
  | ({ readonly kind: 'generic' } & GenericCommitment);

/**
 * A generic commitment, 50 bytes, big-endian: type u8 = 1, layer u8, commitment 32, epoch u64, quorum
 * u32, shard u32. With the epoch's member list that is all that a reader needs: the blob's length is
 * covered by the commitment.
 */
export function encodeOpCommitment(blob: WantedBlob & { readonly shardId: number }): Uint8Array {
  return concatBytes(
    Uint8Array.of(GENERIC_TYPE, OP_LAYER_BYTE),
    blob.commitment,
    bigEndianBytes(blob.epoch, 8),
    bigEndianBytes(blob.quorumId, 4),
    bigEndianBytes(blob.shardId, 4),
  );
}

/**
 * The commitment in a path: `0x` and hexadecimal digits, type byte included. 0G's frame (type, layer
 * "G", epoch u64 and quorum u64 little-endian, root) is read with this network's commitment as root.
 *
 * @throws {OpStackError} OP_COMMITMENT
 */
export function parseOpCommitment(text: string): OpCommitment {
  if (!/^0x([0-9a-fA-F]{2}){1,128}$/.test(text)) throw refusal('0x and pairs of hex digits');
  const bytes = fromHex(text);
  const [type, layer] = bytes;
  if (type === KECCAK_TYPE) {
    if (bytes.length !== KECCAK_COMMITMENT_BYTES) throw refusal('33 bytes for a keccak commitment');
    return { kind: 'keccak', hash: bytes.subarray(1) };
  }
  if (type !== GENERIC_TYPE) throw refusal('type 0 or 1');
  if (layer !== OP_LAYER_BYTE && layer !== ZG_LAYER_BYTE) throw refusal('a layer of this server');
  if (bytes.length !== GENERIC_COMMITMENT_BYTES) {
    throw refusal(`${GENERIC_COMMITMENT_BYTES} bytes for a generic commitment`);
  }
  const view = viewOf(bytes);
  const isZg = layer === ZG_LAYER_BYTE;
  return {
    kind: 'generic',
    commitment: isZg ? bytes.subarray(18) : bytes.subarray(2, 34),
    epoch: exact(view.getBigUint64(isZg ? 2 : 34, isZg)),
    quorumId: isZg ? exact(view.getBigUint64(10, true)) : view.getUint32(42),
    shardId: isZg ? undefined : view.getUint32(46),
  };
}

/** A number that is counted exactly. @throws {OpStackError} OP_COMMITMENT */
function exact(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refusal('numbers below 2^53');
  return Number(value);
}

function refusal(expected: string): OpStackError {
  return new OpStackError(
    { code: 'OP_COMMITMENT', expected },
    `the commitment in the path is not one of this server, which has ${expected}`,
  );
}
