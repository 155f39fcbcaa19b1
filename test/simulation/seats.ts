/** Of base58, as in peer ids: up to 576 names. */
const PEER_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ';

/** Shards of a network: at least four nodes each. */
export function shardsOf(nodes: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(nodes / 4)));
}

/** The first two nodes of each shard are good ones and stay there: nothing is in the hands of liars alone. */
export function isGiven(number: number, nodes: number): boolean {
  return number < 2 * shardsOf(nodes);
}

/** The name of a node: a peer id has at least 32 characters of base58. */
export function peerOf(number: number): string {
  const letters = PEER_ALPHABET.length;
  const tail = `${PEER_ALPHABET[Math.floor(number / letters)]}${PEER_ALPHABET[number % letters]}`;
  return `SimPeer${'x'.repeat(30)}${tail}`;
}

/** Where a node is dialled. */
export function addressOf(number: number): string {
  return `/ip4/10.0.${number >> 8}.${number & 255}/tcp/4001/p2p/${peerOf(number)}`;
}
