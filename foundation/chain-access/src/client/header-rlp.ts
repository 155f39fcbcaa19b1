import { concatBytes, fromHex, isHexOf, isRecord, keccak256, toHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from './chain-client.ts';
import { ChainError } from './errors.ts';

/** A header's fields in order: those that every block has, then those that upgrades appended. */
const FIELDS = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
] as const;
const APPENDED_FIELDS = [
  'baseFeePerGas',
  'withdrawalsRoot',
  'blobGasUsed',
  'excessBlobGas',
  'parentBeaconBlockRoot',
  'requestsHash',
] as const;
/** Fields that are numbers: without leading zeros in RLP, unlike hashes and bytes. */
const QUANTITIES: ReadonlySet<string> = new Set([
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
]);

const METHOD = 'eth_getBlockByNumber';

/**
 * A block's header as the chain hashes it: what proves a value of a past block to a contract.
 *
 * @returns `undefined` if the endpoint has no such block
 * @throws {ChainError} CHAIN_BAD_REPLY if the fields do not hash to the block's hash; what the
 * client throws
 */
export async function readHeaderRlp(
  client: Pick<ChainClient, 'rpc'>,
  block: number,
  options: CallOptions,
): Promise<Uint8Array | undefined> {
  const reply = await client.rpc(METHOD, [`0x${block.toString(16)}`, false], options);
  if (reply === null) return undefined;
  if (!isRecord(reply)) throw badHeader(block, 'it is not an object');
  const rlp = encodeHeader(reply, block);
  if (!isHexOf(reply['hash'], 32) || toHex(keccak256(rlp)) !== reply['hash'].toLowerCase()) {
    throw badHeader(block, 'its fields do not hash to its hash');
  }
  return rlp;
}

function encodeHeader(reply: Readonly<Record<string, unknown>>, block: number): Uint8Array {
  const present = APPENDED_FIELDS.filter((name) => isText(reply[name]));
  const items = [...FIELDS, ...present].map((name) => {
    const value = reply[name];
    if (!isText(value)) throw badHeader(block, `it has no ${name}`);
    return encodeString(QUANTITIES.has(name) ? quantityBytes(value) : bytesOf(value, name, block));
  });
  return concatBytes(...encodeLength(0xc0, items), ...items);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function bytesOf(value: string, name: string, block: number): Uint8Array {
  if (/^0x([0-9a-f]{2})*$/i.test(value)) return fromHex(value);
  throw badHeader(block, `its ${name} is not hex`);
}

function quantityBytes(value: string): Uint8Array {
  const digits = value.replace(/^0x0*/i, '');
  return fromHex(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

function encodeString(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] ?? 0) < 0x80) return bytes;
  return concatBytes(...encodeLength(0x80, [bytes]), bytes);
}

/** The prefix of a string (0x80) or list (0xc0) of these contents. */
function encodeLength(offset: number, contents: readonly Uint8Array[]): Uint8Array[] {
  const length = contents.reduce((sum, { length: bytes }) => sum + bytes, 0);
  if (length < 56) return [Uint8Array.of(offset + length)];
  const digits = quantityBytes(`0x${length.toString(16)}`);
  return [Uint8Array.of(offset + 55 + digits.length), digits];
}

function badHeader(block: number, reason: string): ChainError {
  return new ChainError(
    { code: 'CHAIN_BAD_REPLY', method: METHOD, reason },
    `the header of block ${block} cannot be used: ${reason}`,
  );
}
