// Makes one file, and parts that several share, of each program of a checkout: a process that loads
// a hundred files instead of a thousand starts in half the CPU time.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Where programs and their parts lie, all in one folder: code finds those it starts beside it. */
export const PROGRAM_FOLDER = join(root, 'dist');
const pageSources = join(root, 'devnet', 'page');

/** What is started by its file, as a process or a thread: output name and source. */
export const PROGRAMS = {
  cairn: 'cli/src/main.ts',
  'background-main': 'devnet/src/background-main.ts',
  guardian: 'devnet/src/guardian.ts',
  'run-storage-node': 'devnet/src/run-storage-node.ts',
  'run-da-node': 'devnet/src/run-da-node.ts',
  'run-kv-node': 'devnet/src/run-kv-node.ts',
  bootstrap: 'foundation/node-runtime/src/workers/bootstrap.ts',
  'hash-worker': 'client-sdk/src/node/hash-worker.ts',
  'codec-worker': 'da-node/src/codec-worker.ts',
  'mining-worker': 'storage-node/src/mining/mining-worker.ts',
  'gpu-child': 'foundation/erasure-codec/src/gpu-process/gpu-child.ts',
};
/** Packages with files beside their code: native parts and a kernel. */
const LEFT_OUT = [
  'classic-level',
  '@chainsafe/blst',
  'webgpu',
  'reed-solomon-erasure.wasm',
  'bufferutil',
  'utf-8-validate',
];
/** CommonJS packages ask for Node's own modules by this. */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";
/** What runs may still load parts of earlier builds: those are named after their content. */
const KEPT_MS = 6 * 3_600_000;

function esbuild() {
  return createRequire(import.meta.url)('esbuild');
}

/** Makes the programs from the sources. Their stacks are readable; source maps lie beside them. */
export function bundlePrograms() {
  const { outputFiles } = esbuild().buildSync({
    absWorkingDir: root,
    entryPoints: PROGRAMS,
    outdir: PROGRAM_FOLDER,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@cairn/source'],
    external: LEFT_OUT,
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  });
  mkdirSync(PROGRAM_FOLDER, { recursive: true });
  // Programs last: who starts one finds its parts.
  const isProgram = (path) => Object.hasOwn(PROGRAMS, basename(path, '.js'));
  for (const { path, contents } of outputFiles.filter((file) => !isProgram(file.path))) {
    put(path, contents);
  }
  for (const { path, contents } of outputFiles.filter((file) => isProgram(file.path))) {
    put(path, contents);
  }
  removeOthers(new Set(outputFiles.map(({ path }) => path)));
}

/** Writes a file whole or not at all, unless it is there already. */
function put(path, contents) {
  if (existsSync(path) && Buffer.compare(readFileSync(path), contents) === 0) {
    const now = new Date();
    utimesSync(path, now, now); // it is of this build too
    return;
  }
  const temporary = `${path}.${process.pid}.temporary`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function removeOthers(current) {
  for (const entry of readdirSync(PROGRAM_FOLDER, { withFileTypes: true })) {
    const path = join(PROGRAM_FOLDER, entry.name);
    if (!entry.isFile() || current.has(path)) continue;
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

/** Makes the devnet's page of its sources: one script for browsers, and what it stands in. */
export function bundlePage() {
  const output = join(root, 'devnet', 'dist', 'page');
  esbuild().buildSync({
    absWorkingDir: root,
    entryPoints: [join(pageSources, 'page.ts')],
    outfile: join(output, 'page.js'),
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['@cairn/source'],
    logLevel: 'warning',
  });
  // The devnet looks for its page beside the folder of its code, wherever that is.
  const beside = join(PROGRAM_FOLDER, 'page');
  mkdirSync(beside, { recursive: true });
  for (const name of ['index.html', 'style.css'])
    copyFileSync(join(pageSources, name), join(output, name));
  for (const name of readdirSync(output)) copyFileSync(join(output, name), join(beside, name));
}
