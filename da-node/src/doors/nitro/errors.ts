import { Fault } from '@cairn/primitives';

/** What an Arbitrum node is refused for. */
export type NitroFault =
  /** Not a certificate of this network, or one that counts for nothing, for every reader at every time. */
  | { readonly code: 'NITRO_CERTIFICATE'; readonly what: string }
  /** Nothing is decided yet: the certificate is neither valid nor out of the question. */
  | { readonly code: 'NITRO_UNDECIDED' }
  /** A message beyond what the door takes. */
  | { readonly code: 'NITRO_MESSAGE_SIZE'; readonly sizeBytes: number; readonly maxBytes: number }
  /** A message that has to be kept for longer than blobs are. */
  | {
      readonly code: 'NITRO_RETENTION';
      readonly askedSeconds: number;
      readonly keptSeconds: number;
    }
  /** A message in parts that cannot be taken so. */
  | { readonly code: 'NITRO_STREAM'; readonly what: string };

/** A call of an Arbitrum node that is not served. */
export class NitroError extends Fault<NitroFault> {}

/** A certificate that is not valid. */
export function invalidCertificate(what: string, sentence: string, cause?: unknown): NitroError {
  return new NitroError(
    { code: 'NITRO_CERTIFICATE', what },
    sentence,
    cause === undefined ? undefined : { cause },
  );
}

/** A message that would have to be made shorter. */
export function messageTooLarge(sizeBytes: number, maxBytes: number): NitroError {
  return new NitroError(
    { code: 'NITRO_MESSAGE_SIZE', sizeBytes, maxBytes },
    `a message has up to ${maxBytes} bytes here, not ${sizeBytes}`,
  );
}
