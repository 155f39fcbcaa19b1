import { resolve } from 'node:path';
import { type Address, type Hex, isHexOf, parseAddress } from '@cairn/primitives';

/** How a node mines. */
export interface MiningConfig {
  readonly contract: Address;
  /** The key that pays for answers and is paid for them: raw hex or a Web3 keystore. */
  readonly accountFile: string;
  readonly accountPasswordFile: string | undefined;
  /** `undefined`: the stored one, or a new one. */
  readonly minerId: Hex | undefined;
  readonly threads: number;
  /** Share of each thread's time that it mines, above 0 … 1. */
  readonly duty: number;
  /** Share of one thread's time that it seals, above 0 … 1. */
  readonly sealDuty: number;
  /** First sector of the range, of a flow that is too long for one. */
  readonly startPosition: number;
  readonly pollMs: number;
  /** `undefined`: no bound. */
  readonly maxFeePerGasWei: bigint | undefined;
  /** Whether mining begins with the node; otherwise it seals and waits to be told. */
  readonly autostart: boolean;
}

/** Section `[mining]` as it is written. */
export interface MiningFile {
  readonly contract: string;
  readonly account: string;
  readonly account_password: string;
  readonly miner_id: string;
  readonly threads: number;
  readonly cpu_percent: number;
  readonly seal_percent: number;
  readonly start_position: number;
  readonly poll_ms: number;
  readonly max_fee_gwei: number;
  readonly autostart: boolean;
}

/** What is wrong with the section. */
export function miningProblems(
  file: MiningFile,
): { readonly field: string; readonly rule: string }[] {
  const problems: { readonly field: string; readonly rule: string }[] = [];
  if (file.contract === '') {
    if (file.account !== '') {
      problems.push({ field: 'mining.contract', rule: 'must be set where mining.account is' });
    }
    return problems;
  }
  if (!isHexOf(file.contract, 20)) {
    problems.push({ field: 'mining.contract', rule: 'must be an address: 0x and 40 hex digits' });
  }
  if (file.account === '') {
    problems.push({
      field: 'mining.account',
      rule: 'must name a key file where mining.contract is set',
    });
  }
  if (file.miner_id !== '' && !isHexOf(file.miner_id, 32)) {
    problems.push({ field: 'mining.miner_id', rule: 'must be 0x and 64 hex digits' });
  }
  return problems;
}

/** The section, checked by `miningProblems`; `undefined` where the node is not to mine. */
export function miningConfigOf(file: MiningFile): MiningConfig | undefined {
  if (file.contract === '') return undefined;
  const minerId = file.miner_id.toLowerCase();
  return {
    contract: parseAddress(file.contract),
    accountFile: resolve(file.account),
    accountPasswordFile: file.account_password === '' ? undefined : resolve(file.account_password),
    minerId: isHexOf(minerId, 32) ? minerId : undefined,
    threads: file.threads,
    duty: file.cpu_percent / 100,
    sealDuty: file.seal_percent / 100,
    startPosition: file.start_position,
    pollMs: file.poll_ms,
    maxFeePerGasWei: file.max_fee_gwei === 0 ? undefined : BigInt(file.max_fee_gwei) * 10n ** 9n,
    autostart: file.autostart,
  };
}
