/** Types worth telling a reader; everything else is bytes. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bin: 'application/octet-stream',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  md: 'text/markdown; charset=utf-8',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  parquet: 'application/vnd.apache.parquet',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webp: 'image/webp',
  xml: 'application/xml',
  zip: 'application/zip',
};

/** Types that a browser would run as a page of this origin: always handed over as a download. */
const ACTIVE_TYPES = /^(text\/html|image\/svg\+xml|application\/xml|text\/javascript)/;

/** Longest file name that is repeated to the reader. */
const MAX_NAME_CHARACTERS = 200;

/** The media type of a file by the ending of its name; bytes if the name tells nothing. */
export function contentTypeOf(name: string): string {
  const ending = /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return CONTENT_TYPES[ending] ?? 'application/octet-stream';
}

/**
 * Headers under which what users stored is served from our origin without being trusted by a
 * browser: no sniffing, no scripts, active types as downloads.
 *
 * @param name - file name from the path or `?name=`; control and path characters are replaced
 * @param isDownload - whether every type is handed over as a download
 */
export function contentHeaders(
  name: string,
  { isDownload = false }: { readonly isDownload?: boolean } = {},
): Record<string, string> {
  const contentType = contentTypeOf(name);
  const disposition = isDownload || ACTIVE_TYPES.test(contentType) ? 'attachment' : 'inline';
  const safeName = wellFormed(
    name
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
      .replace(/[\u0000-\u001f\u007f"\\/]/g, '_')
      .slice(0, MAX_NAME_CHARACTERS),
  );
  const ascii = safeName.replace(/[^\x20-\x7e]/g, '_');
  return {
    'content-type': contentType,
    'content-disposition':
      safeName === ''
        ? disposition
        : `${disposition}; filename="${ascii}"; filename*=UTF-8''${encodeName(safeName)}`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
  };
}

/** A name as part of an address or of an extended header value (RFC 8187). */
export function encodeName(name: string): string {
  return encodeURIComponent(wellFormed(name)).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Halves of surrogate pairs stand for no character, and `encodeURIComponent` throws at them. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
