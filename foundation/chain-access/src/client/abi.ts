import { fromHex, type Hex, toHex } from '@cairn/primitives';
import { type FunctionFragment, Interface, type JsonFragment } from 'ethers/abi';
import { ChainError } from './errors.ts';

/** Calldata of a function given by its human-readable fragment. @throws {TypeError} for wrong arguments */
export function encodeCall(fragment: string, args: readonly unknown[]): Uint8Array {
  const abi = new Interface([fragment]);
  return fromHex(abi.encodeFunctionData(functionOf(abi), [...args]));
}

/**
 * The values a function returned, in order; integers as bigint, bytes and addresses as hex.
 *
 * @throws {ChainError} CHAIN_BAD_REPLY if `result` is not what the fragment promises: no contract,
 * or another one
 */
export function decodeResult(fragment: string, result: Uint8Array): readonly unknown[] {
  const abi = new Interface([fragment]);
  const { name } = functionOf(abi);
  try {
    return abi.decodeFunctionResult(name, toHex(result)).toArray();
  } catch (error) {
    throw new ChainError(
      { code: 'CHAIN_BAD_REPLY', method: 'eth_call', reason: `${result.length} bytes for ${name}` },
      `the chain returned ${result.length} bytes that are no result of ${name}`,
      { cause: error },
    );
  }
}

/** The selector of a function: the first 4 bytes of its calldata, as hex. */
export function selectorOf(fragment: string): Hex {
  return functionOf(new Interface([fragment])).selector as Hex;
}

/** Why a call reverted, decoded as far as it can be. */
export interface RevertReason {
  /** Name of the error; `Error` for a plain text, `undefined` if nothing is known. */
  readonly name: string | undefined;
  /** The error's values by name. */
  readonly args: Readonly<Record<string, string>>;
  /** For people: the text, or `Name(a: 1, b: 2)`. */
  readonly text: string;
}

/**
 * Reads revert data against the errors of `abis`.
 *
 * @param data - revert data as hex; empty or absent where the contract or the endpoint gave none
 */
export function decodeRevert(
  data: string | undefined,
  abis: readonly (readonly (string | JsonFragment)[])[],
): RevertReason {
  if (data === undefined || data === '0x') {
    return { name: undefined, args: {}, text: 'no reason given' };
  }
  for (const abi of abis) {
    try {
      const error = new Interface(abi).parseError(data);
      if (error === null) continue;
      const args = Object.fromEntries(
        error.fragment.inputs.map((input, index) => [
          input.name || `${index}`,
          String(error.args[index]),
        ]),
      );
      const plain = error.name === 'Error' ? (args['0'] ?? args['message']) : undefined;
      const values = Object.entries(args).map(([name, value]) => `${name}: ${value}`);
      return { name: error.name, args, text: plain ?? `${error.name}(${values.join(', ')})` };
    } catch {
      // not an error of this contract, or damaged: the next one may know it
    }
  }
  return { name: undefined, args: {}, text: `unknown error ${data.slice(0, 10)}` };
}

/** Calldata of a constructor: bytecode and its arguments. @throws {TypeError} for wrong arguments */
export function encodeDeployment(
  abi: readonly (string | JsonFragment)[],
  bytecode: string,
  args: readonly unknown[],
): Uint8Array {
  return fromHex(`${bytecode}${new Interface(abi).encodeDeploy([...args]).slice(2)}`);
}

function functionOf(abi: Interface): FunctionFragment {
  const [fragment] = abi.fragments;
  const found = fragment === undefined ? null : abi.getFunction(fragment.format('sighash'));
  if (found === null) throw new TypeError('not a function fragment');
  return found;
}
