import { resolve } from 'node:path';
import { type Address, isHexOf, parseAddress } from '@cairn/primitives';

/** How a node keeps its duties of possession. */
export interface DutyConfig {
  readonly contract: Address;
  /** The key of the provider: raw hex or a Web3 keystore. */
  readonly accountFile: string;
  readonly accountPasswordFile: string | undefined;
  readonly pollMs: number;
  /** `undefined`: no bound. */
  readonly maxFeePerGasWei: bigint | undefined;
}

/** Section `[duty]` as it is written. */
export interface DutyFile {
  readonly contract: string;
  readonly account: string;
  readonly account_password: string;
  readonly poll_ms: number;
  readonly max_fee_gwei: number;
}

/** What is wrong with the section. @param miningAccount - `mining.account`; empty where the node does not mine */
export function dutyProblems(
  file: DutyFile,
  miningAccount: string,
): { readonly field: string; readonly rule: string }[] {
  const problems: { readonly field: string; readonly rule: string }[] = [];
  if (file.contract === '') {
    if (file.account !== '') {
      problems.push({ field: 'duty.contract', rule: 'must be set where duty.account is' });
    }
    return problems;
  }
  if (!isHexOf(file.contract, 20)) {
    problems.push({ field: 'duty.contract', rule: 'must be an address: 0x and 40 hex digits' });
  }
  if (file.account === '') {
    problems.push({
      field: 'duty.account',
      rule: 'must name a key file where duty.contract is set',
    });
  } else if (miningAccount !== '' && resolve(miningAccount) === resolve(file.account)) {
    problems.push({
      field: 'duty.account',
      rule: 'must be another than mining.account: they would take each other’s nonces',
    });
  }
  return problems;
}

/** The section, checked by `dutyProblems`; `undefined` where the node keeps no duties. */
export function dutyConfigOf(file: DutyFile): DutyConfig | undefined {
  if (file.contract === '') return undefined;
  return {
    contract: parseAddress(file.contract),
    accountFile: resolve(file.account),
    accountPasswordFile: file.account_password === '' ? undefined : resolve(file.account_password),
    pollMs: file.poll_ms,
    maxFeePerGasWei: file.max_fee_gwei === 0 ? undefined : BigInt(file.max_fee_gwei) * 10n ** 9n,
  };
}
