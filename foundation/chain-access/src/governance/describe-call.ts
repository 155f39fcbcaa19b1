import {
  daEntranceAbi,
  daMiningAbi,
  directoryAbi,
  epochMirrorAbi,
  flowAbi,
  orderingHubAbi,
  poraMineAbi,
  possessionAbi,
  priceMarketAbi,
  signerRegistryAbi,
  slasherAbi,
  sortitionAbi,
  stakeGovernorAbi,
  stakeHubAbi,
  timelockAbi,
} from '@cairn/contracts';
import { type Address, fromHex, isHexOf, toHex } from '@cairn/primitives';
import { type FunctionFragment, Interface } from 'ethers/abi';
import type { ContractAbi } from '../da/contract.ts';
import { directoryName } from '../deploy/da-params.ts';
import { GovernanceError } from './errors.ts';
import type { GovernedCall } from './read-proposals.ts';

/** Contracts by the names under which a Directory has them, with what can be called. */
export const KNOWN_ABIS: ReadonlyMap<string, ContractAbi> = new Map<string, ContractAbi>([
  ['directory', directoryAbi],
  ['stakeHub', stakeHubAbi],
  ['sortition', sortitionAbi],
  ['signerRegistry', signerRegistryAbi],
  ['slasher', slasherAbi],
  ['orderingHub', orderingHubAbi],
  ['epochMirror', epochMirrorAbi],
  ['daEntrance', daEntranceAbi],
  ['daMining', daMiningAbi],
  ['flow', flowAbi],
  ['market', priceMarketAbi],
  ['poraMine', poraMineAbi],
  ['possession', possessionAbi],
  ['timelock', timelockAbi],
  ['stakeGovernor', stakeGovernorAbi],
]);

/** Addresses of contracts by the names under which a Directory has them. */
export type NamedContracts = ReadonlyMap<string, Address>;

/** Characters of a call at most: room for hundreds of words. */
const MAX_CALL_CHARACTERS = 65_536;
/** Lists inside lists of arguments. */
const MAX_DEPTH = 8;

/**
 * A call by name: `directory.set(slasher, 0x…)`, or with an address and the types of a contract that is not
 * known here, `0x….set(bytes32,address)(0x…, 0x…)`. Numbers are decimal or hex, lists in brackets, text with commas
 * in double quotes; a bytes32 may be a name of up to 32 letters, as the Directory has them.
 *
 * @throws {GovernanceError} GOVERNANCE_BAD_CALL
 */
export function parseGovernedCall(text: string, contracts: NamedContracts): GovernedCall {
  const bad = (problem: string, cause?: unknown): GovernanceError =>
    new GovernanceError(
      { code: 'GOVERNANCE_BAD_CALL', call: text, problem },
      `${text} is no call: ${problem}`,
      cause === undefined ? undefined : { cause },
    );
  if (text.length > MAX_CALL_CHARACTERS) throw bad(`it has ${text.length} characters`);
  const match = /^(\w+)\.(\w+)(?:\(([\w,[\]]*)\))?\((.*)\)$/s.exec(text.trim());
  if (match === null) throw bad('it is not written CONTRACT.FUNCTION(ARGUMENTS)');
  const [, place = '', name = '', types, inside = ''] = match;
  const isAddress = isHexOf(place, 20);
  const target = isAddress ? (place.toLowerCase() as Address) : contracts.get(place);
  if (target === undefined) {
    throw bad(
      `there is no contract ${place}: ${[...contracts.keys()].join(', ') || 'none'} are known`,
    );
  }
  const known = isAddress ? nameOf(target, contracts) : place;
  const abi = types === undefined ? KNOWN_ABIS.get(known ?? '') : [`function ${name}(${types})`];
  if (abi === undefined)
    throw bad(`the types of ${name} are not known: write ${place}.${name}(TYPES)(…)`);
  const parsed = parseArguments(inside);
  if (parsed === undefined) throw bad('its arguments cannot be read');
  const face = new Interface(abi);
  const fragments = face.fragments.filter(
    (each): each is FunctionFragment =>
      each.type === 'function' && (each as FunctionFragment).name === name,
  );
  const [fragment] = fragments.filter(({ inputs }) => inputs.length === parsed.length);
  if (fragment === undefined) {
    const counts = fragments.map(({ inputs }) => inputs.length).join(' or ');
    throw bad(
      counts === ''
        ? `${place} has no function ${name}`
        : `${name} takes ${counts} arguments, not ${parsed.length}`,
    );
  }
  try {
    const args = parsed.map((each, at) => typed(each, fragment.inputs[at]?.type ?? ''));
    const data = face.encodeFunctionData(fragment, args);
    return { target, data: fromHex(data), valueWei: 0n };
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its arguments have other types', error);
  }
}

