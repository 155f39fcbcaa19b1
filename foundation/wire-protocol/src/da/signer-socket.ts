/** Bytes of a socket that the registry takes at most. */
export const MAX_SOCKET_BYTES = 128;

/** Where a signer is reached. */
export type SignerSocket =
  /** Slices, votes and rows, over HTTP; without a slash at its end. */
  | { readonly kind: 'http'; readonly url: string }
  /** Rows, over libp2p: a multiaddress that ends in its peer id. */
  | { readonly kind: 'p2p'; readonly address: string };

const HTTP = /^https?:\/\/[^\s]+$/i;
const PLACE = String.raw`\/(?:ip4|ip6|dns|dns4|dns6)\/[^\s/]{1,90}\/tcp\/\d{1,5}(?:\/ws|\/wss|\/tls\/ws)?`;
const PEER = String.raw`\/p2p\/[1-9A-HJ-NP-Za-km-z]{32,64}`;

/** What a signer registered as its socket; `undefined` if it leads nowhere that is known here. */
export function parseSignerSocket(text: string | undefined): SignerSocket | undefined {
  if (text === undefined) return undefined;
  if (isPeerAddress(text)) return { kind: 'p2p', address: text };
  if (!HTTP.test(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return { kind: 'http', url: `${origin}${pathname.replace(/\/+$/, '')}` };
}

/** Whether text is a multiaddress over TCP, plain or WebSocket, of a peer that it names. */
export function isPeerAddress(text: string): boolean {
  return new RegExp(`^${PLACE}${PEER}$`).test(text);
}

/** Whether text is the same without a peer. */
export function isListenAddress(text: string): boolean {
  return new RegExp(`^${PLACE}$`).test(text);
}
