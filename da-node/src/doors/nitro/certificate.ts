import {
  BLOB_HEADER_BYTES,
  type BlobHeader,
  type Domain,
  encodeBlobHeader,
  leafHash,
  parseBlobHeader,
  rootOfPath,
  treeDepth,
} from '@cairn/attestation';
import {
  bigEndianBytes,
  chainIdOf,
  concatBytes,
  fromHex,
  isFault,
  parseAddress,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { invalidCertificate } from './errors.ts';

/** Before every certificate of a data-availability provider, in a message of a sequencer. */
export const NITRO_HEADER_BYTE = 0x01;
/** "C": tells this provider's certificates from others' behind the same byte. */
export const NITRO_PROVIDER_BYTE = 0x43;
const VERSION = 1;

const SEED_AT = 51;
const HEADER_AT = 83;
const PATH_AT: number = HEADER_AT + BLOB_HEADER_BYTES;
const HASH_BYTES = 32;

/** Which leaf of which batch of which entrance a blob is. */
export interface NitroCertificate {
  readonly entrance: Domain;
  /** The epoch whose quorum signed. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Leaves of the batch. */
  readonly count: number;
  readonly leafIndex: number;
  /** Of the epoch, 32 bytes. */
  readonly seed: Uint8Array;
  readonly header: BlobHeader;
  /** 32 bytes each, bottom-up; exactly the depth of `count` leaves. */
  readonly path: readonly Uint8Array[];
}

/**
 * A certificate's bytes: 0x01, provider, version, chain u64, entrance 20, epoch u64, quorum u32, count
 * u32, leaf index u32, seed 32, blob header 88, path. There is one form only.
 *
 * @see contracts/src/da/NitroCertificates.sol, which takes the same bytes apart
 */
export function encodeNitroCertificate(certificate: NitroCertificate): Uint8Array {
  const { entrance, epoch, quorumId, count, leafIndex, seed, header, path } = certificate;
  return concatBytes(
    Uint8Array.of(NITRO_HEADER_BYTE, NITRO_PROVIDER_BYTE, VERSION),
    bigEndianBytes(entrance.chainId, 8),
    fromHex(entrance.address),
    bigEndianBytes(epoch, 8),
    bigEndianBytes(quorumId, 4),
    bigEndianBytes(count, 4),
    bigEndianBytes(leafIndex, 4),
    seed,
    encodeBlobHeader(header),
    ...path,
  );
}

/**
 * The certificate in bytes from a chain. What the validator's contract would not take apart is none.
 *
 * @throws {NitroError} NITRO_CERTIFICATE
 */
export function parseNitroCertificate(bytes: Uint8Array): NitroCertificate {
  const [headerByte, provider, version] = bytes;
  if (bytes.length < PATH_AT) throw malformed('length', `${PATH_AT} bytes at least`);
  if (headerByte !== NITRO_HEADER_BYTE) throw malformed('header byte', 'header byte 1');
  if (provider !== NITRO_PROVIDER_BYTE) throw malformed('provider', 'provider byte 0x43');
  if (version !== VERSION) throw malformed('version', `version ${VERSION}`);
  const view = viewOf(bytes);
  const count = view.getUint32(43);
  const leafIndex = view.getUint32(47);
  if (leafIndex >= count) throw malformed('leaf', 'a leaf of its batch');
  const depth = treeDepth(count);
  if (bytes.length !== PATH_AT + depth * HASH_BYTES) throw malformed('path', `${depth} siblings`);
  const chainId = exact(view.getBigUint64(3), 'chain');
  if (chainId === 0) throw malformed('chain', 'a chain');
  return {
    entrance: {
      chainId: chainIdOf(chainId),
      address: parseAddress(toHex(bytes.subarray(11, 31))),
    },
    epoch: exact(view.getBigUint64(31), 'epoch'),
    quorumId: view.getUint32(39),
    count,
    leafIndex,
    seed: bytes.slice(SEED_AT, HEADER_AT),
    header: headerIn(bytes.subarray(HEADER_AT, PATH_AT)),
    path: Array.from({ length: depth }, (_, level) => {
      const from = PATH_AT + level * HASH_BYTES;
      return bytes.slice(from, from + HASH_BYTES);
    }),
  };
}

/** Root of the batch that a certificate leads to. */
export function batchRootOf({ header, leafIndex, count, path }: NitroCertificate): Uint8Array {
  return rootOfPath({ leaf: leafHash(encodeBlobHeader(header)), index: leafIndex, count, path });
}

function headerIn(body: Uint8Array): BlobHeader {
  try {
    return parseBlobHeader(body);
  } catch (error) {
    if (!isFault(error)) throw error;
    throw invalidCertificate('header', error.message, error);
  }
}

/** Numbers beyond this are of no chain: the entrance has none of them. */
function exact(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(what, 'numbers below 2^53');
  return Number(value);
}

function malformed(what: string, expected: string): Error {
  return invalidCertificate(what, `a certificate of this network has ${expected}`);
}
