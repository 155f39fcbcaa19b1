/**
 * Writes `kv.example.toml` from the schema, or with `--check` only says whether it is current.
 *
 * Run from the repository's root:
 * `node --import tsx --conditions=@cairn/source kv-layer/node/scripts/example-config.ts [--check]`
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '@cairn/node-runtime/files';
import { exampleConfig } from '../src/config.ts';

const path = fileURLToPath(new URL('../kv.example.toml', import.meta.url));
const text = exampleConfig();
if (process.argv.includes('--check')) {
  const held = await readFile(path, 'utf8').catch(() => '');
  if (held !== text) {
    process.stderr.write(`${path} is not what the schema gives; run this script without --check\n`);
    process.exitCode = 1;
  }
} else {
  await writeFileAtomic(path, text);
}
