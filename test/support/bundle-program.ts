import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { repositoryRoot } from '../architecture/house.ts';

/** A program in one file. */
export interface BundledProgram {
  /** Of the file; `node` runs it without a loader. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Native parts are found beside their packages' own files. */
const NATIVE = ['classic-level', '@chainsafe/blst'];
/** CommonJS packages ask for Node's own modules by this; under a name that bundled modules do not import. */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

/**
 * Makes one file of a program and of all that it imports, native parts excepted. It starts in under
 * a CPU second; through a loader each start takes four or five.
 *
 * @param entry - path of the program's TypeScript source
 */
export async function bundleProgram(entry: string): Promise<BundledProgram> {
  // Under `node_modules`, so that native packages are found from there.
  const folder = join(repositoryRoot, 'node_modules', '.cache', 'cairn', 'programs');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${basename(entry, '.ts')}-${process.pid}.mjs`);
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@cairn/source'],
    external: NATIVE,
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  return { path, remove: () => rm(path, { force: true }) };
}
