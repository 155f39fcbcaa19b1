import { isHexOf } from '@cairn/primitives';
import { chooseRange, namesEtag, namesEtagStrongly } from './byte-range.ts';
import { contentHeaders } from './content-headers.ts';
import type { ReadableFile } from './readable-file.ts';

/** The parts of a request that decide how a file is sent. */
export interface FileRequest {
  readonly method: 'GET' | 'HEAD';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** File name for the reader. */
  readonly name: string;
  /** Whether browsers are to save it whatever it is. */
  readonly isDownload?: boolean;
  /** Whether another file may have the same address later; false unless told. */
  readonly mayChange?: boolean;
  readonly signal: AbortSignal;
}

/** A reply ready to be sent; without a body for HEAD and for what has none. */
export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
}

/**
 * How long a reply may be kept: content never changes under its root, but a reorganisation of the
 * chain may give a sequence to another file, so that one is asked for again each time, by its ETag.
 */
export function cacheControl(mayChange: boolean): string {
  return mayChange ? 'public, no-cache' : 'public, max-age=31536000, immutable';
}

/** What says nothing about the content: the next request may be answered otherwise. */
const NOT_KEPT = { 'cache-control': 'no-store', 'content-length': '0' };

/**
 * How a file answers a request: preconditions first, then the range (RFC 9110 §13.2.2), which is a
 * matter of GET alone (§14.2).
 */
export function answerFile(file: ReadableFile, request: FileRequest): FileAnswer {
  const etag = `"${file.etag}"`;
  const { headers } = request;
  const common: Record<string, string> = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': cacheControl(request.mayChange ?? false),
    ...(isHexOf(file.etag, 32) ? { 'x-cairn-root': file.etag } : {}),
  };
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !namesEtagStrongly(ifMatch, etag)) {
    return { status: 412, headers: { ...common, ...NOT_KEPT } };
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, etag)) {
    return { status: 304, headers: common };
  }
  const ifRange = headers['if-range'];
  const wantsRange = request.method === 'GET' && (ifRange === undefined || ifRange.trim() === etag);
  const choice = chooseRange(wantsRange ? headers['range'] : undefined, file.sizeBytes);
  if (choice.kind === 'unsatisfiable') {
    return {
      status: 416,
      headers: { ...common, ...NOT_KEPT, 'content-range': `bytes */${file.sizeBytes}` },
    };
  }
  const { first, last } =
    choice.kind === 'part' ? choice.range : { first: 0, last: file.sizeBytes - 1 };
  const length = last - first + 1;
  return {
    status: choice.kind === 'part' ? 206 : 200,
    headers: {
      ...common,
      ...contentHeaders(request.name, { isDownload: request.isDownload === true }),
      'content-length': String(length),
      ...(choice.kind === 'part'
        ? { 'content-range': `bytes ${first}-${last}/${file.sizeBytes}` }
        : {}),
    },
    ...(request.method === 'GET' && length > 0
      ? { body: file.read(first, length, { signal: request.signal }) }
      : {}),
  };
}
