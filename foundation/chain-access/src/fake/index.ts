/** A chain in memory, for simulations that must repeat from their seed. */
export {
  createFakeChain,
  FakeChain,
  type FakeChainOptions,
  type FakeSubmission,
} from './fake-chain.ts';
