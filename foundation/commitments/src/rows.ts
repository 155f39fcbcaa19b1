/** Trees over the rows of a blob, and the hashes they are made of. */
export { plainBlake3Suite, type RowDomain, type RowSuite, sha256Suite } from './row-suite.ts';
export { RowTree, rowPathRoot } from './row-tree.ts';
