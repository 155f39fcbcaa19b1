import {
  bigEndianBytes,
  type ChainId,
  concatBytes,
  fromHex,
  type Hex,
  keccak256,
  type Root,
  toHex,
} from '@cairn/primitives';
import { chainIdField, fieldsOf, naturalField, refuseField, rootField } from './check.ts';
import { parseBoundedJson } from './json-text.ts';

/** Length of a reference's canonical form. */
export const CONTENT_REFERENCE_BYTES = 72;

const VERSION = 1;
const WHAT = 'contentReference';

/**
 * Bytes of a file in the log of some chain, named so that contracts, programs and people mean the
 * same ones for ever.
 *
 * @see contracts/src/shards/ContentReferences.sol, which takes the same six fields with their proof
 */
export interface ContentReference {
  /** Chain whose log has the file. */
  readonly chainId: ChainId;
  /** A checkpoint of that chain in the order of all, whose log has it. */
  readonly globalIndex: number;
  readonly root: Root;
  /** Bytes of the file, from 1. */
  readonly sizeBytes: number;
  /** First byte meant. */
  readonly offset: number;
  /** Bytes meant, from 1; they end with the file at the latest. */
  readonly length: number;
}

/** Part of a file, in bytes from its start. */
type Part = Pick<ContentReference, 'offset' | 'length'>;

/**
 * A reference from its JSON, as text or parsed: `{"version": 1, "chainId", "globalIndex", "root",
 * "sizeBytes", "offset", "length"}`. Without `offset` and `length` it means the whole file.
 *
 * @throws {WireError} WIRE_JSON, WIRE_NOT_AN_OBJECT, WIRE_FIELD
 */
export function parseContentReference(value: unknown): ContentReference {
  const json = typeof value === 'string' ? parseBoundedJson(value, 2, WHAT) : value;
  const fields = fieldsOf(json, WHAT);
  naturalField(fields, 'version', WHAT, { min: VERSION, max: VERSION });
  const sizeBytes = naturalField(fields, 'sizeBytes', WHAT, { min: 1 });
  const isWhole = fields['offset'] === undefined && fields['length'] === undefined;
  const offset = isWhole ? 0 : naturalField(fields, 'offset', WHAT, { max: sizeBytes - 1 });
  const max = sizeBytes - offset;
  return {
    chainId: chainIdField(fields, 'chainId', WHAT),
    globalIndex: naturalField(fields, 'globalIndex', WHAT),
    root: rootField(fields, 'root', WHAT),
    sizeBytes,
    offset,
    length: isWhole ? sizeBytes : naturalField(fields, 'length', WHAT, { min: 1, max }),
  };
}

/** What `parseContentReference` reads, one line of JSON. */
export function contentReferenceJson({
  chainId,
  globalIndex,
  root,
  sizeBytes,
  offset,
  length,
}: ContentReference): string {
  const fields = { version: VERSION, chainId, globalIndex, root, sizeBytes, offset, length };
  return JSON.stringify(fields);
}

/**
 * The canonical form: chain id, global index u64, root, size, offset and length u64, packed
 * big-endian.
 *
 * @returns 72 bytes
 * @throws {RangeError} if a number is negative or not whole
 */
export function encodeContentReference(content: ContentReference): Uint8Array {
  const { chainId, globalIndex, root, sizeBytes, offset, length } = content;
  return concatBytes(
    ...[chainId, globalIndex].map((value) => bigEndianBytes(value, 8)),
    fromHex(root),
    ...[sizeBytes, offset, length].map((value) => bigEndianBytes(value, 8)),
  );
}

/** What names a reference in contracts and messages: keccak-256 of its canonical form. */
export function contentReferenceId(content: ContentReference): Hex {
  return toHex(keccak256(encodeContentReference(content)));
}

/**
 * A part of what is referred to, for instance a tensor of a model.
 *
 * @param part - in bytes from the first byte that `content` means
 * @throws {WireError} WIRE_FIELD if it is empty or does not end with `content` at the latest
 */
export function partOfContent(
  content: ContentReference,
  { offset, length }: Part,
): ContentReference {
  const isIn = Number.isSafeInteger(offset) && offset >= 0 && offset < content.length;
  if (!isIn) {
    refuseField(WHAT, 'offset', `an integer from 0 to ${content.length - 1}`, offset);
  }
  const max = content.length - offset;
  if (!Number.isSafeInteger(length) || length < 1 || length > max) {
    refuseField(WHAT, 'length', `an integer from 1 to ${max}`, length);
  }
  return { ...content, offset: content.offset + offset, length };
}
