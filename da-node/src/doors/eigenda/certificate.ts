import { type BlsBackend, type Certificate, parseCertificate } from '@cairn/attestation';
import { concatBytes, fromHex, isFault } from '@cairn/primitives';
import { dropped, EigendaError } from './errors.ts';

/**
 * Version of the certificates of this door: "C". 0x00 to 0x03 are EigenDA's, and these are none: who
 * verifies EigenDA's must not take one for them.
 */
export const CERTIFICATE_VERSION = 0x43;

/** Longest certificate that is looked at: those of the largest batches and quorums stay below. */
const MAX_CERTIFICATE_BYTES = 4096;

/** A certificate as a rollup's chain carries it: the version, then a blob's certificate as elsewhere. */
export function encodeEigendaCertificate(certificate: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(CERTIFICATE_VERSION), certificate);
}

/**
 * The certificate in a path: hexadecimal digits, with or without `0x`. Its form is checked, and
 * nothing else.
 *
 * @throws {EigendaError} EIGENDA_REQUEST for what are no bytes; EIGENDA_CERTIFICATE (parse) for bytes
 *   that are no certificate
 */
export function parseEigendaCertificate(
  text: string,
  backend: Pick<BlsBackend, 'parseSignature'>,
): Certificate {
  const digits = /^(?:0x)?((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
  if (digits === undefined || digits.length > 2 * MAX_CERTIFICATE_BYTES) {
    const expected = `1 to ${MAX_CERTIFICATE_BYTES} bytes in hex digits`;
    throw new EigendaError(
      { code: 'EIGENDA_REQUEST', expected },
      `the path names a certificate by ${expected}`,
    );
  }
  const bytes = fromHex(`0x${digits}`);
  if (bytes[0] !== CERTIFICATE_VERSION) {
    throw dropped('parse', `certificates of version ${bytes[0]} are not this network’s`);
  }
  try {
    return parseCertificate(bytes.subarray(1), backend);
  } catch (error) {
    if (!isFault(error)) throw error;
    throw dropped('parse', error.message, error);
  }
}