/** A call as people write it: by the names of contract and function where they are known, else as hex. */
export function describeGovernedCall(
  { target, data, valueWei }: GovernedCall,
  contracts: NamedContracts,
): string {
  const name = nameOf(target, contracts);
  const abi = KNOWN_ABIS.get(name ?? '');
  const call =
    abi === undefined ? null : new Interface(abi).parseTransaction({ data: toHex(data) });
  const words =
    call === null
      ? `${name ?? target}.${toHex(data)}`
      : `${name ?? target}.${call.name}(${call.args.map((arg) => argumentInWords(arg)).join(', ')})`;
  return valueWei === 0n ? words : `${words} with ${valueWei} wei`;
}

function nameOf(target: Address, contracts: NamedContracts): string | undefined {
  for (const [name, address] of contracts) if (address === target) return name;
  return undefined;
}

function argumentInWords(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(argumentInWords).join(', ')}]`;
  // Names of the Directory are bytes32.
  const name = typeof value === 'string' && isHexOf(value, 32) ? lettersOf(value) : undefined;
  return (
    name ?? (typeof value === 'string' && isHexOf(value, 20) ? value.toLowerCase() : String(value))
  );
}

function lettersOf(word: string): string | undefined {
  const letters = new TextDecoder().decode(fromHex(word)).replace(/\0+$/, '');
  return /^[A-Za-z][A-Za-z0-9]*$/.test(letters) ? letters : undefined;
}

type Argument = string | readonly Argument[];

/** What stands between commas outside of brackets and quotes; `undefined` where brackets or quotes are open. */
function parseArguments(text: string): readonly Argument[] | undefined {
  try {
    let at = 0;
    const list = (depth: number): Argument[] => {
      if (depth > MAX_DEPTH) throw new RangeError('too deep');
      const items: Argument[] = [];
      for (;;) {
        while (text[at] === ' ') at += 1;
        const isEnd = at >= text.length || text[at] === ']';
        if (isEnd && items.length === 0) return items;
        items.push(item(depth));
        while (text[at] === ' ') at += 1;
        if (text[at] !== ',') return items;
        at += 1;
      }
    };
    const item = (depth: number): Argument => {
      if (text[at] === '[') {
        at += 1;
        const inner = list(depth + 1);
        if (text[at] !== ']') throw new RangeError('open bracket');
        at += 1;
        return inner;
      }
      const quoted = /^"((?:[^"\\]|\\.)*)"/s.exec(text.slice(at));
      if (quoted !== null) {
        at += quoted[0].length;
        return String(JSON.parse(quoted[0]));
      }
      const plain = /^[^,[\]"]+/.exec(text.slice(at));
      if (plain === null) throw new RangeError('nothing');
      at += plain[0].length;
      return plain[0].trim();
    };
    const items = list(0);
    return at === text.length ? items : undefined;
  } catch {
    return undefined; // unbalanced: told as one thing
  }
}

/** An argument as the encoder takes it: it takes any text for a truth value. */
function typed(value: Argument, type: string): unknown {
  if (typeof value !== 'string') {
    const inner = type.replace(/\[\d*\]$/, '');
    return value.map((each) => typed(each, inner));
  }
  if (type === 'bool') {
    if (value === 'true' || value === 'false') return value === 'true';
    throw new RangeError(`${value} is neither true nor false`);
  }
  if (type === 'bytes32' && /^[A-Za-z][A-Za-z0-9]{0,31}$/.test(value)) return directoryName(value);
  return value;
}
