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
  if (!bootstrap.pathname.endsWith('.ts') || runsTypeScript()) {
    return new Worker(bootstrap, { workerData: module });
  }
  // A loader given with --import does not reach the threads of Node 20, so each registers it.
  // Found as CommonJS, taken as the module beside it: the other form cannot register itself.
  const found = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const loader = pathToFileURL(found);
  const code = `import(${JSON.stringify(loader.href)}).then(({ register }) => {
    register();
    return import(${JSON.stringify(bootstrap.href)});
  });`;
  return new Worker(code, { eval: true, workerData: module });
}

function runsTypeScript(): boolean {
  return Boolean(Reflect.get(process.features, 'typescript')); // Node 22.18 and later
}
