const PLACE = String.raw`\/(?:ip4|ip6|dns|dns4|dns6)\/[^\s/]{1,90}\/tcp\/\d{1,5}(?:\/ws|\/wss|\/tls\/ws)?`;
const PEER = '[1-9A-HJ-NP-Za-km-z]{32,64}';

/** Whether text is a multiaddress over TCP, plain or WebSocket, of a peer that it names. */
export function isPeerAddress(text: string): boolean {
  return new RegExp(`^${PLACE}\\/p2p\\/${PEER}$`).test(text);
}

/** Whether text is the same without a peer. */
export function isListenAddress(text: string): boolean {
  return new RegExp(`^${PLACE}$`).test(text);
}

/** Whether text has the form of a peer id: base58 of 32 to 64 characters. */
export function isPeerId(text: string): boolean {
  return new RegExp(`^${PEER}$`).test(text);
}

/** The peer that a multiaddress names; `undefined` if it names none. */
export function peerOfAddress(text: string): string | undefined {
  return isPeerAddress(text) ? text.slice(text.lastIndexOf('/') + 1) : undefined;
}
