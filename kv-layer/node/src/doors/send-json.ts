import type { ServerResponse } from 'node:http';

export const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Sends a reply that passes the routes by: with the headers in the order they are written in, which
 * the server then need not sort out.
 *
 * @param headers - besides type, length and origin: names and values by turns
 */
export function sendJson(
  reply: ServerResponse,
  text: string,
  headers: readonly string[] = [],
  status = 200,
): void {
  if (reply.destroyed) return;
  reply.writeHead(status, [
    'content-type',
    JSON_TYPE,
    'content-length',
    String(Buffer.byteLength(text)),
    'access-control-allow-origin',
    '*',
    ...headers,
  ]);
  reply.end(text);
}

/** `sendJson` of a text of ASCII alone: its length is known, and it is written as it is. */
export function sendAscii(
  reply: ServerResponse,
  text: string,
  headers: readonly string[] = [],
): void {
  if (reply.destroyed) return;
  reply.writeHead(200, [
    'content-type',
    JSON_TYPE,
    'content-length',
    String(text.length),
    'access-control-allow-origin',
    '*',
    ...headers,
  ]);
  reply.end(text, 'latin1');
}
