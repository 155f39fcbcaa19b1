import { isPeerAddress } from '../peer-address.ts';

/** Bytes of a socket that the registry takes at most. */
export const MAX_SOCKET_BYTES = 128;

/** Where a signer is reached. */
export type SignerSocket =
  /** Slices, votes and rows, over HTTP; without a slash at its end. */
  | { readonly kind: 'http'; readonly url: string }
  /** Rows, over libp2p: a multiaddress that ends in its peer id. */
  | { readonly kind: 'p2p'; readonly address: string };

const HTTP = /^https?:\/\/[^\s]+$/i;
/** What a signer registered as its socket; `undefined` if it leads nowhere that is known here. */
export function parseSignerSocket(text: string | undefined): SignerSocket | undefined {
  if (text === undefined) return undefined;
  if (isPeerAddress(text)) return { kind: 'p2p', address: text };
  if (!HTTP.test(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return { kind: 'http', url: `${origin}${pathname.replace(/\/+$/, '')}` };
}
