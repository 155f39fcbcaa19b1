import { type Address, parseAddress } from '@cairn/primitives';
import { ACCESS_OP, type AccessOp } from '../batch/access-op.ts';
import type { StreamId } from '../stream-id.ts';

/** The account of ops that are about a key only, and the operator of a stream's first admin. */
export const ZERO_ADDRESS: Address = parseAddress(`0x${'0'.repeat(40)}`);

/** Kinds of roles: the high half of an op code. */
export const ROLE = { admin: 0x00, specialKey: 0x10, writer: 0x20, specialWriter: 0x30 } as const;

/** A kind of `ROLE`. */
export type RoleKind = (typeof ROLE)[keyof typeof ROLE];

/** What one op decides: the newest op of a slot is in force. */
export interface RoleSlot {
  readonly kind: RoleKind;
  /** Zero for special keys. */
  readonly account: Address;
  /** Of no byte for admins and writers of the stream. */
  readonly key: Uint8Array;
}

const NO_KEY = new Uint8Array(0);

/** The slot an op belongs to. */
export function slotOf(op: AccessOp, account: Address, key: Uint8Array = NO_KEY): RoleSlot {
  return { kind: (op & 0xf0) as RoleKind, account, key };
}

/** Whether an op is of those that give: all others take away. */
export function isGrant(op: AccessOp | undefined): boolean {
  return (
    op === ACCESS_OP.grantAdmin ||
    op === ACCESS_OP.setKeyToSpecial ||
    op === ACCESS_OP.grantWriter ||
    op === ACCESS_OP.grantSpecialWriter
  );
}

/** The state that access rules are asked of, at one version. */
export interface RoleView {
  /** Whether no access control of the stream was ever committed. */
  isNew(stream: StreamId): boolean;
  /** The newest op of a slot. */
  roleOf(stream: StreamId, slot: RoleSlot): AccessOp | undefined;
  /** Whether the account is a special writer of at least one key, special or not. */
  writesAnyKey(stream: StreamId, account: Address): boolean;
}

export function isAdmin(view: RoleView, account: Address, stream: StreamId): boolean {
  return isGrant(view.roleOf(stream, { kind: ROLE.admin, account, key: NO_KEY }));
}

export function isWriterOfStream(view: RoleView, account: Address, stream: StreamId): boolean {
  return isGrant(view.roleOf(stream, { kind: ROLE.writer, account, key: NO_KEY }));
}

export function isSpecialKey(view: RoleView, stream: StreamId, key: Uint8Array): boolean {
  return isGrant(view.roleOf(stream, { kind: ROLE.specialKey, account: ZERO_ADDRESS, key }));
}

/** Whether the account may write the key while it is special. */
export function isWriterOfKey(
  view: RoleView,
  account: Address,
  stream: StreamId,
  key: Uint8Array,
): boolean {
  return isGrant(view.roleOf(stream, { kind: ROLE.specialWriter, account, key }));
}

/** Whether the account may write the key: writers of the stream may not write special keys. */
export function hasWritePermission(
  view: RoleView,
  account: Address,
  stream: StreamId,
  key: Uint8Array,
): boolean {
  if (view.isNew(stream) || isAdmin(view, account, stream)) return true;
  return isSpecialKey(view, stream, key)
    ? isWriterOfKey(view, account, stream, key)
    : isWriterOfStream(view, account, stream);
}

/** Whether the account may write anything at all in the stream: asked before its bytes are fetched. */
export function canWrite(view: RoleView, account: Address, stream: StreamId): boolean {
  return (
    view.isNew(stream) ||
    isAdmin(view, account, stream) ||
    isWriterOfStream(view, account, stream) ||
    view.writesAnyKey(stream, account)
  );
}
