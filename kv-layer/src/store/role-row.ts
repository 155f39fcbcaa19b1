import { concatBytes, fromHex, parseAddress, toHex } from '@cairn/primitives';
import { type AccessOp, isAccessOp } from '../batch/access-op.ts';
import { ROLE, type RoleKind, type RoleSlot } from '../replay/role.ts';
import { damaged, type Row } from './row.ts';

const ACCOUNT_END = 21;

/** A role slot as a key of the roles' table: kind u8, account 20, key. */
export function roleKey({ kind, account, key }: RoleSlot): Uint8Array {
  return concatBytes(Uint8Array.of(kind), fromHex(account), key);
}

/** The slot of a key of the roles' table. @throws {StateError} KV_STATE_DAMAGED */
export function slotOfKey(key: Uint8Array): RoleSlot {
  const kind = Object.values(ROLE).find((candidate) => candidate === key[0]);
  if (kind === undefined || key.length < ACCOUNT_END) return damaged('role', key.length);
  return {
    kind: kind satisfies RoleKind,
    account: parseAddress(toHex(key.subarray(1, ACCOUNT_END))),
    key: key.subarray(ACCOUNT_END),
  };
}

/** What a role's row holds: op u8, operator 20. */
export function roleValue(op: AccessOp, operator: string): Uint8Array {
  return concatBytes(Uint8Array.of(op), fromHex(operator));
}

/** The op of a role's row; `undefined` without a row. @throws {StateError} KV_STATE_DAMAGED */
export function opOfRow(row: Row | undefined): AccessOp | undefined {
  if (row === undefined) return undefined;
  const op = row.inline?.[0];
  return op !== undefined && isAccessOp(op) ? op : damaged('role', row.valueBytes);
}
