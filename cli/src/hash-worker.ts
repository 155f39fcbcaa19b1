/** What the hashing threads run: beside this package, so that its address needs no look-up. */
export { run } from '@cairn/commitments/hash-worker';
