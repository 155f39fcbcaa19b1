import {
  type Address,
  type BlockMark,
  fromHex,
  type Hex,
  isHexOf,
  isRecord,
  parseAddress,
} from '@cairn/primitives';
import { ChainError } from './errors.ts';

/** A block's header, as far as we read it. */
export interface ChainBlock extends BlockMark {
  readonly parentHash: Hex;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  /** Wei per gas; `undefined` on chains without EIP-1559. */
  readonly baseFeePerGas: bigint | undefined;
  readonly gasLimit: bigint;
}

/** One event of a contract. */
export interface LogRecord {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Uint8Array;
  readonly block: BlockMark;
  readonly transactionHash: Hex;
  /** Place in the block. */
  readonly logIndex: number;
}

/** What became of a transaction that a block holds. */
export interface TransactionReceipt {
  readonly transactionHash: Hex;
  readonly block: BlockMark;
  readonly succeeded: boolean;
  readonly from: Address;
  readonly gasUsed: bigint;
  /** Wei per gas actually paid; zero where the endpoint does not say. */
  readonly gasPriceWei: bigint;
  /** The contract that a deployment made. */
  readonly contractAddress: Address | undefined;
  readonly logs: readonly LogRecord[];
}

/** A transaction, pending or mined, as far as we read it. */
export interface ChainTransaction {
  readonly hash: Hex;
  readonly from: Address;
  readonly nonce: number;
  /** Number of the block that holds it; `undefined` while it is pending. */
  readonly block: number | undefined;
}

/** Reads one field after the other of a reply to `method`; each that is not what it must be is a fault. */
class Reader {
  readonly #method: string;
  constructor(method: string) {
    this.#method = method;
  }

  fail(reason: string): ChainError {
    return new ChainError(
      { code: 'CHAIN_BAD_REPLY', method: this.#method, reason },
      `the chain's reply to ${this.#method} is not usable: ${reason}`,
    );
  }

  record(value: unknown, what: string): Readonly<Record<string, unknown>> {
    if (!isRecord(value)) throw this.fail(`${what} is not an object`);
    return value;
  }

  quantity(value: unknown, what: string): bigint {
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value)) {
      throw this.fail(`${what} is not a hex quantity`);
    }
    return BigInt(value);
  }

  number(value: unknown, what: string): number {
    const number = this.quantity(value, what);
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`${what} exceeds 2^53 - 1`);
    return Number(number);
  }

  hash(value: unknown, what: string): Hex {
    if (!isHexOf(value, 32)) throw this.fail(`${what} is not 32 bytes of hex`);
    return value.toLowerCase() as Hex;
  }

  address(value: unknown, what: string): Address {
    if (!isHexOf(value, 20)) throw this.fail(`${what} is not 20 bytes of hex`);
    return parseAddress(value);
  }

  bytes(value: unknown, what: string): Uint8Array {
    if (typeof value !== 'string' || !/^0x([0-9a-f]{2})*$/i.test(value)) {
      throw this.fail(`${what} is not hex`);
    }
    return fromHex(value);
  }

  list(value: unknown, what: string): readonly unknown[] {
    if (!Array.isArray(value)) throw this.fail(`${what} is not a list`);
    return value;
  }
}

/** @throws {ChainError} CHAIN_BAD_REPLY unless `reply` is a hex quantity up to 2^53 − 1 */
export function parseNumber(reply: unknown, method: string): number {
  return new Reader(method).number(reply, 'the result');
}

/** @throws {ChainError} CHAIN_BAD_REPLY unless `reply` is a hex quantity of up to 256 bits */
export function parseQuantity(reply: unknown, method: string): bigint {
  return new Reader(method).quantity(reply, 'the result');
}

/** @throws {ChainError} CHAIN_BAD_REPLY unless `reply` is hex */
export function parseBytes(reply: unknown, method: string): Uint8Array {
  return new Reader(method).bytes(reply, 'the result');
}

/** @throws {ChainError} CHAIN_BAD_REPLY unless `reply` is 32 bytes of hex */
export function parseHash(reply: unknown, method: string): Hex {
  return new Reader(method).hash(reply, 'the result');
}

