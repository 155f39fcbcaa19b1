import type { Member } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  DEVNET_CONSENSUS,
  keccak256,
  MAINNET_CONSENSUS,
} from '@cairn/primitives';

/** How many members look at a drawn row, and how many of them must get it. */
export interface AuditRules {
  readonly auditors: number;
  readonly receipts: number;
}

/** The rules of a network, by the members that its quorums may have. */
export function auditRulesOf({ maxMembers }: { readonly maxMembers: number }): AuditRules {
  const isSmall = maxMembers <= DEVNET_CONSENSUS.maxQuorumMembers;
  const { auditors, auditorReceipts } = isSmall ? DEVNET_CONSENSUS : MAINNET_CONSENSUS;
  return { auditors, receipts: auditorReceipts };
}

/**
 * Who looks at a drawn row: different members of the quorum in office, drawn by seats, and never the
 * holder itself. A small quorum has fewer auditors, and as large a part of them must get the row.
 *
 * The j-th of them is the one whose seat has the number keccak-256(line ‖ j u32) mod the seats that are
 * left, counted in the order of members.
 *
 * @param line - of the row, 32 bytes
 */
export function auditorsOf(
  line: Uint8Array,
  members: readonly Pick<Member, 'signer' | 'seats'>[],
  holder: Address,
  { auditors, receipts }: AuditRules,
): { readonly auditors: readonly Address[]; readonly receipts: number } {
  const left = members.filter(({ signer }) => signer !== holder);
  let seats = left.reduce((sum, member) => sum + BigInt(member.seats), 0n);
  const count = Math.min(auditors, left.length);
  const drawn: Address[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const hash = keccak256(concatBytes(line, bigEndianBytes(turn, 4)));
    let seat = numberOf(hash) % seats;
    const at = left.findIndex((member) => {
      const isHere = seat < BigInt(member.seats);
      if (!isHere) seat -= BigInt(member.seats);
      return isHere;
    });
    const [member] = left.splice(at, 1);
    if (member === undefined) break;
    seats -= BigInt(member.seats);
    drawn.push(member.signer);
  }
  return { auditors: drawn, receipts: Math.ceil((count * receipts) / auditors) };
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
