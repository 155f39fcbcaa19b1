import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * The URL of a module beside the caller's, with the ending of the caller's own: `.ts` when running
 * from source, `.js` once built.
 *
 * @param name - relative and without ending, such as `./seal-segment`
 * @param importMetaUrl - the caller's `import.meta.url`
 */
export function siblingModule(name: string, importMetaUrl: string): URL {
  return new URL(`${name}${importMetaUrl.endsWith('.ts') ? '.ts' : '.js'}`, importMetaUrl);
}

/** A thread that runs `bootstrap` for `module`, with the flags this process was started with. */
export function startThread(module: string): Worker {
  const bootstrap = siblingModule('./bootstrap', import.meta.url);
  const load = `import(${JSON.stringify(bootstrap.href)})`;
  const needsLoader = bootstrap.pathname.endsWith('.ts') && !runsTypeScript();
  // As text, because inherited flags such as --input-type refuse a file.
  return new Worker(
    needsLoader ? `import(${loaderUrl()}).then(({ register }) => (register(), ${load}));` : load,
    { eval: true, workerData: module },
  );
}

/**
 * What lets a thread run TypeScript on Node 20, where a loader given with --import does not reach
 * it. Found as CommonJS, taken as the module beside it: the other form cannot register itself.
 */
function loaderUrl(): string {
  const found = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  return JSON.stringify(pathToFileURL(found).href);
}

function runsTypeScript(): boolean {
  return Boolean(Reflect.get(process.features, 'typescript')); // Node 22.18 and later
}
