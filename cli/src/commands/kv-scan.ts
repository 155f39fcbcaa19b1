import { readStreams, type StreamOptions } from '../connect-streams.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { base64, shown } from '../key-text.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn kv scan` takes. */
export interface KvScanOptions extends StreamOptions {
  readonly version?: number;
  readonly prefix?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly keysOnly?: boolean;
}

/**
 * Lists keys and values in order. For people a line is the key, a tab and the value, each as a JSON
 * text where it is not plain; with `--json` a line is an object with base64 values.
 */
export async function kvScan(
  stream: string,
  options: KvScanOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const { json = false, kv: _kv, ...range } = options;
  await readStreams(options, context, async (client) => {
    for await (const entry of client.kv.stream(stream).scan({ ...range, signal })) {
      const { key, value, version } = entry;
      if (json) {
        const name = { key: base64(key), version };
        await writeJson(io, range.keysOnly === true ? name : { ...name, value: base64(value) });
      } else if (range.keysOnly === true) {
        await writeLine(io, shown(key));
      } else {
        await writeLine(io, `${shown(key)}\t${shown(value)}`);
      }
    }
  });
  return EXIT.ok;
}
