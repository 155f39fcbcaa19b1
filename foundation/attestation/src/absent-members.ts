import type { SignerList } from './certificate.ts';
import { CertificateError, MessageError } from './errors.ts';
import type { Absence } from './quorum.ts';
import type { Committee, VerifiedSnapshot } from './snapshot.ts';

/** The group that a certificate speaks of. */
export interface GroupContext {
  readonly snapshot: VerifiedSnapshot;
  /** Its members, where they are known. */
  readonly committee?: Committee;
}

/**
 * Who is absent by a certificate.
 *
 * @throws {CertificateError} CERTIFICATE_NEEDS_MEMBERS; {MessageError} for a bitmap of another group
 * @throws {TypeError} for the members of another snapshot
 */
export function absentIn(signers: SignerList, { snapshot, committee }: GroupContext): Absence {
  if (signers.mode === 'members') return signers;
  if (committee === undefined) {
    const { epoch } = snapshot.office;
    throw new CertificateError(
      { code: 'CERTIFICATE_NEEDS_MEMBERS', epoch },
      `the certificate names members of epoch ${epoch} by index: fetch their list, or ask for one that brings them`,
    );
  }
  if (committee.snapshot !== snapshot) throw new TypeError('members of another snapshot');
  const absent =
    signers.mode === 'absent'
      ? signers.indexes
      : absentInBitmap(signers.bits, snapshot.memberCount);
  return { committee, absent };
}

/** @throws {MessageError} MESSAGE_LENGTH; MESSAGE_FIELD for bits that stand for nobody */
function absentInBitmap(bits: Uint8Array, memberCount: number): number[] {
  const expectedBytes = Math.ceil(memberCount / 8);
  if (bits.length !== expectedBytes) {
    throw new MessageError(
      { code: 'MESSAGE_LENGTH', what: 'bitmap', expectedBytes, actualBytes: bits.length },
      `a bitmap of ${memberCount} members has ${expectedBytes} bytes, not ${bits.length}`,
    );
  }
  const last = bits.at(-1) ?? 0;
  if (memberCount % 8 !== 0 && last >> (memberCount % 8) !== 0) {
    throw new MessageError(
      { code: 'MESSAGE_FIELD', what: 'bitmap', value: BigInt(last) },
      `the last byte of a bitmap of ${memberCount} members cannot be ${last}`,
    );
  }
  const absent: number[] = [];
  for (let index = 0; index < memberCount; index += 1) {
    if ((((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 0) absent.push(index);
  }
  return absent;
}
