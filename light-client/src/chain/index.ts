/** A light client's chain behind a JSON-RPC endpoint, from Node and the browser. */
export { LightChain, type LightChainOptions } from './light-chain.ts';
