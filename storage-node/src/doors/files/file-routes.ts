import {
  type HttpReplyOut,
  type HttpRequestIn,
  type RouteGroup,
  readableFrom,
} from '@cairn/node-runtime/http';
import { parseRoot, type Root } from '@cairn/primitives';
import { answerFile, cacheControl } from './answer-file.ts';
import { contentHeaders, encodeName } from './content-headers.ts';
import { directoryHtml, directoryJson } from './directory-index.ts';
import { directoryLines } from './directory-tree.ts';
import { FileDoorError } from './errors.ts';
import { FileShelf } from './file-shelf.ts';
import type { FileLibrary, ReadableFile } from './readable-file.ts';

/** What the file routes need. */
export interface FileRoutesDeps {
  readonly library: FileLibrary;
}

/**
 * `GET|HEAD /v1/files/{root}[/path]` and `/v1/tx/{sequence}[/path]`: bytes with Range, ETag and
 * 304, and a listing for directories (HTML by links; JSON for those who accept only that).
 *
 * `/v1/files/{root}` is always the file itself, also for a manifest; with a slash after it, it is
 * the directory that the manifest lists.
 */
export function fileRoutes({ library }: FileRoutesDeps): RouteGroup {
  const shelf = new FileShelf(library);
  return (app) => {
    const method: ('GET' | 'HEAD')[] = ['GET', 'HEAD'];
    const hidden = { hide: true }; // the paths stand in the OpenAPI document through their schemas
    const byRoot = async (request: HttpRequestIn): Promise<Root> =>
      parseRoot(parameter(request, 'root'));
    const bySequence = async (request: HttpRequestIn): Promise<Root> =>
      shelf.rootAt(sequenceIn(request), { signal: request.signal });
    for (const { base, rootIn, mayChange } of [
      { base: '/v1/files/:root', rootIn: byRoot, mayChange: false },
      { base: '/v1/tx/:seq', rootIn: bySequence, mayChange: true },
    ]) {
      app.route({
        method,
        url: base,
        exposeHeadRoute: false,
        handler: async (request, reply) => {
          const root = await rootIn(request);
          const file = await shelf.openRoot(root, { signal: request.signal });
          return sendFile(file, '', request, reply, { mayChange });
        },
      });
      app.route({
        method,
        url: `${base}/*`,
        exposeHeadRoute: false,
        schema: hidden,
        handler: async (request, reply) => {
          const root = await rootIn(request);
          const place = { root, path: parameter(request, '*'), mayChange };
          return sendPath(shelf, place, request, reply);
        },
      });
    }
  };
}

interface PlaceInDirectory {
  readonly root: Root;
  readonly path: string;
  readonly mayChange: boolean;
}

async function sendPath(
  shelf: FileShelf,
  { root, path, mayChange }: PlaceInDirectory,
  request: HttpRequestIn,
  reply: HttpReplyOut,
): Promise<HttpReplyOut> {
  const found = await shelf.resolve(root, path, { signal: request.signal });
  if (found.kind === 'directory') {
    if (path !== '' && !path.endsWith('/')) {
      const name = path.split('/').at(-1) ?? '';
      void reply.header('cache-control', cacheControl(mayChange));
      return reply.redirect(`${encodeName(name)}/`, 308);
    }
    const lines = directoryLines(found);
    void reply
      .header('x-cairn-root', root)
      .header('cache-control', cacheControl(mayChange))
      .header('vary', 'accept');
    if (wantsJson(request.headers.accept)) return reply.send(directoryJson(lines));
    return reply
      .headers({ ...contentHeaders(''), 'content-disposition': 'inline' })
      .type('text/html; charset=utf-8')
      .send(directoryHtml(`/${path}`, lines));
  }
  const file = await shelf.openFragments(found.roots, { signal: request.signal });
  return sendFile(file, found.name, request, reply, { mayChange });
}

/**
 * Sends as the range and the preconditions ask. A failure before the first byte is answered with a
 * problem, one after it cuts the connection.
 */
export function sendFile(
  file: ReadableFile,
  pathName: string,
  request: HttpRequestIn,
  reply: HttpReplyOut,
  {
    isDownload = false,
    mayChange = false,
  }: { readonly isDownload?: boolean; readonly mayChange?: boolean } = {},
): HttpReplyOut {
  const answer = answerFile(file, {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    headers: singleHeaders(request),
    name: nameIn(request) ?? pathName,
    isDownload,
    mayChange,
    signal: request.signal,
  });
  void reply.code(answer.status).headers(answer.headers);
  if (answer.body === undefined) return reply.send();
  return reply.send(readableFrom(answer.body));
}

function wantsJson(accept: string | undefined): boolean {
  return accept?.includes('application/json') === true && !accept.includes('text/html');
}

function parameter(request: HttpRequestIn, name: string): string {
  const value = (request.params as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}

function sequenceIn(request: HttpRequestIn): number {
  const text = parameter(request, 'seq');
  if (!/^\d{1,15}$/.test(text)) {
    throw new FileDoorError(
      { code: 'WIRE_REQUEST', field: 'seq', actual: text.slice(0, 40) },
      `a sequence is a whole number, not "${text.slice(0, 40)}"`,
    );
  }
  return Number(text);
}

function nameIn(request: HttpRequestIn): string | undefined {
  const { name } = request.query as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function singleHeaders(request: HttpRequestIn): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}
