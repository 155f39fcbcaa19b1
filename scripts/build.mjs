// Builds every package's `dist`, and the programs in the `dist` of the checkout, when a source is
// newer than the last build. Run it, or import `buildIfStale` (the `cairn` command does, so that a
// checkout always runs what it holds).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundlePage, bundlePrograms, PROGRAM_FOLDER } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'cairn');
const page = join(root, 'devnet', 'page');
const stampFile = join(cache, 'build-stamp');
const lockFile = join(cache, 'build-lock');
/** A build takes seconds; a lock older than this was left by a process that died. */
const LOCK_EXPIRY_MS = 120_000;

function workspaceFolders() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces;
}

/** The folders of the workspaces that are built: all but the tests. */
function packageFolders() {
  return workspaceFolders().filter((folder) => folder !== 'test');
}

/** Links workspaces that came since the last `npm install`, which would do nothing else for them. */
function linkWorkspaces() {
  for (const folder of workspaceFolders()) {
    const { name } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const link = join(root, 'node_modules', name);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(root, folder)), link, 'dir');
    } catch (error) {
      if (error.code !== 'EEXIST') throw error; // another process just did it
    }
  }
}

/** A digest of every source's path, size and time of change: equal digests mean nothing to do. */
function sourceDigest() {
  const hash = createHash('sha256');
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else note(path);
    }
  };
  const note = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  // A new version of a dependency is a new program, and so is one that is put together otherwise.
  for (const name of ['tsconfig.base.json', 'package-lock.json', 'scripts/bundle.mjs'])
    note(join(root, name));
  for (const folder of packageFolders()) {
    note(join(root, folder, 'package.json'));
    note(join(root, folder, 'tsconfig.json'));
    visit(join(root, folder, 'src'));
  }
  visit(page);
  return hash.digest('hex');
}

function readOrNothing(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // never built
  }
}

/** Whether the last build was of these sources, and what it made last has not been removed. */
function isBuilt(digest) {
  return readOrNothing(stampFile) === digest && existsSync(join(PROGRAM_FOLDER, 'cairn.js'));
}

/** Removes output whose source is gone: the compiler leaves it behind. */
function removeOrphans(folder) {
  const visit = (relative) => {
    const output = join(folder, 'dist', relative);
    for (const entry of readdirSync(output, { withFileTypes: true })) {
      const path = join(relative, entry.name);
      if (entry.isDirectory()) visit(path);
      const source = /^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(path)?.[1];
      if (source === undefined || existsSync(join(folder, 'src', `${source}.ts`))) continue;
      rmSync(join(folder, 'dist', path));
    }
  };
  visit('');
}

/** Runs `build` while no other process does. */
function withLock(build) {
  mkdirSync(cache, { recursive: true });
  const started = Date.now();
  for (;;) {
    try {
      closeSync(openSync(lockFile, 'wx'));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const age = Date.now() - (statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > LOCK_EXPIRY_MS) rmSync(lockFile, { force: true });
      else if (Date.now() - started > LOCK_EXPIRY_MS)
        throw new Error(`${lockFile} is held by another build`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    return build();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/**
 * Brings `dist` up to date. Costs a few milliseconds when it already is.
 *
 * @returns {boolean} whether anything was built
 * @throws {Error} if the compiler refuses the sources; its words go to stderr
 */
export function buildIfStale() {
  linkWorkspaces();
  if (isBuilt(sourceDigest())) return false;
  return withLock(() => {
    const digest = sourceDigest();
    if (isBuilt(digest)) return false; // another process just did it
    rmSync(stampFile, { force: true });
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status } = spawnSync(
      process.execPath,
      [compiler, '-b', join(root, 'tsconfig.build.json')],
      {
        stdio: ['ignore', 2, 2],
      },
    );
    if (status !== 0) throw new Error(`tsc -b failed with exit code ${status}`);
    for (const folder of packageFolders()) removeOrphans(join(root, folder));
    bundlePage();
    bundlePrograms();
    writeFileSync(stampFile, digest);
    return true;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stderr.write(buildIfStale() ? 'built\n' : 'up to date\n');
}
