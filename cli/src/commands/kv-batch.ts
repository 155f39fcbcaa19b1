import type { BatchBuilder } from '@cairn/kv-layer';
import { isRecord, parseJson, utf8Bytes, utf8Text } from '@cairn/primitives';
import { type StreamOptions, writeStreams } from '../connect-streams.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { readAll } from '../read-all.ts';
import { tell } from './kv-put.ts';

type Write = (batch: BatchBuilder) => void;

/**
 * Writes what lines of standard input say, by one log entry: `{"put": KEY, "value": TEXT}`, or
 * `"base64"` instead of `"value"`, or `{"delete": KEY}`.
 *
 * @throws {CliError} CLI_USAGE with the line
 */
export async function kvBatch(
  stream: string,
  options: StreamOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const text = utf8Text(await readAll(io.stdin()));
  const commit = await writeStreams('pay for a batch', options, context, (client) => {
    const { id } = client.kv.stream(stream);
    const writes = text
      .split('\n')
      .map((line, at) => (line.trim() === '' ? undefined : writeOf(line, at + 1)))
      .filter((write) => write !== undefined);
    if (writes.length === 0) throw usageError('input', 'standard input says nothing to write');
    return client.kv.batch(
      (batch) => {
        for (const write of writes) write(batch);
      },
      { signal },
    );

    function writeOf(line: string, number: number): Write {
      const fields = fieldsOf(line, number);
      const { put, value, base64, delete: deleted } = fields;
      if (typeof deleted === 'string' && Object.keys(fields).length === 1) {
        return (batch) => batch.delete(id, utf8Bytes(deleted));
      }
      const bytes =
        typeof value === 'string'
          ? utf8Bytes(value)
          : typeof base64 === 'string'
            ? new Uint8Array(Buffer.from(base64, 'base64'))
            : undefined;
      if (typeof put !== 'string' || bytes === undefined || Object.keys(fields).length !== 2) {
        throw badLine(number, 'is neither {"put": KEY, "value": TEXT} nor {"delete": KEY}');
      }
      if (bytes.length === 0) throw badLine(number, 'has no value: say {"delete": KEY}');
      return (batch) => batch.put(id, utf8Bytes(put), bytes);
    }
  });
  await tell(commit, options, io);
  return EXIT.ok;
}

function fieldsOf(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = parseJson(line);
    if (isRecord(fields)) return fields;
  } catch {
    // told below
  }
  throw badLine(number, 'is no JSON object');
}

function badLine(number: number, what: string): Error {
  return usageError('input', `line ${number} ${what}`);
}