/** A block without transaction bodies, or `undefined` for null. @throws {ChainError} CHAIN_BAD_REPLY */
export function parseBlock(reply: unknown, method: string): ChainBlock | undefined {
  if (reply === null) return undefined;
  const read = new Reader(method);
  const block = read.record(reply, 'the block');
  if (block['hash'] === null) return undefined; // a pending block has no identity yet
  return {
    number: read.number(block['number'], 'number'),
    hash: read.hash(block['hash'], 'hash'),
    parentHash: read.hash(block['parentHash'], 'parentHash'),
    timestamp: read.number(block['timestamp'], 'timestamp'),
    baseFeePerGas:
      block['baseFeePerGas'] === undefined || block['baseFeePerGas'] === null
        ? undefined
        : read.quantity(block['baseFeePerGas'], 'baseFeePerGas'),
    gasLimit: read.quantity(block['gasLimit'], 'gasLimit'),
  };
}

/** @throws {ChainError} CHAIN_BAD_REPLY if a record is not a log of a mined block */
export function parseLogs(reply: unknown, method: string): LogRecord[] {
  const read = new Reader(method);
  return read.list(reply, 'the result').map((item) => parseLog(item, read));
}

function parseLog(item: unknown, read: Reader): LogRecord {
  const log = read.record(item, 'a log');
  if (log['removed'] === true) throw read.fail('a log is marked as removed');
  const topics = read.list(log['topics'], 'topics');
  if (topics.length > 4) throw read.fail(`a log has ${topics.length} topics`);
  return {
    address: read.address(log['address'], 'address'),
    topics: topics.map((topic) => read.hash(topic, 'a topic')),
    data: read.bytes(log['data'], 'data'),
    block: {
      number: read.number(log['blockNumber'], 'blockNumber'),
      hash: read.hash(log['blockHash'], 'blockHash'),
    },
    transactionHash: read.hash(log['transactionHash'], 'transactionHash'),
    logIndex: read.number(log['logIndex'], 'logIndex'),
  };
}

/** A receipt, or `undefined` while no block holds the transaction. @throws {ChainError} CHAIN_BAD_REPLY */
export function parseReceipt(reply: unknown, method: string): TransactionReceipt | undefined {
  if (reply === null) return undefined;
  const read = new Reader(method);
  const receipt = read.record(reply, 'the receipt');
  if (receipt['blockHash'] === null || receipt['blockHash'] === undefined) return undefined;
  const { contractAddress, effectiveGasPrice } = receipt;
  return {
    transactionHash: read.hash(receipt['transactionHash'], 'transactionHash'),
    block: {
      number: read.number(receipt['blockNumber'], 'blockNumber'),
      hash: read.hash(receipt['blockHash'], 'blockHash'),
    },
    succeeded: read.number(receipt['status'], 'status') === 1,
    from: read.address(receipt['from'], 'from'),
    gasUsed: read.quantity(receipt['gasUsed'], 'gasUsed'),
    gasPriceWei:
      effectiveGasPrice === undefined || effectiveGasPrice === null
        ? 0n
        : read.quantity(effectiveGasPrice, 'effectiveGasPrice'),
    contractAddress:
      contractAddress === undefined || contractAddress === null
        ? undefined
        : read.address(contractAddress, 'contractAddress'),
    logs: read.list(receipt['logs'], 'logs').map((item) => parseLog(item, read)),
  };
}

/** A transaction, or `undefined` for null. @throws {ChainError} CHAIN_BAD_REPLY */
export function parseTransaction(reply: unknown, method: string): ChainTransaction | undefined {
  if (reply === null) return undefined;
  const read = new Reader(method);
  const transaction = read.record(reply, 'the transaction');
  const block = transaction['blockNumber'];
  return {
    hash: read.hash(transaction['hash'], 'hash'),
    from: read.address(transaction['from'], 'from'),
    nonce: read.number(transaction['nonce'], 'nonce'),
    block: block === null || block === undefined ? undefined : read.number(block, 'blockNumber'),
  };
}

/** Who sent what in a block read with full bodies; empty for null. @throws {ChainError} CHAIN_BAD_REPLY */
export function parseBlockTransactions(reply: unknown, method: string): ChainTransaction[] {
  if (reply === null) return [];
  const read = new Reader(method);
  const block = read.record(reply, 'the block');
  return read.list(block['transactions'], 'transactions').flatMap((item) => {
    const transaction = parseTransaction(item, method);
    return transaction === undefined ? [] : [transaction];
  });
}
