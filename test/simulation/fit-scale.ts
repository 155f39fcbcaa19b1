import { readFile, writeFile } from 'node:fs/promises';
import { readRows, SCALE_DOCUMENT } from './scale-files.ts';
import { scaleParts, withParts } from './scale-report.ts';

// Fits the model to `scale-rows.jsonl` and writes the tables of docs/scale.md:
// node --import=tsx --conditions=@cairn/source test/simulation/fit-scale.ts
const document = await readFile(SCALE_DOCUMENT, 'utf8');
await writeFile(SCALE_DOCUMENT, withParts(document, scaleParts(await readRows())));
