/** A libp2p host for one question and one answer at a time; libp2p is loaded when one is made. */
export { createP2pHost } from './create-p2p-host.ts';
export { createPeerNetwork, type PeerNetworkOptions } from './create-peer-network.ts';
export { P2pError, type P2pFault, P2pRefusal, type P2pRefusalFacts } from './errors.ts';
export { openP2pKey, P2P_KEY_BYTES, peerIdOf, randomP2pKey } from './key.ts';
export { DEFAULT_P2P_LIMITS, MAX_P2P_MESSAGE_BYTES, type P2pLimits } from './limits.ts';
export type { P2pCounts, P2pHost, P2pHostOptions, P2pRequestOptions } from './p2p-host.ts';
export type { P2pCall, P2pHandler, P2pProtocol, P2pServeOptions } from './protocol.ts';
export type { P2pQuota } from './token-buckets.ts';
