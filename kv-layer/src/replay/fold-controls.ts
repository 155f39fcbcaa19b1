import type { Address } from '@cairn/primitives';
import { ACCESS_OP, type AccessOp } from '../batch/access-op.ts';
import type { AccessControl } from '../batch/stream-batch.ts';
import { keyText } from '../key-text.ts';
import type { StreamId } from '../stream-id.ts';
import { isAdmin, type RoleSlot, type RoleView, slotOf, ZERO_ADDRESS } from './role.ts';

/** What a batch makes of one slot. */
export interface RoleChange {
  readonly stream: StreamId;
  readonly slot: RoleSlot;
  readonly op: AccessOp;
  /** Who did it; zero for the admin that a new stream gets by itself. */
  readonly operator: Address;
}

/** The controls of a batch once those that undo each other are folded. */
export interface FoldedControls {
  /** In order of first appearance. */
  readonly changes: readonly RoleChange[];
  /** Streams whose admin the sender counts as, whatever the batch itself changes. */
  readonly adminOf: ReadonlySet<StreamId>;
}

/**
 * Folds the controls of one batch: the last op of a slot wins, a new stream makes the sender its
 * admin, and an admin's grant to itself, or after another op on the same account, is dropped without
 * being looked at.
 *
 * @param streams - the tagged ones, in order
 */
export function foldControls(
  { sender, streams }: { readonly sender: Address; readonly streams: readonly StreamId[] },
  controls: readonly AccessControl[],
  view: RoleView,
): FoldedControls {
  const folded = new Map<string, RoleChange>();
  const adminOf = new Set<StreamId>();
  for (const stream of streams) {
    if (view.isNew(stream)) {
      const slot = slotOf(ACCESS_OP.grantAdmin, sender);
      const change = { stream, slot, op: ACCESS_OP.grantAdmin, operator: ZERO_ADDRESS };
      folded.set(slotName(stream, slot), change);
      adminOf.add(stream);
    } else if (isAdmin(view, sender, stream)) {
      adminOf.add(stream);
    }
  }
  for (const { op, stream, key, account } of controls) {
    const slot = slotOf(op, account ?? impliedAccount(op, sender), key);
    const name = slotName(stream, slot);
    const isDropped = op === ACCESS_OP.grantAdmin && (folded.has(name) || slot.account === sender);
    if (!isDropped) folded.set(name, { stream, slot, op, operator: sender });
  }
  return { changes: [...folded.values()], adminOf };
}

/** Ops without an account are about a key only, or about the sender: they renounce. */
export function impliedAccount(op: AccessOp, sender: Address): Address {
  const isOfKey = op === ACCESS_OP.setKeyToSpecial || op === ACCESS_OP.setKeyToNormal;
  return isOfKey ? ZERO_ADDRESS : sender;
}

/** One text for a slot of a stream. */
export function slotName(stream: StreamId, { kind, account, key }: RoleSlot): string {
  return `${stream}${kind}${account}${keyText(key)}`;
}
