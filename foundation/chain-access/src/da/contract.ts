import { type Address, fromHex, type Hex, isHexOf, toHex } from '@cairn/primitives';
import { Interface, type JsonFragment } from 'ethers/abi';
import type { BlockTag, CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { DaError } from './errors.ts';
import { Values } from './values.ts';

/** A call, and the block it is asked as of; the newest unless told. */
export interface ReadOptions extends CallOptions {
  readonly block?: BlockTag;
  /** Who seems to call; nobody unless told. */
  readonly from?: Address;
}

/** The ABI of a contract, as `@cairn/contracts` has it. */
export type ContractAbi = readonly (string | JsonFragment)[];

/** A call as a transaction carries it. */
export interface ContractCall {
  readonly name: string;
  readonly values: Values;
}

/** ABIs that were read, each once: reading one costs as much as some ten calls. */
const interfaces = new WeakMap<ContractAbi, Interface>();

function interfaceOf(abi: ContractAbi): Interface {
  const known = interfaces.get(abi);
  if (known !== undefined) return known;
  const made = new Interface(abi);
  interfaces.set(abi, made);
  return made;
}

/** One contract by its ABI: calls out, values in. */
export class Contract {
  readonly address: Address;
  readonly abi: ContractAbi;
  readonly #client: Pick<ChainClient, 'callRaw'>;
  readonly #abi: Interface;

  constructor(client: Pick<ChainClient, 'callRaw'>, address: Address, abi: ContractAbi) {
    this.address = address;
    this.abi = abi;
    this.#client = client;
    this.#abi = interfaceOf(abi);
  }

  /**
   * What a function returns.
   *
   * @throws {ChainError} CHAIN_BAD_REPLY if it is not what the ABI promises; CHAIN_RPC_ERROR if it
   * reverts; what the client throws. {TypeError} for arguments that are not the function's
   */
  async read(name: string, args: readonly unknown[], options: ReadOptions): Promise<Values> {
    const from = options.from === undefined ? {} : { from: options.from };
    const request = { to: this.address, data: this.encode(name, args), ...from };
    const reply = await this.#client.callRaw(request, options);
    try {
      return new Values(this.#abi.decodeFunctionResult(name, toHex(reply)));
    } catch (error) {
      throw new ChainError(
        {
          code: 'CHAIN_BAD_REPLY',
          method: 'eth_call',
          reason: `${reply.length} bytes for ${name}`,
        },
        `the contract at ${this.address} answered ${reply.length} bytes that are no result of ${name}`,
        { cause: error },
      );
    }
  }

  /** Calldata. @throws {TypeError} for arguments that are not the function's */
  encode(name: string, args: readonly unknown[]): Uint8Array {
    return fromHex(this.#abi.encodeFunctionData(name, [...args]));
  }

  /** The call in a transaction's data; `undefined` for one that the ABI does not know. */
  parseCall(data: Uint8Array): ContractCall | undefined {
    try {
      const call = this.#abi.parseTransaction({ data: toHex(data) });
      return call === null ? undefined : { name: call.name, values: new Values(call.args) };
    } catch {
      return undefined; // the selector of a function, and no arguments of it
    }
  }

  /** Hash of an event's signature. */
  topic(event: string): Hex {
    const topic = this.#abi.getEvent(event)?.topicHash;
    if (isHexOf(topic, 32)) return topic;
    throw new TypeError(`the contract at ${this.address} has no event ${event}`);
  }

  /** What an event tells. @throws {DaError} DA_BAD_EVENT */
  decode(event: string, log: Pick<LogRecord, 'topics' | 'data'>): Values {
    try {
      return new Values(this.#abi.decodeEventLog(event, toHex(log.data), log.topics));
    } catch (error) {
      throw new DaError(
        { code: 'DA_BAD_EVENT', event, reason: `${log.data.length} bytes` },
        `an event ${event} of ${this.address} cannot be read`,
        { cause: error },
      );
    }
  }
}
