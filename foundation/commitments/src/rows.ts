/** Trees over the rows of a blob, and the hashes they are made of. */
export { loadRowSuite } from './load-row-suite.ts';
export {
  BLAKE3_KEYS,
  itemsOf,
  plainBlake3Suite,
  type RowDomain,
  type RowSuite,
  sha256Suite,
  sha256SuiteOver,
} from './row-suite.ts';
export { RowTree, rowPathRoot } from './row-tree.ts';
