// Leaves of rows of ROW_BYTES, TOTAL bytes of them, RUNS times: node's SHA-256 and our BLAKE3.
import { createHash } from 'node:crypto';
import { loadRowSuite } from '@cairn/commitments/rows';
import { chanceBytes, interleaved, report } from './sampling.mjs';

const [rowBytes, total, runs] = process.argv.slice(2).map(Number);
const rows = chanceBytes(total);
const suite = await loadRowSuite(0);
report(
  await interleaved(
    {
      ours: async () => suite.leaves(rows, rowBytes),
      peer: async () => {
        for (let at = 0; at < total; at += rowBytes) {
          createHash('sha256')
            .update(rows.subarray(at, at + rowBytes))
            .digest();
        }
      },
    },
    runs,
  ),
);
