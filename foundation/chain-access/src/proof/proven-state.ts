import {
  type Address,
  type BlockMark,
  fromHex,
  type Hex,
  isRecord,
  keccak256,
  toHex,
} from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { readHeaderRlp } from '../client/header-rlp.ts';
import { decodeRlp, type RlpItem } from '../client/rlp.ts';
import { verifyTrieProof } from './trie-proof.ts';

const METHOD = 'eth_getProof';
const WORD_BYTES = 32;
/** Slots that are asked for in one request. */
const MAX_SLOTS = 32;

declare const proven: unique symbol;

/** A block whose header hashes to a hash that somebody trusts. Only `readProvenBlock` makes one. */
export interface ProvenBlock extends BlockMark {
  /** Root of the chain's whole state after the block, 32 bytes. */
  readonly stateRoot: Uint8Array;
  /** Unix seconds. */
  readonly timeSeconds: number;
  readonly [proven]: 'block';
}

/**
 * The header of a block whose hash is trusted: nothing of what the endpoint says of it is.
 *
 * @throws {ChainError} CHAIN_BLOCK_UNKNOWN; CHAIN_BAD_REPLY if it is another block's; what the client
 * throws
 */
export async function readProvenBlock(
  client: Pick<ChainClient, 'rpc'>,
  hash: Hex,
  options: CallOptions,
): Promise<ProvenBlock> {
  const rlp = await readHeaderRlp(client, hash, options);
  if (rlp === undefined) {
    throw new ChainError(
      { code: 'CHAIN_BLOCK_UNKNOWN', block: hash },
      `the endpoint knows no block ${hash}`,
    );
  }
  const fields = listOf(decodeRlp(rlp));
  const block: Omit<ProvenBlock, typeof proven> = {
    number: numberOf(fields[8]),
    hash,
    stateRoot: stringOf(fields[3]),
    timeSeconds: numberOf(fields[11]),
  };
  return block as ProvenBlock;
}

/**
 * Words of a contract's storage as of a block, each proven to be there by the block's state root.
 *
 * @param slots - 32 bytes each, at most 32
 * @returns 32 bytes for each; zero where nothing was written
 * @throws {ChainError} CHAIN_BAD_PROOF; CHAIN_NO_CONTRACT where the block has no such account;
 * CHAIN_RPC_ERROR where the endpoint keeps no such state any more; what the client throws
 */
export async function readProvenWords(
  client: Pick<ChainClient, 'rpc'>,
  { block, address, slots }: ProvenQuery,
  options: CallOptions,
): Promise<readonly Uint8Array[]> {
  if (slots.length > MAX_SLOTS) throw new RangeError(`at most ${MAX_SLOTS} slots at once`);
  const params = [address, slots.map(toHex), `0x${block.number.toString(16)}`];
  const reply = await client.rpc(METHOD, params, options);
  const { accountProof, storageProof } = isRecord(reply) ? reply : {};
  const storageRoot = prove('account', () =>
    storageRootOf(
      verifyTrieProof(block.stateRoot, keccak256(fromHex(address)), nodesOf(accountProof)),
    ),
  );
  if (!Array.isArray(storageProof) || storageProof.length !== slots.length) {
    throw badProof('storage', `there are not ${slots.length} proofs`);
  }
  return slots.map((slot, index) => {
    const entry: unknown = storageProof[index];
    return prove('storage', () => {
      const nodes = nodesOf(isRecord(entry) ? entry['proof'] : undefined);
      return wordOf(verifyTrieProof(storageRoot, keccak256(slot), nodes));
    });
  });
}

/** Which words of which contract, as of which block. */
export interface ProvenQuery {
  readonly block: ProvenBlock;
  readonly address: Address;
  readonly slots: readonly Uint8Array[];
}

/** The third of an account's four fields; an account that is not there has no storage to speak of. */
function storageRootOf(account: Uint8Array | undefined): Uint8Array {
  if (account === undefined) throw new RangeError('there is no such account');
  const fields = listOf(decodeRlp(account));
  if (fields.length !== 4) throw new RangeError(`an account has 4 fields, not ${fields.length}`);
  const root = stringOf(fields[2]);
  if (root.length !== WORD_BYTES) throw new RangeError('its storage root is no hash');
  return root;
}

function wordOf(value: Uint8Array | undefined): Uint8Array {
  const word = new Uint8Array(WORD_BYTES);
  if (value === undefined) return word;
  const digits = stringOf(decodeRlp(value));
  if (digits.length > WORD_BYTES || digits[0] === 0) throw new RangeError('a value is no number');
  word.set(digits, WORD_BYTES - digits.length);
  return word;
}

function nodesOf(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw new RangeError('there is no proof');
  return value.map((node: unknown) => {
    if (typeof node !== 'string' || !/^0x([0-9a-f]{2})*$/i.test(node)) {
      throw new RangeError('a node is not hex');
    }
    return fromHex(node);
  });
}

function prove<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw badProof(what, error.message, error);
    throw error;
  }
}

function badProof(what: string, reason: string, cause?: unknown): ChainError {
  return new ChainError(
    { code: 'CHAIN_BAD_PROOF', what, reason },
    `the proof of the ${what} does not hold: ${reason}`,
    { cause },
  );
}

function listOf(item: RlpItem): readonly RlpItem[] {
  if (item instanceof Uint8Array) throw new RangeError('it is no list');
  return item;
}

function stringOf(item: RlpItem | undefined): Uint8Array {
  if (item instanceof Uint8Array) return item;
  throw new RangeError('it is no string of bytes');
}

function numberOf(item: RlpItem | undefined): number {
  return stringOf(item).reduce((sum, digit) => sum * 256 + digit, 0);
}
