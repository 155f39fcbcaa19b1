import { readFile, writeFile } from 'node:fs/promises';
import { SCALE_DOCUMENT } from '../scale-files.ts';
import { withParts } from '../scale-report.ts';
import { readDraws } from './draw-files.ts';
import { readShardGas } from './gas.ts';
import { consensusParts } from './report.ts';

// Draws committees, encodes what they sign, and writes the tables of docs/scale.md about consensus shards:
// node --import=tsx --conditions=@cairn/source test/simulation/consensus/fit-consensus.ts
const parts = consensusParts(await readDraws(), await readShardGas());
await writeFile(SCALE_DOCUMENT, withParts(await readFile(SCALE_DOCUMENT, 'utf8'), parts));
