import { request } from 'node:http';
import { resolve } from 'node:path';
import { describeError, isRecord, type Json, parseJson, stringifyJson } from '@cairn/primitives';
import { CliError } from './errors.ts';

/** A bound that no admin reply comes near. */
const MAX_REPLY_BYTES = 1_048_576;

/**
 * Asks a running node over its admin socket.
 *
 * @throws {CliError} CLI_NO_ADMIN where nothing listens, CLI_REFUSED; the signal's reason
 */
export async function askAdmin(
  socket: string,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body?: Json },
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await send(socket, { method, path, body }, signal);
  const value = parseReply(text);
  if (status < 300 && isRecord(value)) return value;
  const fault = isRecord(value) && typeof value['code'] === 'string' ? value['code'] : '';
  const detail =
    isRecord(value) && typeof value['detail'] === 'string' ? `: ${value['detail']}` : '';
  throw new CliError(
    { code: 'CLI_REFUSED', url: socket, status, fault },
    `the node at ${socket} answered ${status}${detail}`,
  );
}

/** Where the node that runs on a data directory listens for its owner. */
export function adminSocketOf(directory: string, named: string | undefined): string {
  return resolve(named ?? resolve(directory, 'admin.sock'));
}

function parseReply(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // told by its status
  }
}

function send(
  socketPath: string,
  {
    method,
    path,
    body,
  }: { readonly method: string; readonly path: string; readonly body?: Json | undefined },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolveReply, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request({ socketPath, method, path, headers, signal }, (reply) => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_REPLY_BYTES) reply.destroy(new Error('the reply is too long'));
      });
      reply.on('error', reject);
      reply.on('end', () => resolveReply({ status: reply.statusCode ?? 0, text }));
    });
    asked.on('error', (error) => {
      if (signal.aborted) return reject(signal.reason);
      reject(
        new CliError(
          { code: 'CLI_NO_ADMIN', socket: socketPath },
          `a node runs on this data directory and does not answer at ${socketPath}: ${describeError(error)}`,
          { cause: error },
        ),
      );
    });
    asked.end(body === undefined ? undefined : stringifyJson(body));
  });
}
