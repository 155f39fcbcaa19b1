/** What the codec's threads run: beside this package, so that its address needs no look-up. */
export { run } from '@cairn/erasure-codec/codec-worker';
