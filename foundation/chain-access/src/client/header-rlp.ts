import { fromHex, type Hex, isHexOf, isRecord, keccak256, toHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from './chain-client.ts';
import { ChainError } from './errors.ts';
import { encodeList, encodeString, numberBytes } from './rlp.ts';

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

/**
 * A block's header as the chain hashes it: what proves a value of a past block to a contract, and its
 * state to whoever trusts the block's hash.
 *
 * @param block - its number; or its hash, which the header is checked against then
 * @returns `undefined` if the endpoint has no such block
 * @throws {ChainError} CHAIN_BAD_REPLY if the fields do not hash to the block's hash; what the
 * client throws
 */
export async function readHeaderRlp(
  client: Pick<ChainClient, 'rpc'>,
  block: number | Hex,
  options: CallOptions,
): Promise<Uint8Array | undefined> {
  const isNumber = typeof block === 'number';
  const method = isNumber ? 'eth_getBlockByNumber' : 'eth_getBlockByHash';
  const name = isNumber ? `0x${block.toString(16)}` : block;
  const reply = await client.rpc(method, [name, false], options);
  if (reply === null) return undefined;
  const refuse = (reason: string): ChainError =>
    new ChainError(
      { code: 'CHAIN_BAD_REPLY', method, reason },
      `the header of block ${block} cannot be used: ${reason}`,
    );
  if (!isRecord(reply)) throw refuse('it is not an object');
  const rlp = encodeHeader(reply, refuse);
  const hash = isNumber ? reply['hash'] : block;
  if (!isHexOf(hash, 32) || toHex(keccak256(rlp)) !== hash.toLowerCase()) {
    throw refuse('its fields do not hash to its hash');
  }
  return rlp;
}

function encodeHeader(
  reply: Readonly<Record<string, unknown>>,
  refuse: (reason: string) => ChainError,
): Uint8Array {
  const present = APPENDED_FIELDS.filter((name) => typeof reply[name] === 'string');
  const items = [...FIELDS, ...present].map((name) => {
    const value = reply[name];
    if (typeof value !== 'string') throw refuse(`it has no ${name}`);
    const form = QUANTITIES.has(name) ? /^0x[0-9a-f]{1,64}$/i : /^0x([0-9a-f]{2})*$/i;
    if (!form.test(value)) throw refuse(`its ${name} is not hex`);
    return encodeString(QUANTITIES.has(name) ? numberBytes(BigInt(value)) : fromHex(value));
  });
  return encodeList(items);
}
