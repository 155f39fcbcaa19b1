// Cells and proofs of one blob of 128 KiB with @crate-crypto/node-eth-kzg, RUNS times.
import kzg from '@crate-crypto/node-eth-kzg';
import { chanceBytes, interleaved, report } from './sampling.mjs';

const runs = Number(process.argv[2]);
const context = kzg.DasContextJs.create({ usePrecomp: true });
const blob = chanceBytes(131_072);
for (let at = 0; at < blob.length; at += 32) blob[at] = 0; // below the field's order
report(await interleaved({ peer: async () => context.computeCellsAndKzgProofs(blob) }, runs));
